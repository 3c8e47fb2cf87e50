"""Entries and readings that the archive's tests share."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from docurift_nb.archive import Archive, Entry
from docurift_nb.models import Observation, Seen

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(second: float) -> datetime:
    """Return a time so many seconds into the tests' story."""
    return START + timedelta(seconds=second)


def answer(job_id: str, status: str, second: float = 0, *, note: str = "") -> Entry:
    """Return an answer with a status; ``note`` is carried as its document id."""
    raw = f'{{"success":true,"data":{{"id":"{job_id}","status":"{status}","documentId":"{note}"}}}}'
    ended = status in ("completed", "failed")
    return Entry(
        job_id=job_id, observed_at=at(second), seen=Seen.FRESH, raw=raw.encode(), status=status, ended=ended
    )


def gone(job_id: str, seen: Seen, second: float = 0) -> Entry:
    """Return an ending without an answer."""
    return Entry(job_id=job_id, observed_at=at(second), seen=seen, ended=True)


def filled(path: Path, jobs: int = 300) -> None:
    """Leave a closed archive with so many completed jobs."""
    with Archive(path) as archive:
        archive.commit([answer(f"job_{n}", "completed", note="x" * 500) for n in range(jobs)])


def only(archive: Archive) -> Observation:
    """Return the one observation an archive holds."""
    (observation,) = archive.observations()
    return observation


def states(archive: Archive) -> dict[str, str]:
    """Return the state of every job."""
    return {seen.job_id: seen.state for seen in archive.observations()}


def trace(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return what is in a folder, to the byte and the nanosecond; only while nothing has it open."""
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


def foreign(path: Path, application_id: int, version: int) -> None:
    """Make a SQLite database with these marks that holds somebody's table."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA application_id = {application_id}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE keep (this)")
    connection.close()
