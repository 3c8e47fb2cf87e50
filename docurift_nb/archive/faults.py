"""SQLite's errors as ours: what failed, on which file, what to try. Holds no SQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from docurift_nb.errors import ArchiveError, ArchiveWriteError, NotAnArchiveError

BUSY_TIMEOUT_S = 60.0

_PRIMARY = 0xFF
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_REFUSED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN})

_WRITE_ADVICE = {
    sqlite3.SQLITE_FULL: "free some space on that disk, then call watch.resume()",
    sqlite3.SQLITE_IOERR: "check that disk (space, quota, connection), then call watch.resume()",
}
REFUSED_ADVICE = "make the file and its folder writable, or only read it with Results.from_archive(path)"


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another connection is in the way and trying again may help."""
    return _code(error) in _BUSY


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the file's content is what is wrong."""
    return _code(error) in _DAMAGED


@contextmanager
def translated(path: str | None, *, writing: bool) -> Iterator[None]:
    """Raise ours instead of SQLite's errors; the original is not kept.

    Raises
    ------
    ArchiveError
        When the file is damaged or cannot be read.
    ArchiveWriteError
        When ``writing`` and the disk or another process refuses.
    """
    try:
        yield
    except sqlite3.Error as error:
        fault = _fault(error, path or "a private temporary file", writing=writing)
    else:
        return
    raise fault


def closed(path: str | None) -> ArchiveError:
    """Return the error for a call on a closed archive."""
    return ArchiveError(what="the archive is closed", path=path or "", advice="open it again: Archive(path)")


def not_an_archive(path: str, got: str) -> NotAnArchiveError:
    """Return the error for a path that holds something else."""
    return NotAnArchiveError(path=path, expected="a docurift-nb archive or no file", got=got)


def refused(path: str, what: str, advice: str = REFUSED_ADVICE) -> ArchiveWriteError:
    """Return the error for a place that takes no writing."""
    return ArchiveWriteError(what=what, path=path, advice=advice)


def _fault(error: sqlite3.Error, path: str, *, writing: bool) -> ArchiveError:
    code, got = _code(error), str(error)
    if code in _DAMAGED:
        return ArchiveError(
            what="the archive is damaged or cut short",
            path=path,
            got=got,
            advice="restore a copy, save what is readable with 'sqlite3 FILE .recover', or give another path",
        )
    if not writing:
        advice = (
            "check the file and its folder; where a -wal file lies beside it, read a copy of both elsewhere"
        )
        return ArchiveError(what="the archive could not be read", path=path, got=got, advice=advice)
    if code in _REFUSED:
        return ArchiveWriteError(path=path, got=got, advice=REFUSED_ADVICE)
    if code in _BUSY:
        advice = f"close the program that has held the file for {BUSY_TIMEOUT_S:.0f} s, then watch.resume()"
        return ArchiveWriteError(path=path, got=got, advice=advice)
    return ArchiveWriteError(path=path, got=got, advice=_WRITE_ADVICE.get(code, "call watch.resume()"))


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY
