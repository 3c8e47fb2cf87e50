"""The archive: commits in, observations and history out. What a row means is known here only."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Self

from docurift_nb.archive.batch import store
from docurift_nb.archive.entry import Entry, Transition, check_entry, check_id, checked_ids, from_microseconds
from docurift_nb.archive.file import Store, WritableFile, location
from docurift_nb.archive.reader import ReadOnlyFile
from docurift_nb.models import Observation, Seen, decode_record

# Rows per reading: large enough to amortise it, small enough that a page of answers stays light and that no
# statement nears SQLite's oldest limit of 999 parameters.
PAGE = 500

_LAST_JOB = "SELECT coalesce(max(number), 0) FROM jobs"
_LAST_TRANSITION = "SELECT coalesce(max(sequence), 0) FROM transitions"
_WATCHED = """
    SELECT number, job_id FROM jobs WHERE number > ? AND number <= ? AND watched ORDER BY number LIMIT ?
"""
_OBSERVED = """
    SELECT number, job_id, jobs.seen, ending, answered_at, looked_at, coalesce(transitions.raw, jobs.raw)
    FROM jobs LEFT JOIN transitions ON sequence = ending
"""
_NEWS = """
    SELECT number, job_id, jobs.seen, ending, answered_at, looked_at, coalesce(transitions.raw, jobs.raw)
    FROM transitions JOIN jobs ON number = job AND ending = sequence
    WHERE sequence > ? ORDER BY sequence
"""
_HISTORY = """
    SELECT sequence, job_id, observed_at, transitions.seen, status, progress, ended
    FROM transitions JOIN jobs ON number = job
    WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?
"""
_CHAIN = """
    WITH RECURSIVE chain (link) AS (
        SELECT latest FROM jobs WHERE job_id = ?
        UNION ALL SELECT previous FROM transitions JOIN chain ON sequence = link WHERE previous IS NOT NULL
    )
    SELECT sequence, job_id, observed_at, transitions.seen, status, progress, ended
    FROM chain JOIN transitions ON sequence = link JOIN jobs ON number = job
    ORDER BY observed_at, sequence
"""


class Archive:
    """The durable memory of watches, one SQLite file; a context manager.

    Opening creates the file where there is none (its folder must exist) and holds it open until ``close``.
    One archive may be used from several threads, one file by several processes at once.

    Parameters
    ----------
    path : str or path-like, optional
        The file. None keeps a private temporary database on the disk, gone at ``close`` and never shared.

    Raises
    ------
    NotAnArchiveError, ArchiveVersionError
        When the file is something else or written by a newer version; it is left as it was to the byte.
    ArchiveWriteError
        When the file cannot be created or written here.
    ArchiveError
        When the archive is damaged.
    ConfigError
        When ``path`` is no path.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._store: Store = WritableFile(None if path is None else location(path))

    @property
    def path(self) -> str | None:
        """The file's absolute path; None for a private temporary archive."""
        return self._store.path

    def close(self) -> None:
        """Close the file; idempotent. What was committed stays."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Archive {self.path or 'temporary'}>"

    def watch(self, job_ids: Iterable[str]) -> None:
        """Remember jobs as watched, in one durable transaction; idempotent.

        Raises
        ------
        ConfigError
            When an id is empty, no text, or holds a lone surrogate.
        ArchiveWriteError
            When it cannot be written; then none of the ids is remembered by this call.
        """
        ids = checked_ids(job_ids)
        with self._store.writing() as connection:
            connection.executemany(
                "INSERT INTO jobs (job_id, watched, seen) VALUES (?, 1, 'unseen')"
                " ON CONFLICT (job_id) DO UPDATE SET watched = 1 WHERE watched = 0",
                ((job_id,) for job_id in ids),
            )

    def watched(self) -> Iterator[str]:
        """Yield the watched ids in the order first added, page by page."""
        for _, job_id in self._pages(_WATCHED, _LAST_JOB):
            yield job_id

    def commit(self, entries: Sequence[Entry]) -> None:
        """Store a batch in one transaction, on the disk when this returns.

        The first final answer of a job wins for ever and nothing overwrites it. Before that the newest
        observation decides, by ``observed_at``: an ending without an answer keeps the answer there was, and a
        newer answer reopens the job. Every entry also becomes a transition, once: committing the same batch
        again changes nothing.

        Raises
        ------
        ArchiveWriteError
            When the disk is full, read-only or failing, or another process holds the file for a minute.
            Nothing of this batch is stored then, all before is safe, and the batch can be committed again.
        ConfigError
            When an entry contradicts itself; nothing is stored.
        """
        if not entries:
            return
        for entry in entries:
            check_entry(entry)
        with self._store.writing() as connection:
            store(connection, entries)

    def endings(self, job_ids: Iterable[str]) -> Iterator[Observation]:
        """Yield those of the jobs that have ended; ids it does not know are passed over.

        Raises
        ------
        ConfigError
            When an id is empty, no text, or holds a lone surrogate.
        """
        return self._of(iter(checked_ids(job_ids)), "AND ending IS NOT NULL")

    def observations_of(self, job_ids: Iterable[str]) -> Iterator[Observation]:
        """Yield the latest of those of the jobs that are watched or stored, ended or not, in no order.

        Raises
        ------
        ConfigError
            When an id is empty, no text, or holds a lone surrogate.
        """
        return self._of(iter(checked_ids(job_ids)), "")

    def _of(self, rest: Iterator[str], condition: str) -> Iterator[Observation]:
        while page := list(islice(rest, PAGE)):
            marks = ",".join("?" * len(page))
            sql = f"{_OBSERVED} WHERE job_id IN ({marks}) {condition}"
            yield from map(_observation, self._store.fetch(sql, page))

    def sequence(self) -> int:
        """Return the number of the newest transition, 0 where there is none: where ``news`` starts from."""
        newest: int = self._store.fetch(_LAST_TRANSITION)[0][0]
        return newest

    def news(self, since: int) -> tuple[int, list[Observation]]:
        """Return the endings committed after number ``since`` by any process, and the number to go on from.

        Costs microseconds when there is nothing new.
        """
        newest = self.sequence()
        if newest <= since:
            return since, []
        rows = self._store.fetch(_NEWS, (since,))
        return max([newest, *(row[3] for row in rows)]), [_observation(row) for row in rows]

    def observations(self) -> Iterator[Observation]:
        """Yield the latest of every job watched or stored, in the order first added.

        Streams page by page: a writer is never held up, and what it changes meanwhile may or may not show.
        """
        sql = f"{_OBSERVED} WHERE number > ? AND number <= ? ORDER BY number LIMIT ?"
        return map(_observation, self._pages(sql, _LAST_JOB))

    def transitions(self, job_id: str | None = None) -> Iterator[Transition]:
        """Yield the observed changes in the order of commits; those of one job in the order of their times.

        Two processes that watch the same job both contribute what they saw.
        """
        if job_id is None:
            return map(_transition, self._pages(_HISTORY, _LAST_TRANSITION))
        check_id(job_id)
        return map(_transition, self._store.fetch(_CHAIN, (job_id,)))

    def _pages(self, sql: str, last_sql: str) -> Iterator[tuple[Any, ...]]:
        # Up to what is there at the start: a busy writer could add rows faster than they are read.
        after, last = 0, self._store.fetch(last_sql)[0][0]
        while rows := self._store.fetch(sql, (after, last, PAGE)):
            yield from rows
            after = rows[-1][0]


class _Reader(Archive):
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._store = ReadOnlyFile(location(path))


def open_reader(path: str | os.PathLike[str]) -> Archive:
    """Open an archive for reading only, also while a watch writes it; close it after use.

    Modifies nothing of what is stored and creates no file, save SQLite's ``-shm`` where a killed writer's log
    was copied without it. ``watch`` and ``commit`` of what is returned raise ``ArchiveWriteError``.

    Raises
    ------
    ArchiveError
        When there is no such file, or it is damaged.
    NotAnArchiveError, ArchiveVersionError
        When it is something else or written by a newer version.
    """
    return _Reader(path)


def _observation(row: tuple[Any, ...]) -> Observation:
    _, job_id, seen, ending, answered_at, looked_at, raw = row
    return Observation(
        job_id=job_id,
        job=decode_record(raw) if raw else None,
        seen=Seen(seen),
        ended=ending is not None,
        observed_at=None if answered_at is None else from_microseconds(answered_at),
        looked_at=None if looked_at is None else from_microseconds(looked_at),
    )


def _transition(row: tuple[Any, ...]) -> Transition:
    _, job_id, observed_at, seen, status, progress, ended = row
    return Transition(
        job_id=job_id,
        observed_at=from_microseconds(observed_at),
        seen=Seen(seen),
        status=status,
        progress=progress,
        ended=bool(ended),
    )
