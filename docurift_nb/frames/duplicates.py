"""Several records of one job: which one stands, and what to say of the others."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from docurift_nb.errors import shorten
from docurift_nb.frames.rows import Breach, Source, job_of
from docurift_nb.models import FINAL_STATUSES, Job

_NEVER = np.iinfo(np.int64).min


def winners(jobs: pa.Table) -> np.ndarray | None:
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


def losers(
    jobs: pa.Table, kept: np.ndarray, sources: Sequence[Source], positions: Sequence[int]
) -> Iterator[Breach]:
    """Say of each record that lost what it was; ``kept`` is from ``winners``."""
    losing = np.flatnonzero(kept != np.arange(len(kept)))
    ids = jobs["job_id"].take(pa.array(losing)).to_pylist()
    for row, job_id in zip(losing.tolist(), ids, strict=True):
        winner = int(kept[row])
        code, what = _verdict(job_of(sources[row]), job_of(sources[winner]))
        detail = f"expected one record per job, record {positions[winner]} was kept; this one {what}"
        yield job_id, positions[row], code, "id", detail


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
