"""The thin object that holds what came back: reads it from anywhere, forwards to the tables.

It knows files and frames, no HTTP and no markup. Reading is tolerant: a record that cannot be read becomes
a row of ``problems``, never an exception.
"""

import codecs
import gzip
import io
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain, filterfalse
from pathlib import Path
from typing import IO, Any, Self, TypeAlias
from uuid import uuid4

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from docurift_nb import tables
from docurift_nb.archive import open_reader
from docurift_nb.errors import ConfigError, show
from docurift_nb.frames import (
    FIELDS_SCHEMA,
    JOBS_SCHEMA,
    PROBLEMS_SCHEMA,
    Records,
    read_raw,
    read_records,
    to_frame,
)
from docurift_nb.models import Job, Observation
from docurift_nb.tables.confidence import THRESHOLDS
from docurift_nb.tables.groups import By

Record: TypeAlias = bytes | str | Mapping[str, Any]
StrPath: TypeAlias = str | os.PathLike[str]

_SET = b"docurift_nb.set"
_BUFFER = 1 << 20
_ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, eq=False, repr=False)
class Results:
    """Jobs that were looked at, as frames and tables. A value: it never changes and watches nothing.

    Make one with ``from_jobs``, ``from_observations``, ``from_json``, ``from_archive`` or
    ``from_parquet``. Frames that it hands out are copies; changing one changes no table.
    """

    _jobs_table: pa.Table
    _problems_table: pa.Table
    _read_fields: Callable[[], pa.Table]

    @classmethod
    def from_jobs(cls, jobs: Iterable[Job]) -> Self:
        """Hold jobs; of several with one id the one that ``frames.jobs_frame`` describes.

        Raises
        ------
        ConfigError
            When an element is neither a job nor an observation.
        """
        return cls._from_records(read_records(jobs))

    @classmethod
    def from_observations(cls, observations: Iterable[Observation]) -> Self:
        """Hold what a watch saw, jobs never answered included.

        Raises
        ------
        ConfigError
            When an element is neither a job nor an observation.
        """
        return cls._from_records(read_records(observations))

    @classmethod
    def from_json(cls, path_or_lines: StrPath | Iterable[Record]) -> Self:
        """Read recorded answers, with or without the ``{"success", "data"}`` envelope.

        Parameters
        ----------
        path_or_lines : path, or iterable of str, bytes or mappings
            A file of one JSON record per line, or of one JSON array, or of one record; gzip, a byte order
            mark and UTF-16 are recognised. Or the lines or records themselves. Blank lines are skipped;
            records count from 0 in ``problems``.

        Raises
        ------
        ConfigError
            When there is no such file, or it cannot be read as a whole, or the argument is neither.
        """
        return cls._from_records(read_raw(_records(path_or_lines)))

    @classmethod
    def from_archive(cls, path: StrPath) -> Self:
        """Read an archive, also while a watch is writing it; the archive is not changed.

        Raises
        ------
        ArchiveError
            When the file is no archive, or one of a newer version.
        """
        with open_reader(path) as archive:
            return cls._from_records(read_records(archive.observations(), compact=True))

    @classmethod
    def from_parquet(cls, path: StrPath) -> Self:
        """Read a directory that ``to_parquet`` wrote; fields are read from it when they are asked for.

        Raises
        ------
        ConfigError
            When there is no such directory, or its files do not belong together.
        """
        folder = Path(path)
        written = {_set_of(folder / name) for name in _FILES}
        if len(written) != 1:
            raise ConfigError(
                what=f"the files in {show(str(folder))} do not belong together",
                expected="files of one call of to_parquet",
                got=f"files of {len(written)}",
                advice="to_parquet again: the last one did not finish",
            )
        reading = _FieldsFile(folder, written.pop())
        jobs, problems = (_read_table(folder / name) for name in ("jobs.parquet", "problems.parquet"))
        return cls(jobs, problems, reading)

    @classmethod
    def _from_records(cls, records: Records) -> Self:
        return cls(records.jobs, records.problems, records.fields)

    @cached_property
    def _jobs(self) -> pd.DataFrame:
        return to_frame(self._jobs_table)

    @cached_property
    def _fields_table(self) -> pa.Table:
        return self._read_fields()

    @cached_property
    def _fields(self) -> pd.DataFrame:
        return to_frame(self._fields_table)

    @cached_property
    def _problems(self) -> pd.DataFrame:
        return to_frame(self._problems_table)

    @property
    def jobs(self) -> pd.DataFrame:
        """One row per job, as ``frames.jobs_frame`` describes; a copy."""
        return self._jobs.copy()

    @property
    def fields(self) -> pd.DataFrame:
        """One row per job and field, as ``frames.fields_frame`` describes; a copy. Built at first use."""
        return self._fields.copy()

    @property
    def problems(self) -> pd.DataFrame:
        """One row per breach of the contract, as ``frames.problems_frame`` describes; a copy."""
        return self._problems.copy()

    def overview(self, *, by: By = None) -> pd.DataFrame:
        """Count jobs by outcome; see ``tables.overview``."""
        return tables.overview(self._jobs, self._problems, by=by)

    def failures(
        self, *, by: By = ("error_code", "error_step"), confidence_level: float = 0.95
    ) -> pd.DataFrame:
        """List the kinds of failure, most frequent first; see ``tables.failures``."""
        return tables.failures(self._jobs, by=by, confidence_level=confidence_level)

    def failure_rates(self, *, by: By = "document_type", confidence_level: float = 0.95) -> pd.DataFrame:
        """Give failure rates among jobs that ended; see ``tables.failure_rates``."""
        return tables.failure_rates(self._jobs, by=by, confidence_level=confidence_level)

    def confidence(
        self, *, by: By = "document_type", thresholds: Sequence[float] = THRESHOLDS
    ) -> pd.DataFrame:
        """Describe the scores of completed jobs; see ``tables.confidence``."""
        return tables.confidence(self._jobs, by=by, thresholds=thresholds)

    def durations(
        self, *, by: By = "document_type", now: datetime | None = None, confidence_level: float = 0.95
    ) -> pd.DataFrame:
        """Estimate times to the end, open jobs counted as censored; see ``tables.durations``."""
        return tables.durations(self._jobs, by=by, now=now, confidence_level=confidence_level)

    def to_parquet(self, path: StrPath) -> None:
        """Write ``jobs.parquet``, ``fields.parquet`` and ``problems.parquet`` into the directory ``path``.

        The directory is made where it is missing; other files in it stay. Each file is replaced as a
        whole, and all three bear one mark, so that files of two calls are never read as one.

        Raises
        ------
        ConfigError
            When it cannot be written there.
        """
        contents = dict(
            zip(_FILES, (self._jobs_table, self._fields_table, self._problems_table), strict=True)
        )
        mark = {_SET: uuid4().hex.encode()}
        folder = Path(path)
        drafts = {folder / name: _draft_of(folder / name) for name in contents}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, table in contents.items():
                pq.write_table(table.replace_schema_metadata(mark), drafts[folder / name], compression="zstd")
            for target, draft in drafts.items():
                draft.replace(target)
        except OSError as error:
            raise _cannot_write(folder, error) from None
        finally:
            for draft in drafts.values():
                _discard(draft)

    def to_csv(self, path: StrPath) -> None:
        """Write the jobs frame as UTF-8 CSV; the file is replaced as a whole.

        A text that a spreadsheet would take for a formula gets a leading apostrophe; times are ISO 8601.

        Raises
        ------
        ConfigError
            When it cannot be written there.
        """
        target = Path(path)
        draft = _draft_of(target)
        try:
            # Both characters of the line end are quoted inside a cell; a bare one would start a new row, and
            # with it a cell that nothing neutralised.
            _neutralised(self.jobs).to_csv(draft, index=False, date_format=_ISO, lineterminator="\r\n")
            draft.replace(target)
        except OSError as error:
            raise _cannot_write(target, error) from None
        finally:
            _discard(draft)

    def __len__(self) -> int:
        return int(self._jobs_table.num_rows)

    def __repr__(self) -> str:
        row = tables.overview(self._jobs).iloc[0]
        lost = f", {row['n_lost']:,} lost" if row["n_lost"] else ""
        return (
            f"<Results: {row['n']:,} jobs, {row['n_completed']:,} completed, {row['n_failed']:,} failed,"
            f" {row['n_open']:,} open{lost}, {self._problems_table.num_rows:,} problems>"
        )


_FILES = ("jobs.parquet", "fields.parquet", "problems.parquet")
_SCHEMAS = dict(zip(_FILES, (JOBS_SCHEMA, FIELDS_SCHEMA, PROBLEMS_SCHEMA), strict=True))


@dataclass(frozen=True)
class _FieldsFile:
    folder: Path
    written: bytes

    def __call__(self) -> pa.Table:
        path = self.folder / "fields.parquet"
        if _set_of(path) != self.written:
            raise ConfigError(
                what=f"{show(str(path))} was replaced since its jobs were read",
                advice="Results.from_parquet again",
            )
        return _read_table(path)


def _set_of(path: Path) -> bytes:
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise _not_ours(path, str(error)) from None
    return bytes(metadata.get(_SET, b""))


def _read_table(path: Path) -> pa.Table:
    schema = _SCHEMAS[path.name]
    try:
        return pq.ParquetFile(path).read(columns=schema.names).select(schema.names).cast(schema)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise _not_ours(path, str(error)) from None


def _not_ours(path: Path, got: str) -> ConfigError:
    return ConfigError(
        what=f"{show(str(path))} cannot be read",
        expected="a directory with " + ", ".join(_FILES),
        got=got,
        advice="the path given to to_parquet",
    )


def _draft_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.{uuid4().hex}.tmp")


def _discard(draft: Path) -> None:
    # Whatever kept it from being written may also keep it from being removed.
    with suppress(OSError):
        draft.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        what=f"{show(str(path))} cannot be written",
        expected="a writable place",
        got=str(error),
        advice="another path",
    )


def _neutralised(frame: pd.DataFrame) -> pd.DataFrame:
    for name in (column.name for column in JOBS_SCHEMA if column.type == pa.string()):
        is_formula = frame[name].str.startswith(_FORMULA_STARTS).fillna(value=False)
        frame[name] = frame[name].mask(is_formula, "'" + frame[name])
    return frame


def _records(given: object) -> Iterator[Record]:
    if isinstance(given, (str, os.PathLike)):
        return _file_records(given)
    if isinstance(given, (bytes, bytearray, Mapping)) or not isinstance(given, Iterable):
        raise ConfigError(
            what="from_json cannot read its argument",
            expected="a path, or an iterable of lines or mappings",
            got=type(given).__name__,
            advice="[record] for one record, text.splitlines() for text in memory",
        )
    return _line_records(given)


def _line_records(given: Iterable[object]) -> Iterator[Record]:
    lines = iter(given)
    for first in lines:
        lines = chain([_without_mark(first)], lines)
        break
    for line in lines:
        if isinstance(line, Mapping):
            yield line
        elif isinstance(line, (bytes, str)):
            if line and not line.isspace():
                yield line
        else:
            yield _odd_record(line)


def _without_mark(first: object) -> object:
    if isinstance(first, str):
        return first.removeprefix("\ufeff")
    return first.removeprefix(codecs.BOM_UTF8) if isinstance(first, bytes) else first


def _odd_record(given: object) -> bytes:
    if isinstance(given, (Job, Observation)):
        raise ConfigError(
            what="from_json cannot read its argument",
            expected="JSON lines or mappings",
            got=f"a {type(given).__name__}",
            advice="Results.from_jobs or Results.from_observations",
        )
    # Its text is no JSON object, so it is listed as an unreadable record.
    return bytes(given) if isinstance(given, (bytearray, memoryview)) else show(given).encode()


def _file_records(path: StrPath) -> Iterator[Record]:
    try:
        with io.BufferedReader(io.FileIO(path), _BUFFER) as file:
            packed = file.peek(2)[:2] == b"\x1f\x8b"
            plain: Any = gzip.GzipFile(fileobj=file) if packed else file
            yield from _stream_records(plain)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        looks_json = isinstance(path, str) and path.lstrip()[:1] in {"{", "["}
        raise ConfigError(
            what="from_json cannot read the file " + show(os.fspath(path)),
            expected="an existing file of JSON",
            got=str(error),
            advice="text.splitlines() for text in memory" if looks_json else "another path",
        ) from None


def _stream_records(file: IO[bytes]) -> Iterator[Record]:
    first = next((line for line in file if not line.isspace()), b"")
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        file = io.BytesIO((first + file.read()).decode("utf-16", "replace").encode("utf-8", "surrogatepass"))
        first = next((line for line in file if not line.isspace()), b"")
    first = first.removeprefix(codecs.BOM_UTF8)
    if _is_record(first):
        yield first
        yield from filterfalse(bytes.isspace, file)
        return
    text = first + file.read()
    whole = _whole(text)
    yield from (line for line in text.splitlines() if line and not line.isspace()) if whole is None else whole


def _is_record(line: bytes) -> bool:
    try:
        return line.lstrip()[:1] != b"[" and bool(msgspec.json.decode(line, type=msgspec.Raw))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _whole(text: bytes) -> Sequence[Record] | None:
    """Return the records of a file that is one JSON value, None where it is not."""
    try:
        return [bytes(record) for record in msgspec.json.decode(text, type=list[msgspec.Raw])]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, list):
        return [text]
    return [record if isinstance(record, Mapping) else _odd_record(record) for record in parsed]
