"""Records to tables: one row per job id, and what is wrong with the records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from docurift_nb.frames.arrays import texts
from docurift_nb.frames.bulk import raw_blocks
from docurift_nb.frames.duplicates import losers, winners
from docurift_nb.frames.fields import field_batch
from docurift_nb.frames.rows import BLOCK, Block, Breach, Source, blocks_of, job_of
from docurift_nb.frames.schemas import FIELDS_SCHEMA, JOBS_SCHEMA, PROBLEMS_SCHEMA, ROWS_SCHEMA
from docurift_nb.models import Job, Observation
from docurift_nb.models.wire import collector_paused


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
            for start in range(0, len(self.sources), BLOCK):
                jobs = [job_of(source) for source in self.sources[start : start + BLOCK]]
                batches.append(field_batch(self.jobs.slice(start, BLOCK), jobs))
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
    with collector_paused():
        return _gathered(blocks_of(records, compact=compact))


def read_raw(records: Iterable[bytes | str | Mapping[str, Any]]) -> Records:
    """Read recorded jobs, with the outcome of ``decode_records`` and a compact ``read_records``.

    At little more than half their cost where the records are plain. It holds the raw JSON of each
    record, and the values of some thousands of them at a time.
    """
    with collector_paused():
        return _gathered(raw_blocks(records))


def _gathered(blocks: Iterable[Block]) -> Records:
    parts, places, origins, breaches = zip(*blocks, strict=True)
    jobs = _with_ends(pa.Table.from_batches(parts, ROWS_SCHEMA))
    sources: list[Source] = [*chain.from_iterable(origins)]
    problems: list[Breach] = [*chain.from_iterable(breaches)]
    kept = winners(jobs)
    if kept is None:
        return Records(jobs, _problem_table(problems), sources)
    positions: list[int] = [*chain.from_iterable(places)]
    stays = kept == np.arange(len(kept))
    lost = {positions[row] for row in np.flatnonzero(~stays)}
    problems = [problem for problem in problems if problem[1] not in lost]
    problems += losers(jobs, kept, sources, positions)
    problems.sort(key=lambda problem: problem[1])
    sources = [source for source, stay in zip(sources, stays, strict=True) if stay]
    return Records(jobs.filter(pa.array(stays)), _problem_table(problems), sources)


def _with_ends(read: pa.Table) -> pa.Table:
    # A null condition gives null, so an open job has no end whatever times its record holds.
    completed, failed = pc.equal(read["status"], "completed"), pc.equal(read["status"], "failed")
    ended = pc.if_else(completed, read["completed_at"], pc.if_else(failed, read["failed_at"], None))
    elapsed = pc.subtract(ended.cast(pa.int64()), read["created_at"].cast(pa.int64()))
    duration = pc.divide(pc.cast(elapsed, pa.float64(), safe=False), 1e6)
    at = JOBS_SCHEMA.get_field_index("ended_at")
    return read.add_column(at, "ended_at", ended).add_column(at + 1, "duration_s", duration)


def _problem_table(problems: Sequence[Breach]) -> pa.Table:
    columns: Sequence[Sequence[Any]] = list(zip(*problems, strict=True)) or [()] * 5
    ids, records, codes, places, details = columns
    arrays = [texts(ids), pa.array(records, pa.int64()), texts(codes), texts(places), texts(details)]
    return pa.Table.from_arrays(arrays, schema=PROBLEMS_SCHEMA)
