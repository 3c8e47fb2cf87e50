"""Opening archive files to write: identify first, touch afterwards; then one connection behind one lock.

Knows the schema and the pragmas, not what the rows mean.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from docurift_nb.archive.faults import (
    BUSY_TIMEOUT_S,
    closed,
    is_busy,
    is_damage,
    not_an_archive,
    refused,
    translated,
)
from docurift_nb.errors import ArchiveVersionError, ConfigError, show

APPLICATION_ID = 0x44724E62
VERSION = 1

# FULL: committed means on the disk, power cut or not; batches make up for the cost. The log may grow to 16 MB
# before it is worked in, so that a page changed by many commits is moved once.
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000", "cache_size = -32000")

Rows = list[tuple[Any, ...]]

# Transitions are only ever appended, so a commit fills whole pages instead of touching many; `previous`
# chains those of one job, which spares an index. A final answer lies with the transition that brought it, the
# latest open answer with its job, where the next one replaces it.
_SCHEMA = f"""
BEGIN IMMEDIATE;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    watched INTEGER NOT NULL,
    seen TEXT NOT NULL,
    answered_at INTEGER,
    looked_at INTEGER,
    ending INTEGER,
    latest INTEGER,
    changed_at INTEGER,
    raw BLOB
);
CREATE TABLE transitions (
    sequence INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    previous INTEGER,
    observed_at INTEGER NOT NULL,
    seen TEXT NOT NULL,
    status TEXT,
    progress REAL,
    ended INTEGER NOT NULL,
    raw BLOB
);
COMMIT;
"""


class Store(Protocol):
    """What an archive needs of the file below it."""

    path: str | None

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """Run one reading statement and return all its rows; no read transaction stays open."""
        ...

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Hold the write lock for a block: committed at its end, rolled back when it raises."""
        ...

    def close(self) -> None:
        """Close the file; idempotent."""
        ...


def location(path: str | os.PathLike[str]) -> str:
    """Return the absolute path behind links, the name under which SQLite keeps a file's companions."""
    try:
        given: object = os.fspath(path)
        if isinstance(given, str) and given:
            return os.path.realpath(given)
    except (TypeError, ValueError):
        pass
    raise ConfigError(what="the archive's path cannot be used", expected="a file path", got=show(path))


def connect(path: str, options: str) -> sqlite3.Connection:
    """Open a database file without transactions begun behind one's back; the caller closes it."""
    return sqlite3.connect(
        f"{Path(path).as_uri()}?{options}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )


def is_archive(path: str) -> bool:
    """Tell an archive from a place where one can be made; nothing is created or modified.

    Raises
    ------
    NotAnArchiveError, ArchiveVersionError
        When something else, or something newer, is there.
    """
    if not os.path.lexists(path) or (Path(path).is_file() and Path(path).stat().st_size == 0):
        return False
    if not Path(path).is_file():
        raise not_an_archive(path, "a folder" if Path(path).is_dir() else "no regular file")
    # `immutable` takes no locks and makes no companion files. Reading the header with open() instead would,
    # on close, drop the locks of any other connection this process has to the same file.
    with translated(path, writing=False):
        connection = connect(path, "mode=ro&immutable=1")
        try:
            application_id, version = _marks(connection)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise not_an_archive(path, "no SQLite database") from None
            raise
        finally:
            connection.close()
    if application_id != APPLICATION_ID:
        raise not_an_archive(path, "another program's SQLite database")
    _check_version(path, version)
    return True


def _marks(connection: sqlite3.Connection) -> tuple[int, int]:
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    return application_id, connection.execute("PRAGMA user_version").fetchone()[0]


def _check_version(path: str, version: int) -> None:
    if version > VERSION:
        raise ArchiveVersionError(path=path, expected=f"version {VERSION} or older", got=f"version {version}")


class WritableFile:
    """An archive file, or a private temporary one, open for reading and writing."""

    def __init__(self, path: str | None) -> None:
        """Open ``path``, creating the archive where no file is; None for a temporary one."""
        self.path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        if path is None:
            self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            self._connection.executescript(_SCHEMA)
            return
        is_archive(path)
        _check_writable(path)
        with translated(path, writing=True):
            self._connection = _opened(path)
        self._identity = _identity(path)

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """Run one reading statement and return all its rows."""
        with self._lock, translated(self.path, writing=False):
            return self._open_connection().execute(sql, parameters).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock for a block: committed at its end, rolled back when it raises."""
        with self._lock, translated(self.path, writing=True):
            connection = self._open_connection()
            self._check_identity()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        """Bring everything into the one file and close it; idempotent."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            with translated(self.path, writing=True):
                _settle(connection)

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise closed(self.path)
        return self._connection

    def _check_identity(self) -> None:
        # SQLite would go on committing into a file that has no name any more, and all of it would be lost.
        if self.path is not None and _identity(self.path) != self._identity:
            raise refused(
                self.path,
                "the archive file was removed or replaced while in use",
                "put the file back, or start a new watch with a new archive",
            )


def _settle(connection: sqlite3.Connection) -> None:
    # A reader in another process keeps SQLite from settling on its own, and a user who then copies the one
    # file would leave the newest answers behind in its -wal. Where it fails nothing is lost: the next to open
    # the file does it.
    try:
        connection.execute("PRAGMA busy_timeout = 1000")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError:
        pass
    finally:
        connection.close()


def _identity(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116  # called at each commit: half the cost of Path.stat
    except OSError:
        return (0, 0)
    return found.st_dev, found.st_ino


def _check_writable(path: str) -> None:
    file, folder = Path(path), Path(path).parent
    if not folder.is_dir():
        advice = f"create {folder} first, or give another path"
        raise refused(path, "the archive cannot be made: its folder does not exist", advice)
    effective = os.access in os.supports_effective_ids
    for place in (folder, file) if file.exists() else (folder,):
        if not os.access(place, os.W_OK, effective_ids=effective):
            kind = "folder" if place is folder else "file"
            raise refused(path, f"the archive cannot be written: its {kind} is read-only")


def _opened(path: str) -> sqlite3.Connection:
    # Creating and switching to WAL take locks for which SQLite does not always wait when two processes open
    # one new file, so the whole opening is repeated.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            return _opened_once(path)
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.005)


def _opened_once(path: str) -> sqlite3.Connection:
    connection = connect(path, "mode=rwc")
    try:
        _create(connection)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        _check_version(path, _marks(connection)[1])
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection) -> None:
    # The marks are written before the switch to WAL, so that they are in the file itself and can be read
    # without its companions.
    if _marks(connection)[0] == APPLICATION_ID:
        return
    connection.execute("PRAGMA synchronous = FULL")
    begin, *statements = (part for part in _SCHEMA.split(";") if part.strip())
    connection.execute(begin)
    if _marks(connection)[0] == APPLICATION_ID:
        connection.execute("ROLLBACK")
        return
    for statement in statements:
        connection.execute(statement)
