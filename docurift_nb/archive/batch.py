"""One batch of entries into the tables, inside a transaction that the caller holds.

The rules are in ``memory``; here the state is read, folded, and written back with three statements.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice

from docurift_nb.archive.entry import Entry, storable_number, storable_text, to_microseconds
from docurift_nb.archive.memory import Memory

# SQLite's oldest limit is 999 parameters a statement.
_PAGE = 500

_NEWEST = "SELECT (SELECT max(number) FROM jobs), (SELECT max(sequence) FROM transitions)"
_STATE = "SELECT job_id, number, seen, answered_at, looked_at, ending, latest, changed_at FROM jobs"
_INSERT_TRANSITION = "INSERT INTO transitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_JOB = "INSERT INTO jobs VALUES (?9, ?8, 0, ?1, ?2, ?3, ?4, ?5, ?6, ?7)"
_UPDATE_JOB = """
    UPDATE jobs SET seen = ?1, answered_at = ?2, looked_at = ?3, ending = ?4, latest = ?5, changed_at = ?6,
                    raw = coalesce(?7, raw)
    WHERE number = ?9
"""
_IN_CHAIN = """
    WITH RECURSIVE chain (sequence) AS (
        VALUES (?)
        UNION ALL SELECT previous FROM transitions JOIN chain USING (sequence) WHERE previous IS NOT NULL
    )
    SELECT 1 FROM transitions JOIN chain USING (sequence)
    WHERE observed_at = ? AND seen = ? AND status IS ? AND progress IS ? AND ended = ?
"""

_Change = tuple[int, str, str | None, float | None, bool]
_Row = tuple[object, ...]


def store(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Fold checked entries into what is stored and write what changed; the caller commits."""
    batch = _Batch(connection, {entry.job_id for entry in entries})
    transitions = [row for entry in entries if (row := batch.fold(entry)) is not None]
    connection.executemany(_INSERT_TRANSITION, transitions)
    for sql, rows in zip((_UPDATE_JOB, _INSERT_JOB), batch.job_rows(), strict=True):
        if rows:
            connection.executemany(sql, rows)


class _Batch:
    """The jobs of one batch, as stored and as folded; numbers are safe to hand out under the write lock."""

    def __init__(self, connection: sqlite3.Connection, job_ids: set[str]) -> None:
        self._connection = connection
        self._memories = _recall(connection, iter(job_ids))
        self._stored = {job_id: memory.latest for job_id, memory in self._memories.items()}
        self._changes: set[tuple[str, _Change]] = set()
        number, sequence = connection.execute(_NEWEST).fetchone()
        self._number, self._sequence = number or 0, sequence or 0

    def fold(self, entry: Entry) -> _Row | None:
        """Take in one entry; return its transition's row, None where that is stored already."""
        at, job_id = to_microseconds(entry.observed_at), entry.job_id
        status, progress = storable_text(entry.status), storable_number(entry.progress)
        change = (at, str(entry.seen), status, progress, entry.ended)
        memory = self._memories.get(job_id)
        if memory is None:
            self._number += 1
            memory = self._memories[job_id] = Memory(self._number)
        # Time moves forward for nearly all entries, so only a repeated or late one pays for the search.
        elif memory.changed_at is not None and at <= memory.changed_at and self._is_known(job_id, change):
            return None
        self._changes.add((job_id, change))
        self._sequence += 1
        previous = memory.latest
        kept = memory.fold(entry, at, self._sequence)
        return (self._sequence, memory.number, previous, *change, entry.raw if kept else None)

    def job_rows(self) -> tuple[list[_Row], list[_Row]]:
        """Return the rows of the jobs known before, and of those new with this batch."""
        known: list[_Row] = []
        new: list[_Row] = []
        for job_id, memory in self._memories.items():
            (known if job_id in self._stored else new).append(_row(job_id, memory))
        return known, new

    def _is_known(self, job_id: str, change: _Change) -> bool:
        if (job_id, change) in self._changes:
            return True
        latest = self._stored.get(job_id)
        if latest is None:
            return False
        return self._connection.execute(_IN_CHAIN, (latest, *change)).fetchone() is not None


def _recall(connection: sqlite3.Connection, job_ids: Iterator[str]) -> dict[str, Memory]:
    found: dict[str, Memory] = {}
    while page := list(islice(job_ids, _PAGE)):
        marks = ",".join("?" * len(page))
        for job_id, *state in connection.execute(f"{_STATE} WHERE job_id IN ({marks})", page):
            found[job_id] = Memory(*state)
    return found


def _row(job_id: str, memory: Memory) -> _Row:
    return (
        memory.seen,
        memory.answered_at,
        memory.looked_at,
        memory.ending,
        memory.latest,
        memory.changed_at,
        memory.raw,
        job_id,
        memory.number,
    )
