"""Jobs to tidy frames: one row per job, per job and field, per breach of the contract.

Records are read once, in chunks, column by column, into Arrow tables; pandas frames come from those. The
Arrow schemas here are also the Parquet schemas, so a frame has the same columns and types whichever way it
came. Nothing here opens a file, knows HTTP, or computes a statistic.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from docurift_nb.errors import ConfigError, shorten
from docurift_nb.models import FINAL_STATUSES, Failure, Job, Observation, decode_record
from docurift_nb.models.job import as_score, is_scored
from docurift_nb.models.wire import collector_paused

Source: TypeAlias = Job | bytes | None
_T = TypeVar("_T")

_TIME = pa.timestamp("us", tz="UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A chunk of records is small enough for its values to stay in the processor's cache until the columns have
# what they need of it; a batch is large enough for the cost of making Arrow arrays not to show.
_CHUNK = 32
_BATCH = 4096
_NEVER = np.iinfo(np.int64).min

JOBS_SCHEMA = pa.schema(
    [
        ("job_id", pa.string()),
        ("status", pa.string()),
        ("document_type", pa.string()),
        ("document_id", pa.string()),
        ("progress", pa.float64()),
        ("confidence", pa.float64()),
        ("created_at", _TIME),
        ("updated_at", _TIME),
        ("completed_at", _TIME),
        ("failed_at", _TIME),
        ("ended_at", _TIME),
        ("duration_s", pa.float64()),
        ("error_code", pa.string()),
        ("error_message", pa.string()),
        ("error_step", pa.string()),
        ("retryable", pa.bool_()),
        ("n_fields", pa.int64()),
        ("is_open", pa.bool_()),
        ("observed_at", _TIME),
        ("observation", pa.string()),
    ]
)
FIELDS_SCHEMA = pa.schema(
    [
        ("job_id", pa.string()),
        ("document_id", pa.string()),
        ("document_type", pa.string()),
        ("field", pa.string()),
        ("value", pa.string()),
        ("value_type", pa.string()),
        ("confidence", pa.float64()),
        ("is_empty", pa.bool_()),
    ]
)
PROBLEMS_SCHEMA = pa.schema(
    [
        ("job_id", pa.string()),
        ("record", pa.int64()),
        ("code", pa.string()),
        ("where", pa.string()),
        ("detail", pa.string()),
    ]
)
_PANDAS_TYPES = {
    pa.string(): pd.StringDtype("pyarrow"),
    pa.float64(): pd.Float64Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def jobs_frame(records: Iterable[Job | Observation]) -> pd.DataFrame:
    """Lay out jobs, or what was observed of them, as one row per job id.

    Of several records with one id, a final one beats an open one, an open one beats none; then the later
    ``updated_at`` wins, then the later in order. Records without an id have no row; ``problems_frame``
    lists both. Rows stand in the order of the records they show.

    ``is_open`` is True while the end is still to come: the status is not ``completed`` or ``failed`` and
    looking has not ended. It is True for an unseen job, and False for one whose looking ended as
    ``not_found``, ``denied`` or ``expired``: that one is neither open nor known to have ended. Its
    ``status`` is the last word heard, missing where there never was one. ``observed_at`` and ``observation``
    (a word of ``Seen``) are missing for plain jobs.

    Returns
    -------
    pandas.DataFrame
        The columns of ``JOBS_SCHEMA``: text as ``string``, times as ``datetime64[us, UTC]``, numbers as
        ``Float64`` or ``Int64``, flags as ``boolean``; seconds in ``duration_s``.

    Raises
    ------
    ConfigError
        When an element is neither a job nor an observation.
    """
    return to_frame(read_records(records).jobs)


def fields_frame(records: Iterable[Job | Observation]) -> pd.DataFrame:
    """Lay out extracted fields as one row per job and field, for the jobs that ``jobs_frame`` shows.

    Returns
    -------
    pandas.DataFrame
        ``value`` holds text as it came, other JSON as compact JSON text, and is missing for ``null``;
        ``value_type`` is the JSON type; ``is_empty`` tells ``null``, blank text, ``[]`` and ``{}``.

    Raises
    ------
    ConfigError
        When an element is neither a job nor an observation.
    """
    return to_frame(read_records(records).fields())


def problems_frame(records: Iterable[Job | Observation]) -> pd.DataFrame:
    """Lay out what breaks the contract, one row per breach, in the order of the records.

    A record that lost against another of its id shows no breaches of its own, only ``duplicate_record``, or
    ``conflicting_record`` where the two differ and the lost one is not simply an earlier state: it is final
    too, or open with an ``updated_at`` not before that of the kept one.

    Returns
    -------
    pandas.DataFrame
        ``job_id`` (missing where the record has none), ``record`` (index of the record in the input, from
        0), ``code``, ``where`` (wire path), ``detail`` (may hold text from the API: untrusted).

    Raises
    ------
    ConfigError
        When an element is neither a job nor an observation.
    """
    return to_frame(read_records(records).problems)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table of one of the schemas here as a frame with nullable dtypes."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_PANDAS_TYPES.get)
    return frame


@dataclass(frozen=True, eq=False, repr=False)
class Records:
    """Records that were read: one row per job id, and what is wrong with them.

    Attributes
    ----------
    jobs, problems : pyarrow.Table
        Of ``JOBS_SCHEMA`` and ``PROBLEMS_SCHEMA``.
    sources : sequence of Job, bytes or None
        What each row of ``jobs`` came from, for reading its fields later.
    """

    jobs: pa.Table
    problems: pa.Table
    sources: Sequence[Source] = field(default=())

    def fields(self) -> pa.Table:
        """Read the fields of all jobs into a table of ``FIELDS_SCHEMA``; linear in their number."""
        batches = []
        with collector_paused():
            for start in range(0, len(self.sources), _BATCH):
                jobs = [_job_of(source) for source in self.sources[start : start + _BATCH]]
                batches.append(_field_batch(self.jobs.slice(start, _BATCH), jobs))
        return pa.Table.from_batches(batches, FIELDS_SCHEMA)


def read_records(records: Iterable[Job | Observation], *, compact: bool = False) -> Records:
    """Read jobs or observations, in chunks, so that an iterator need never be held as a whole.

    Parameters
    ----------
    compact : bool
        Keep the raw JSON of a record instead of its values, at a fifth of the memory. Only for jobs that
        were decoded from that JSON.

    Raises
    ------
    ConfigError
        When an element is neither a job nor an observation.
    """
    reading = _Reading(compact)
    with collector_paused():
        for chunk in _chunks(records):
            reading.add(chunk)
        return reading.finish()


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


class _Reading:
    """What has been read so far; lives inside one call of ``read_records``."""

    def __init__(self, compact: bool) -> None:  # noqa: FBT001  # private, one caller
        self._compact = compact
        self._n = 0
        self._columns: dict[str, list[Any]] = {name: [] for name in _READ_NAMES}
        self._batches: list[pa.RecordBatch] = []
        self._sources: list[Source] = []
        self._positions: list[int] = []
        self._problems: list[tuple[str | None, int, str, str, str]] = []

    def add(self, chunk: Sequence[Job | Observation]) -> None:
        looks = _looks(chunk, self._n)
        answers: list[Job | None] = [x.job if isinstance(x, Observation) else x for x in chunk]
        ids = [x.job_id for x in chunk]
        self._note(ids, answers)
        positions: Sequence[int] = range(self._n, self._n + len(chunk))
        self._n += len(chunk)
        if not all(ids):
            rows = [row for row, job_id in enumerate(ids) if job_id]
            ids, answers = _at(ids, rows), _at(answers, rows)
            positions, looks = _at(positions, rows), _at(looks, rows)
        self._positions += positions
        self._sources += [_compacted(job) for job in answers] if self._compact else answers
        self._extend(ids, [job or _NO_ANSWER for job in answers], looks)

    def _extend(self, ids: list[str], jobs: list[Job], looks: list[Observation | None]) -> None:
        columns = self._columns
        columns["job_id"] += ids
        columns["look"] += looks
        for name, get in _ATTRIBUTES.items():
            columns[name].extend(map(get, jobs))
        columns["n_fields"] += [
            None if (names := job.extracted_fields) is None else len(names) for job in jobs
        ]
        if len(columns["job_id"]) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._batches.append(_job_batch(self._columns))
        self._columns = {name: [] for name in _READ_NAMES}

    def _note(self, ids: Sequence[str], answers: Sequence[Job | None]) -> None:
        self._problems += [
            (ids[row] or None, self._n + row, problem.code, problem.where, problem.detail)
            for row, job in enumerate(answers)
            if job is not None and job.problems
            for problem in job.problems
        ]

    def finish(self) -> Records:
        self._flush()
        jobs = _with_ends(pa.Table.from_batches(self._batches, _READ_SCHEMA))
        winners = _winners(jobs)
        if winners is None:
            return Records(jobs, _problem_table(self._problems), self._sources)
        stays = winners == np.arange(len(winners))
        lost = {self._positions[row] for row in np.flatnonzero(~stays)}
        problems = [problem for problem in self._problems if problem[1] not in lost]
        problems += self._losers(jobs, winners)
        problems.sort(key=lambda problem: problem[1])
        sources = [source for source, stay in zip(self._sources, stays, strict=True) if stay]
        return Records(jobs.filter(pa.array(stays)), _problem_table(problems), sources)

    def _losers(self, jobs: pa.Table, winners: np.ndarray) -> Iterator[tuple[str, int, str, str, str]]:
        losing = np.flatnonzero(winners != np.arange(len(winners)))
        ids = jobs["job_id"].take(pa.array(losing)).to_pylist()
        for row, job_id in zip(losing.tolist(), ids, strict=True):
            winner = int(winners[row])
            code, what = _verdict(_job_of(self._sources[row]), _job_of(self._sources[winner]))
            detail = (
                f"expected one record per job, record {self._positions[winner]} was kept; this one {what}"
            )
            yield job_id, self._positions[row], code, "id", detail


_ATTRIBUTES: dict[str, Callable[[Job], Any]] = {
    name: attrgetter(name)
    for name in (
        *("status", "document_type", "document_id", "progress", "confidence", "failure"),
        *("created_at", "updated_at", "completed_at", "failed_at"),
    )
}
_READ_NAMES = ("job_id", "look", "n_fields", *_ATTRIBUTES)
_NO_ANSWER = Job(job_id="", status="")
_READ_SCHEMA = pa.schema([column for column in JOBS_SCHEMA if column.name not in {"ended_at", "duration_s"}])


def _looks(chunk: Sequence[Job | Observation], start: int) -> list[Observation | None]:
    kinds = set(map(type, chunk))
    if kinds == {Job}:
        return [None] * len(chunk)
    for row, record in enumerate(chunk):
        if not isinstance(record, (Job, Observation)):
            raise ConfigError(
                what=f"element {start + row} cannot be laid out as a job",
                expected="a Job or an Observation",
                got=type(record).__name__,
                advice="Results.from_json for raw records",
            )
    return [record if isinstance(record, Observation) else None for record in chunk]


def _at(items: Sequence[_T], rows: Sequence[int]) -> list[_T]:
    return [items[row] for row in rows]


def _compacted(job: Job | None) -> Source:
    return (job.raw or job) if job is not None else None


def _job_of(source: Source) -> Job | None:
    return decode_record(source) if isinstance(source, bytes) else source


def _job_batch(read: dict[str, list[Any]]) -> pa.RecordBatch:
    columns = [
        _texts(read["job_id"]),
        _texts([status or None for status in read["status"]]),
        *(_texts(read[name]) for name in ("document_type", "document_id")),
        *(_floats(read[name]) for name in ("progress", "confidence")),
        *(_times(read[name]) for name in ("created_at", "updated_at", "completed_at", "failed_at")),
        *_failure_columns(read["failure"]),
        pa.array(read["n_fields"], pa.int64()),
        *_look_columns([status not in FINAL_STATUSES for status in read["status"]], read["look"]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_READ_SCHEMA)


def _failure_columns(failures: list[Failure | None]) -> list[pa.Array]:
    if not any(failures):
        return [pa.nulls(len(failures), kind) for kind in (*[pa.string()] * 3, pa.bool_())]
    given = [failure or _NO_FAILURE for failure in failures]
    return [
        _texts([failure.code for failure in given]),
        _texts([failure.message for failure in given]),
        _texts([failure.step for failure in given]),
        pa.array([failure.retryable for failure in given], pa.bool_()),
    ]


_NO_FAILURE = Failure()


def _look_columns(unfinished: list[bool], looks: list[Observation | None]) -> list[pa.Array]:
    if not any(looks):
        n = len(unfinished)
        return [pa.array(unfinished, pa.bool_()), pa.nulls(n, _TIME), pa.nulls(n, pa.string())]
    is_open = [
        to_come and not (look is not None and look.ended)
        for to_come, look in zip(unfinished, looks, strict=True)
    ]
    return [
        pa.array(is_open, pa.bool_()),
        _times([look.observed_at if look else None for look in looks]),
        _texts([str(look.seen) if look else None for look in looks]),
    ]


def _texts(values: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        # Lone surrogates have no UTF-8; one such text must not cost the whole chunk.
        scrubbed = [value and value.encode("utf-8", "replace").decode("utf-8") for value in values]
        return pa.array(scrubbed, pa.string())


def _floats(values: Sequence[float | None]) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _times(values: Sequence[datetime | None]) -> pa.Array:
    # Arrow asks each aware time for its offset, at four times the cost of this subtraction.
    try:
        since = [None if value is None else value - _EPOCH for value in values]
    except TypeError:
        return pa.array(values, _TIME)
    return pa.array(since, pa.duration("us")).view(_TIME)


def _with_ends(read: pa.Table) -> pa.Table:
    # A null condition gives null, so an open job has no end whatever times its record holds.
    completed, failed = pc.equal(read["status"], "completed"), pc.equal(read["status"], "failed")
    ended = pc.if_else(completed, read["completed_at"], pc.if_else(failed, read["failed_at"], None))
    elapsed = pc.subtract(ended.cast(pa.int64()), read["created_at"].cast(pa.int64()))
    duration = pc.divide(pc.cast(elapsed, pa.float64(), safe=False), 1e6)
    at = JOBS_SCHEMA.get_field_index("ended_at")
    return read.add_column(at, "ended_at", ended).add_column(at + 1, "duration_s", duration)


def _winners(jobs: pa.Table) -> np.ndarray | None:
    """Return for each row the row that stands for its job id; None where no id is repeated."""
    if pc.count_distinct(jobs["job_id"]).as_py() == jobs.num_rows:
        return None
    ids = pd.factorize(jobs["job_id"].to_pandas())[0]
    final = pc.is_in(jobs["status"], pa.array(sorted(FINAL_STATUSES)))
    rank = pc.is_valid(jobs["status"]).to_numpy().astype(int) + final.to_numpy().astype(int)
    updated = pc.fill_null(jobs["updated_at"].cast(pa.int64()), _NEVER).to_numpy()
    order = np.lexsort((np.arange(len(ids)), updated, rank, ids))
    best = np.empty(ids.max() + 1, dtype=np.int64)
    best[ids[order]] = order
    return best[ids]


def _verdict(lost: Job | None, kept: Job | None) -> tuple[str, str]:
    if lost is None or kept is None or _content(lost) == _content(kept):
        return "duplicate_record", "says nothing else"
    if not lost.is_final and _is_older(lost, kept):
        return "duplicate_record", f"is an earlier state, {shorten(lost.status)}"
    return "conflicting_record", f"differs, {shorten(lost.status)} updated at {lost.updated_at}"


def _is_older(lost: Job, kept: Job) -> bool:
    return lost.updated_at is None or kept.updated_at is None or lost.updated_at < kept.updated_at


def _content(job: Job) -> Job:
    return msgspec.structs.replace(job, raw=b"", problems=())


def _problem_table(problems: Sequence[tuple[str | None, int, str, str, str]]) -> pa.Table:
    columns: Sequence[Sequence[Any]] = list(zip(*problems, strict=True)) or [()] * 5
    ids, records, codes, places, details = columns
    arrays = [_texts(ids), pa.array(records, pa.int64()), _texts(codes), _texts(places), _texts(details)]
    return pa.Table.from_arrays(arrays, schema=PROBLEMS_SCHEMA)


def _field_batch(rows: pa.Table, jobs: Sequence[Job | None]) -> pa.RecordBatch:
    found = [(job.extracted_fields if job is not None else None) or {} for job in jobs]
    repeats = pa.array(np.repeat(np.arange(len(found)), [len(fields) for fields in found]))
    rows = rows.select(["job_id", "document_id", "document_type"]).combine_chunks()
    values: list[Any] = [value for fields in found for value in fields.values()]
    scores: list[float | None] = [None] * len(values)
    for place in [place for place, value in enumerate(values) if is_scored(value)]:
        scored = values[place]
        values[place], scores[place] = scored["value"], as_score(scored["confidence"])
    columns = [
        *(column.combine_chunks() for column in rows.take(repeats).columns),
        _texts([name for fields in found for name in fields]),
        _texts([value if type(value) is str else _as_json(value) for value in values]),
        _texts([_JSON_TYPES.get(type(value), "object") for value in values]),
        _floats(scores),
        pa.array([_is_empty(value) for value in values], pa.bool_()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=FIELDS_SCHEMA)


_JSON_TYPES: dict[type, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
    dict: "object",
    list: "array",
    tuple: "array",
}
_encode: Callable[[object], bytes] = msgspec.json.encode


def _as_json(value: object) -> str | None:
    if value is None:
        return None
    try:
        return _encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        # Only for values that no JSON decoder made; losing the whole frame to one would be worse.
        return repr(value)


def _is_empty(value: object) -> bool:
    if type(value) is str:
        return not value or value.isspace()
    return value is None or value in ([], {}, ())
