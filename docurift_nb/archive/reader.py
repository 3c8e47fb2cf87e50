"""Reading an archive that somebody else may be writing, without leaving a trace."""

import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from docurift_nb.archive.faults import closed, refused, translated
from docurift_nb.archive.file import Rows, connect, is_archive
from docurift_nb.errors import ArchiveError


class _Stamp(NamedTuple):
    has_log: bool
    inode: int
    size: int
    modified_ns: int


class ReadOnlyFile:
    """An archive file open for reading only; it modifies nothing of what is stored, and leaves no trace.

    A writer's log (``-wal``) is read through SQLite's own locks. Where there is no log nobody writes, and
    SQLite would nevertheless leave companion files behind; the file is then read as immutable, and a reading
    counts only when the file was the same before and after.
    """

    def __init__(self, path: str) -> None:
        """Open an archive that exists."""
        self.path: str | None = path
        self._file = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._stamp: _Stamp | None = None
        self._closed = False
        if not is_archive(path):
            raise ArchiveError(what="there is no archive to read", path=path, advice="check the path")

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """Run one reading statement and return all its rows."""
        with self._lock, translated(self.path, writing=False):
            if self._closed:
                raise closed(self.path)
            rows = None
            while rows is None:
                rows = self._attempt(sql, parameters)
            return rows

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Refuse: this file is open for reading."""
        raise refused(self._file, "the archive was opened for reading only", "open it with Archive(path)")

    def close(self) -> None:
        """Close the file; idempotent."""
        with self._lock:
            self._closed = True
            self._drop()

    def _attempt(self, sql: str, parameters: Sequence[object]) -> Rows | None:
        stamp = self._look()
        connection = self._connected(stamp)
        try:
            rows = connection.execute(sql, parameters).fetchall()
        except sqlite3.DatabaseError:
            if stamp.has_log or self._look() == stamp:
                raise
            return None
        return rows if stamp.has_log or self._look() == stamp else None

    def _look(self) -> _Stamp:
        # Once the log was met the connection holds a lock that keeps it, so it stays the way to read.
        if self._stamp is not None and self._stamp.has_log:
            return self._stamp
        try:
            found = os.stat(self._file)  # noqa: PTH116  # twice per reading: half the cost of Path.stat
        except OSError as error:
            raise ArchiveError(path=self._file, got=str(error.strerror)) from None
        return _Stamp(_has_log(self._file), found.st_ino, found.st_size, found.st_mtime_ns)

    def _connected(self, stamp: _Stamp) -> sqlite3.Connection:
        if self._connection is None or stamp != self._stamp:
            self._drop()
            self._connection = connect(self._file, "mode=ro" + ("" if stamp.has_log else "&immutable=1"))
            self._stamp = stamp
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _has_log(path: str) -> bool:
    try:
        return os.stat(path + "-wal").st_size > 0  # noqa: PTH116  # twice per reading: half the cost of Path.stat
    except OSError:
        return False
