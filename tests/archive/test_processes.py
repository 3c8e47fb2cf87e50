"""Writers that are killed, and two that share one file."""

import random
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from docurift_nb.archive import Archive, open_reader
from tests.archive.processes import running, start
from tests.archive.records import states

KILLS = 24


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_writer_loses_no_acknowledged_batch(path: Path, seed: int) -> None:
    """After SIGKILL at any moment, creation included, the file is sound and holds what was acknowledged."""
    rng = random.Random(seed)
    with running("acknowledge", path, "w") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(rng.choice([0, 0, 1, 5, 40, 150]))]
        with suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0, 0.02))
        process.kill()
        lines += process.stdout.readlines()
    with Archive(path) as archive:
        assert archive._store.fetch("PRAGMA integrity_check") == [("ok",)]
        found: dict[int, float] = {}
        for seen in archive.observations():
            assert seen.state == "completed"
            _, batch, size, _ = seen.job_id.split("/")
            found[int(batch)] = found.get(int(batch), 0) + 1 / int(size)
    assert {int(line) for line in lines} <= set(found)
    assert found == pytest.approx(dict.fromkeys(found, 1))


@pytest.mark.parametrize("attempt", range(3))
def test_two_processes_fill_one_new_file_at_once(path: Path, attempt: int) -> None:
    """Nobody meets a lock, nothing is lost, and every job has one ending."""
    names = [f"{attempt}a", f"{attempt}b"]
    with (
        running("share", path, names[0], go=False) as first,
        running("share", path, names[1], go=False) as second,
    ):
        start(first)
        start(second)
        assert (first.wait(60), second.wait(60)) == (0, 0)
    with open_reader(path) as reader:
        own = [f"{name}/{n}" for name in names for n in range(500)]
        expected = dict.fromkeys([*own, *(f"shared/{n}" for n in range(500))], "completed")
        assert states(reader) == expected
        assert set(reader.watched()) == set(expected)
        endings = reader.news(0)[1]
        assert len(endings) == len(expected) == len({seen.job_id for seen in endings})
