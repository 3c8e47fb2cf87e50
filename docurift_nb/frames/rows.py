"""Jobs and observations to rows of the jobs table, a block at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa

from docurift_nb.errors import ConfigError
from docurift_nb.frames.arrays import floats, texts, times
from docurift_nb.frames.schemas import ROWS_SCHEMA, TIME
from docurift_nb.models import FINAL_STATUSES, Failure, Job, Observation, decode_record

Source: TypeAlias = Job | bytes | None
Breach: TypeAlias = tuple[str | None, int, str, str, str]
_T = TypeVar("_T")

# A chunk of records is small enough for its values to stay in the processor's cache until the columns have
# what they need of it; a block is large enough for the cost of making Arrow arrays not to show.
CHUNK = 32
BLOCK = 4096

FAILURE_COLUMNS = ("error_code", "error_message", "error_step", "retryable")


class Block(NamedTuple):
    """Rows of some records, in their order.

    Attributes
    ----------
    rows : pyarrow.RecordBatch
        Of ``ROWS_SCHEMA``; records without an id have none.
    positions : sequence of int
        Which record of the whole input each row shows.
    sources : sequence of Job, bytes or None
        What each row came from.
    problems : sequence of tuple
        As in ``PROBLEMS_SCHEMA``, records without a row included.
    """

    rows: pa.RecordBatch
    positions: Sequence[int]
    sources: Sequence[Source]
    problems: Sequence[Breach]


def blocks_of(records: Iterable[Job | Observation], *, compact: bool) -> Iterator[Block]:
    """Lay out jobs or observations; ``compact`` as in ``read_records``.

    Raises
    ------
    ConfigError
        When an element is neither a job nor an observation.
    """
    draft, n = Draft(compact=compact), 0
    for chunk in chunks(records):
        draft.add(chunk, range(n, n + len(chunk)))
        n += len(chunk)
        if n % BLOCK == 0:
            yield draft.block()
            draft = Draft(compact=compact)
    yield draft.block()


def chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Split into lists small enough for the cache."""
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


class Draft:
    """A block that is being filled."""

    def __init__(self, *, compact: bool) -> None:
        self._compact = compact
        self._columns: dict[str, list[Any]] = {name: [] for name in _READ_NAMES}
        self._sources: list[Source] = []
        self._positions: list[int] = []
        self._problems: list[Breach] = []

    def add(self, chunk: Sequence[Job | Observation], positions: Sequence[int]) -> None:
        """Take what the columns need of some records."""
        looks = _looks(chunk, positions)
        answers: list[Job | None] = [x.job if isinstance(x, Observation) else x for x in chunk]
        ids = [x.job_id for x in chunk]
        self._note(ids, answers, positions)
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

    def _note(self, ids: Sequence[str], answers: Sequence[Job | None], positions: Sequence[int]) -> None:
        self._problems += [
            (ids[row] or None, positions[row], problem.code, problem.where, problem.detail)
            for row, job in enumerate(answers)
            if job is not None and job.problems
            for problem in job.problems
        ]

    def block(self) -> Block:
        """Return what was taken."""
        return Block(_job_batch(self._columns), self._positions, self._sources, self._problems)


_ATTRIBUTES: dict[str, Callable[[Job], Any]] = {
    name: attrgetter(name)
    for name in (
        *("status", "document_type", "document_id", "progress", "confidence", "failure"),
        *("created_at", "updated_at", "completed_at", "failed_at"),
    )
}
_READ_NAMES = ("job_id", "look", "n_fields", *_ATTRIBUTES)
_NO_ANSWER = Job(job_id="", status="")


def _looks(chunk: Sequence[Job | Observation], positions: Sequence[int]) -> list[Observation | None]:
    kinds = set(map(type, chunk))
    if kinds == {Job}:
        return [None] * len(chunk)
    for row, record in enumerate(chunk):
        if not isinstance(record, (Job, Observation)):
            raise ConfigError(
                what=f"element {positions[row]} cannot be laid out as a job",
                expected="a Job or an Observation",
                got=type(record).__name__,
                advice="Results.from_json for raw records",
            )
    return [record if isinstance(record, Observation) else None for record in chunk]


def _at(items: Sequence[_T], rows: Sequence[int]) -> list[_T]:
    return [items[row] for row in rows]


def _compacted(job: Job | None) -> Source:
    return (job.raw or job) if job is not None else None


def job_of(source: Source) -> Job | None:
    """Return the job that a row came from."""
    return decode_record(source) if isinstance(source, bytes) else source


def _job_batch(read: dict[str, list[Any]]) -> pa.RecordBatch:
    columns = [
        texts(read["job_id"]),
        texts([status or None for status in read["status"]]),
        *(texts(read[name]) for name in ("document_type", "document_id")),
        *(floats(read[name]) for name in ("progress", "confidence")),
        *(times(read[name]) for name in ("created_at", "updated_at", "completed_at", "failed_at")),
        *failure_columns(read["failure"]),
        pa.array(read["n_fields"], pa.int64()),
        *_look_columns([status not in FINAL_STATUSES for status in read["status"]], read["look"]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=ROWS_SCHEMA)


def failure_columns(failures: Sequence[Failure | None]) -> list[pa.Array]:
    """Return the columns that ``FAILURE_COLUMNS`` names."""
    given = [failure for failure in failures if failure is not None]
    columns = [
        texts([failure.code for failure in given]),
        texts([failure.message for failure in given]),
        texts([failure.step for failure in given]),
        pa.array([failure.retryable for failure in given], pa.bool_()),
    ]
    # Few jobs fail; spreading the columns of these costs less than asking every job.
    failed = np.array([failure is not None for failure in failures], dtype=bool)
    places = pa.array(np.cumsum(failed) - 1, pa.int64(), mask=~failed)
    return [column.take(places) for column in columns]


def _look_columns(unfinished: list[bool], looks: list[Observation | None]) -> list[pa.Array]:
    if not any(looks):
        n = len(unfinished)
        return [pa.array(unfinished, pa.bool_()), pa.nulls(n, TIME), pa.nulls(n, pa.string())]
    is_open = [
        to_come and not (look is not None and look.ended)
        for to_come, look in zip(unfinished, looks, strict=True)
    ]
    return [
        pa.array(is_open, pa.bool_()),
        times([look.observed_at if look else None for look in looks]),
        texts([str(look.seen) if look else None for look in looks]),
    ]
