"""Opening and closing files, files that are something else, and disks that refuse."""

import os
import pickle
import resource
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from docurift_nb.archive import Archive, Entry, open_reader
from docurift_nb.archive.file import APPLICATION_ID, VERSION
from docurift_nb.errors import (
    ArchiveError,
    ArchiveVersionError,
    ArchiveWriteError,
    ConfigError,
    NotAnArchiveError,
)
from tests.archive.records import answer, filled, foreign, states, trace


def test_a_private_archive_works_alike_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a path it behaves the same and no file appears."""
    monkeypatch.chdir(tmp_path)
    with Archive() as archive:
        archive.watch(["a"])
        archive.commit([answer("a", "completed")])
        assert (archive.path, states(archive)) == (None, {"a": "completed"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reading", [False, True])
def test_close_is_idempotent_and_use_after_it_is_a_clear_error(path: Path, *, reading: bool) -> None:
    """A closed archive says so instead of failing inside SQLite."""
    Archive(path).close()
    archive = open_reader(path) if reading else Archive(path)
    archive.close()
    archive.close()
    with pytest.raises(ArchiveError, match="closed"):
        list(archive.observations())
    with pytest.raises(ArchiveError, match="reading only" if reading else "closed"):
        archive.commit([answer("a", "completed")])


def test_a_closed_archive_is_one_file(path: Path) -> None:
    """After close nothing lies beside it, so that copying the one file copies all."""
    with Archive(path) as archive:
        archive.commit([answer("a", "completed")])
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_closing_settles_the_file_even_while_a_reader_has_it_open(path: Path, tmp_path: Path) -> None:
    """The one file, copied after close, holds everything even when a reader kept the log alive."""
    archive = Archive(path)
    archive.commit([answer("a", "completed")])
    with open_reader(path) as reader:
        assert states(reader) == {"a": "completed"}
        archive.close()
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    with open_reader(copy) as reader:
        assert states(reader) == {"a": "completed"}


def test_many_open_one_new_file_at_once(tmp_path: Path) -> None:
    """Whoever comes first creates it, and the others meet neither a lock nor a half-made archive."""
    together = threading.Barrier(8)

    def work(number: int) -> None:
        for n in range(10):
            together.wait(30)
            with Archive(tmp_path / f"{n}.db") as archive:
                archive.commit([answer(f"job_{number}", "completed")])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    for n in range(10):
        with open_reader(tmp_path / f"{n}.db") as reader:
            assert len(states(reader)) == 8


def test_opening_waits_for_another_that_is_still_making_the_file(path: Path) -> None:
    """A write lock held before the switch to WAL, for which SQLite itself does not wait, is waited for."""
    filled(path, 1)
    maker = sqlite3.connect(path, isolation_level=None)
    maker.execute("PRAGMA journal_mode = DELETE")
    maker.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(Archive, path)
        with pytest.raises(TimeoutError):
            opening.result(0.1)
        maker.execute("COMMIT")
        maker.close()
        opening.result(30).close()


def test_a_path_may_hold_what_a_url_may_not(tmp_path: Path) -> None:
    """Question marks, hashes, percent signs and links in a path mean themselves."""
    odd = tmp_path / "a?b#c%20 ü.db"
    link = tmp_path / "link.db"
    link.symlink_to(odd)
    with Archive(link) as archive:
        archive.commit([answer("a", "completed")])
        with open_reader(odd) as reader:
            assert states(reader) == {"a": "completed"}
    assert {file.name for file in tmp_path.iterdir()} == {odd.name, link.name}


def something_else(path: Path, kind: str) -> None:
    """Put something there that is no archive of this version, long ago."""
    if kind == "text":
        path.write_text("job_1\njob_2\n" * 100)
    elif kind == "short":
        path.write_bytes(b"SQLite format 3\0")
    elif kind == "folder":
        path.mkdir()
    else:
        foreign(path, 7 if kind == "other database" else APPLICATION_ID, VERSION + 1)
    os.utime(path, ns=(10**18, 10**18))


@pytest.mark.parametrize("kind", ["text", "short", "other database", "folder", "newer"])
@pytest.mark.parametrize("opening", [Archive, open_reader])
def test_a_file_that_is_something_else_is_not_touched(path: Path, kind: str, opening: type[Archive]) -> None:
    """Its bytes, its time and its folder stay as they were, and the error says what it is."""
    something_else(path, kind)
    before = {} if kind == "folder" else trace(path.parent)
    with pytest.raises(ArchiveVersionError if kind == "newer" else NotAnArchiveError) as caught:
        opening(path)
    assert "left as it is" in str(caught.value) or "left as it was" in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301  # our own bytes
    assert ({} if kind == "folder" else trace(path.parent)) == before


def test_an_empty_file_becomes_an_archive(path: Path) -> None:
    """Zero bytes, as tempfile leaves them, count as new; a reader has nothing to read there."""
    path.touch()
    with pytest.raises(ArchiveError):
        open_reader(path)
    with Archive(path) as archive:
        archive.commit([answer("a", "completed")])
        assert states(archive) == {"a": "completed"}


@pytest.mark.parametrize("given_path", ["", b"fleet.db", 3, "a\0b"])
def test_what_is_no_path_is_refused(given_path: str) -> None:
    """Bad paths fail at the call."""
    with pytest.raises(ConfigError):
        Archive(given_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Nothing is created, and the error says which folder to make."""
    with pytest.raises(ArchiveWriteError, match="nowhere"):
        Archive(tmp_path / "nowhere" / "fleet.db")
    with pytest.raises(ArchiveError, match="no archive"):
        open_reader(tmp_path / "nowhere" / "fleet.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("opening", [Archive, open_reader])
@pytest.mark.parametrize("harm", ["truncated", "overwritten"])
def test_a_damaged_archive_is_a_clear_error(path: Path, opening: type[Archive], harm: str) -> None:
    """A file cut short or overwritten within ends in ArchiveError, never in SQLite's own."""
    filled(path)
    body = path.read_bytes()
    middle = len(body) // 2
    path.write_bytes(body[:middle] if harm == "truncated" else body[:4096] + b"\xa5" * (len(body) - 4096))
    with pytest.raises(ArchiveError, match="damaged") as caught, opening(path) as archive:
        list(archive.observations())
    assert caught.value.path == str(path)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the system refuse any file to grow beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def fewest_pages(archive: Archive) -> Iterator[None]:
    """Let SQLite take the database for as full as a disk can be."""
    ((pages,),) = archive._store.fetch("PRAGMA page_count")
    archive._store.fetch(f"PRAGMA max_page_count = {pages + 20}")
    yield
    archive._store.fetch("PRAGMA max_page_count = 1000000")


def refused(archive: Archive, batch: list[Entry]) -> ArchiveWriteError | None:
    """Commit, and return the refusal where there is one."""
    try:
        archive.commit(batch)
    except ArchiveWriteError as error:
        return error
    return None


@pytest.mark.parametrize("refusal", ["system", "SQLite"])
def test_a_full_disk_loses_nothing_and_the_batch_can_be_repeated(archive: Archive, refusal: str) -> None:
    """What was acknowledged stays, the refused batch is wholly absent, and goes in once there is room."""
    stored: list[Entry] = []
    batch: list[Entry] = []
    error = None
    with largest_file(200_000) if refusal == "system" else fewest_pages(archive):
        while error is None:
            batch = [answer(f"{len(stored)}/{k}", "completed", note="x" * 900) for k in range(10)]
            error = refused(archive, batch)
            stored += batch if error is None else []
    assert stored
    assert states(archive) == {entry.job_id: "completed" for entry in stored}
    assert "watch.resume()" in str(error)
    archive.commit(batch)
    assert states(archive) == {entry.job_id: "completed" for entry in stored + batch}
    assert archive._store.fetch("PRAGMA integrity_check") == [("ok",)]


def test_an_archive_removed_while_in_use_is_noticed(path: Path, archive: Archive) -> None:
    """A commit into a file without a name would be lost, so it is refused."""
    archive.commit([answer("a", "completed")])
    path.unlink()
    with pytest.raises(ArchiveWriteError, match="removed or replaced"):
        archive.commit([answer("b", "completed")])


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Act as a user whom file modes bind."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("readonly", ["file", "folder"])
def test_a_read_only_place_is_a_clear_error_and_can_still_be_read(readonly: str) -> None:
    """Writing is refused without a trace and points to reading; reading works there."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "fleet.db")
        filled(path, 3)
        path.chmod(0o444 if readonly == "file" else 0o666)
        Path(name).chmod(0o777 if readonly == "file" else 0o555)
        before = trace(Path(name))
        with ordinary_user():
            with pytest.raises(ArchiveWriteError, match=f"{readonly} is read-only.*Results.from_archive"):
                Archive(path)
            with open_reader(path) as reader:
                assert len(states(reader)) == 3
        assert trace(Path(name)) == before
        Path(name).chmod(0o777)
