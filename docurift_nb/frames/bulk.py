"""Recorded jobs to rows of the jobs table without building a job for each.

The plain ones are read as columns and judged as columns. The others are read one by one and put where they
belong, and whatever is not sound is read again for its problems, so that the outcome is always that of
reading each on its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from docurift_nb.frames.arrays import Bools, joined, plain_times
from docurift_nb.frames.judging import has_text, sound_rows
from docurift_nb.frames.rows import FAILURE_COLUMNS, Block, Breach, Draft, chunks, failure_columns
from docurift_nb.frames.schemas import ROWS_SCHEMA, TIME
from docurift_nb.models import FINAL_STATUSES, Failure, decode_record
from docurift_nb.models.bulk import decode_columns

Raw: TypeAlias = bytes | str | Mapping[str, Any]

_TIMES = ("created_at", "updated_at", "completed_at", "failed_at")
_FINAL = pa.array(sorted(FINAL_STATUSES))
# What a chunk is laid out as at once, the times still as texts.
_CHUNK_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("job_id", "status", "document_type", "document_id", *_TIMES)),
        *((name, pa.float64()) for name in ("progress", "confidence")),
        ("n_fields", pa.int64()),
    ]
)
# Few enough for their texts to be in the processor's cache still when they are laid out, and enough of these
# in a block for the cost of a call on whole columns not to show.
_CHUNK = 1024
_CHUNKS = 8


def raw_blocks(records: Iterable[Raw]) -> Iterator[Block]:
    """Lay out recorded jobs, keeping the raw JSON of each."""
    iterator, start, is_full = iter(records), 0, True
    while is_full:
        taken = _take(iterator)
        yield _block(taken, start)
        start += len(taken.bodies)
        is_full = len(taken.bodies) == _CHUNK * _CHUNKS


class _Taken(NamedTuple):
    """Some records, and what was read of the plain ones."""

    bodies: list[bytes]
    others: dict[int, Raw]
    rows: list[int]
    failures: list[Failure | None]
    columns: pa.RecordBatch


def _take(iterator: Iterator[Raw]) -> _Taken:
    bodies: list[bytes] = []
    others: dict[int, Raw] = {}
    rows: list[int] = []
    failures: list[Failure | None] = []
    parts: list[pa.RecordBatch] = []
    while len(parts) < _CHUNKS:
        records = list(islice(iterator, _CHUNK))
        chunk = [record if type(record) is bytes else _body(record) for record in records]
        read = decode_columns(chunk, len(bodies))
        arrays = [pa.array(getattr(read, column.name), column.type) for column in _CHUNK_SCHEMA]
        parts.append(pa.RecordBatch.from_arrays(arrays, schema=_CHUNK_SCHEMA))
        if not all(chunk):
            others |= {len(bodies) + at: record for at, record in enumerate(records) if not chunk[at]}
        bodies += chunk
        rows += read.row
        failures += read.failure
        if len(chunk) < _CHUNK:
            break
    return _Taken(bodies, others, rows, failures, joined(parts))


def _body(record: Raw) -> bytes:
    # Nothing is read from no bytes, which leaves mappings to the reading one by one.
    return record.encode("utf-8", "surrogatepass") if isinstance(record, str) else b""


def _block(taken: _Taken, start: int) -> Block:
    table, is_plain = _laid_out(taken)
    failed = np.array([failure is not None for failure in taken.failures], dtype=bool)
    is_sound = sound_rows(table, failed=failed)
    doubtful = [taken.rows[at] for at in np.flatnonzero(is_plain & ~is_sound).tolist()]
    problems = [*chain.from_iterable(_problems(taken.bodies[row], start + row) for row in doubtful)]
    if len(taken.rows) == len(taken.bodies) and is_plain.all():
        return Block(table, range(start, start + len(taken.bodies)), taken.bodies, problems)
    plain = [taken.rows[at] for at in np.flatnonzero(is_plain).tolist()]
    sources = [taken.bodies[row] for row in plain]
    found = Block(table.filter(pa.array(is_plain)), [start + row for row in plain], sources, problems)
    return _merged(found, _one_by_one(taken, sorted({*range(len(taken.bodies))}.difference(plain)), start))


def _laid_out(taken: _Taken) -> tuple[pa.RecordBatch, Bools]:
    """Return a row of each record that was read, and which of them reading one by one would give as well."""
    read, n = taken.columns, taken.columns.num_rows
    stamps, plain = zip(*(plain_times(read[name]) for name in _TIMES), strict=True)
    columns = {column.name: read[column.name] for column in _CHUNK_SCHEMA}
    columns |= zip(_TIMES, stamps, strict=True)
    columns |= zip(FAILURE_COLUMNS, failure_columns(taken.failures), strict=True)
    columns["is_open"] = pc.invert(pc.is_in(read["status"], _FINAL))
    columns |= {"observed_at": pa.nulls(n, TIME), "observation": pa.nulls(n, pa.string())}
    table = pa.RecordBatch.from_arrays([columns[name] for name in ROWS_SCHEMA.names], schema=ROWS_SCHEMA)
    return table, np.logical_and.reduce([*plain, has_text(read["job_id"])])


def _problems(body: bytes, position: int) -> Iterator[Breach]:
    job = decode_record(body)
    for problem in job.problems:
        yield job.job_id, position, problem.code, problem.where, problem.detail


def _one_by_one(taken: _Taken, rows: Sequence[int], start: int) -> Block:
    draft = Draft(compact=True)
    for chunk in chunks(rows):
        jobs = [decode_record(taken.bodies[row] or taken.others[row]) for row in chunk]
        draft.add(jobs, [start + row for row in chunk])
    return draft.block()


def _merged(one: Block, other: Block) -> Block:
    positions = [*one.positions, *other.positions]
    sources = [*one.sources, *other.sources]
    order = sorted(range(len(positions)), key=positions.__getitem__)
    return Block(
        joined([one.rows, other.rows]).take(pa.array(order, pa.int64())),
        [positions[at] for at in order],
        [sources[at] for at in order],
        sorted([*one.problems, *other.problems], key=itemgetter(1)),
    )
