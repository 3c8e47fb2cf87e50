"""Reading without a trace, also while others write."""

import subprocess
import sys
from pathlib import Path

import pytest

from docurift_nb.archive import Archive, open_reader
from docurift_nb.errors import ArchiveWriteError, NotAnArchiveError
from tests.archive.processes import running
from tests.archive.records import answer, filled, states, trace


def test_a_reader_creates_and_modifies_nothing(path: Path) -> None:
    """Reading a settled archive leaves no companion file and no new time, and refuses to write."""
    filled(path, 3)
    before = trace(path.parent)
    with open_reader(path) as reader:
        assert len(states(reader)) == len(list(reader.transitions())) == 3
        assert trace(path.parent) == before
        with pytest.raises(ArchiveWriteError, match="reading only"):
            reader.watch(["a"])
        with pytest.raises(ArchiveWriteError, match="reading only"):
            reader.commit([answer("a", "completed")])
    assert trace(path.parent) == before


def test_a_reader_follows_a_writer_that_starts_later_and_stops(path: Path) -> None:
    """What a writer commits after the reader was opened is seen, before and after the writer closes."""
    filled(path, 1)
    with open_reader(path) as reader:
        since = reader.sequence()
        with Archive(path) as archive:
            assert reader.news(since) == (since, [])
            archive.commit([answer("a", "completed")])
            assert [seen.job_id for seen in reader.news(since)[1]] == ["a"]
            archive.commit([answer("b", "completed")])
        assert [seen.job_id for seen in reader.news(since)[1]] == ["a", "b"]


def test_a_reader_sees_only_whole_commits_while_a_writer_runs(path: Path) -> None:
    """Readings between and during commits and checkpoints never fail and never go back."""
    filled(path, 10)
    with running("acknowledge", path, "w") as process, open_reader(path) as reader:
        assert process.stdout is not None
        seen = 0
        for _ in range(20):
            acknowledged = int(process.stdout.readline())
            batches = {seen.job_id.split("/")[1] for seen in reader.observations() if "/" in seen.job_id}
            assert acknowledged < len(batches) >= seen
            seen = len(batches)


def test_a_half_read_stream_does_not_hold_up_a_writer(path: Path, archive: Archive) -> None:
    """Between pages no read transaction is open: the log can be worked in completely."""
    archive.commit([answer(f"job_{n}", "completed") for n in range(1_200)])
    with open_reader(path) as reader:
        stream = reader.observations()
        next(stream)
        archive.commit([answer("a", "completed")])
        assert archive._store.fetch("PRAGMA wal_checkpoint(TRUNCATE)") == [(0, 0, 0)]
        assert len(list(stream)) == 1_199


def test_reading_in_the_same_process_keeps_the_writers_locks(path: Path, archive: Archive) -> None:
    """A reader that opens, reads and closes beside a writer does not drop the process's lock on the file."""
    archive.commit([answer("a", "completed")])
    with open_reader(path) as reader:
        list(reader.observations())
    with pytest.raises(NotAnArchiveError):
        Archive(path.parent)
    probe = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+b')\n"
        "fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)"
    )
    done = subprocess.run([sys.executable, "-c", probe, str(path)], capture_output=True, check=False)  # noqa: S603  # our own probe
    assert b"BlockingIOError" in done.stderr
