"""``kill -9`` at any moment: what was shown is stored, and only open jobs are asked about again."""

import contextlib
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from docurift_nb.archive import open_reader
from docurift_nb.sandbox import Sandbox
from docurift_nb.sandbox.scenarios import Document, Scenario
from tests.acceptance.stage import assert_stored, finish, start, tell, until

JOBS = 300
KILLS = 10
PLACES = 10
# Ten at a time, two seconds each: the whole fleet takes a minute of the sandbox's clock, which only the
# test moves, so that each generation of the watch has something left to see whatever the machine's speed.
SPAN_S = 60.0
STEADY = Scenario(documents=(Document(type="invoice", median_s=2.0, sigma=0.1),), failing=0.1)


@pytest.fixture
def service() -> Iterator[Sandbox]:
    """Run a local DocuRift whose clock stands still until it is moved."""
    with Sandbox(seed=0, workers=PLACES) as running:
        running.clock.hold()
        yield running


@pytest.mark.parametrize("seed", range(5))
def test_a_killed_watch_loses_nothing_and_resumes(service: Sandbox, tmp_path: Path, seed: int) -> None:
    """Ten watches in a row are killed on one archive, and an eleventh brings the fleet to its end."""
    rng, path = random.Random(seed), tmp_path / "fleet.docurift"
    ids, shown, stored = service.submit(JOBS, scenario=STEADY), set[str](), set[str]()
    for generation in range(KILLS):
        asked = service.requests.by_job
        child = start("watching_child.py", path, service.url, service.api_key)
        tell(child, ids)
        service.clock.advance(SPAN_S / (KILLS + 1))
        shown |= kill_at_some_moment(child, service, rng, Path(f"{path}-wal"), shown)
        assert asked_since(asked, service).isdisjoint(stored)
        stored = inspect(path, tmp_path / f"copy{generation}.docurift")
        assert_stored(tmp_path / f"copy{generation}.docurift", service, shown)

    service.clock.advance(SPAN_S)
    asked = service.requests.by_job
    child = start("watching_child.py", path, service.url, service.api_key)
    tell(child, ids)
    assert sorted(finish(child)) == sorted([*ids, "end"])
    assert asked_since(asked, service).isdisjoint(stored)
    assert_stored(path, service, ids)


def kill_at_some_moment(
    child: "subprocess.Popen[str]", service: Sandbox, rng: random.Random, log: Path, known: set[str]
) -> set[str]:
    """Kill after a random number of endings shown or of requests, or at a write; return what was shown."""
    assert child.stdout is not None
    assert child.stderr is not None
    shown: set[str] = set()
    moment = rng.choice(["shown", "asked", "writing"])
    if moment == "shown":
        wanted = rng.randint(1, 20)
        while len(shown - known) < wanted:
            line = child.stdout.readline()
            assert line, child.stderr.read()
            shown.add(line.strip())
    elif moment == "asked":
        goal = service.requests.total + rng.randint(1, 400)
        until(lambda: service.requests.total >= goal or child.poll() is not None)
    else:
        before = size_of(log)
        until(lambda: size_of(log) != before or child.poll() is not None)
    assert child.poll() is None, child.stderr.read()
    child.kill()
    rest, _ = child.communicate()
    return shown | set(rest.split())


def size_of(path: Path) -> int | None:
    """Return the size of a file, None where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def asked_since(before: Mapping[str, int], service: Sandbox) -> set[str]:
    """Return the jobs that were asked about since ``before`` was noted."""
    return {job_id for job_id, n in service.requests.by_job.items() if n > before.get(job_id, 0)}


def inspect(path: Path, copy: Path) -> set[str]:
    """Check a copy of what the dead process has left, and return the jobs that it knows to have ended.

    A copy, so that the next watch meets the very files that the killed one has left behind.
    """
    for suffix in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with open_reader(copy) as archive:
        return {seen.job_id for seen in archive.observations() if seen.ended}
