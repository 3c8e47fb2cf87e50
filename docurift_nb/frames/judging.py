"""The contract, judged on whole columns: which rows need nobody to look for problems in them."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from docurift_nb.frames.arrays import Bools, as_bools
from docurift_nb.models.contract import SHAPES, Shape

_TIMES = ("created_at", "updated_at", "completed_at", "failed_at")
_STATUSES = pa.array(list(SHAPES))
_LATEST = np.iinfo(np.int64).max


def sound_rows(rows: pa.RecordBatch, *, failed: Bools) -> Bools:
    """Tell for each of some rows of ``ROWS_SCHEMA`` whether it keeps every rule of ``contract.problems_of``.

    Only for rows in which no field has a score of its own. ``failed`` tells which have a failure, even one
    that says nothing.
    """
    given = {
        name: as_bools(rows[name].is_valid()) for name in (*_TIMES, "document_id", "n_fields", "confidence")
    }
    given |= {"failure": failed, "error_code": has_text(rows["error_code"])}
    progress = pc.fill_null(rows["progress"], -1).to_numpy()
    score = pc.fill_null(rows["confidence"], 0).to_numpy()
    status = pc.fill_null(pc.index_in(rows["status"], _STATUSES), -1).to_numpy()
    shaped = np.zeros(rows.num_rows, dtype=bool)
    for code, shape in enumerate(SHAPES.values()):
        shaped |= (status == code) & _fits(shape, given) & (progress >= shape.least_progress)
    sound: Bools = np.logical_and.reduce(
        [
            *(shaped, progress <= 100, score >= 0, score <= 1),
            *(given["created_at"], given["updated_at"], _in_order(rows), has_text(rows["job_id"])),
        ]
    )
    return sound


def _fits(shape: Shape, given: Mapping[str, Bools]) -> Bools:
    needs = [given[name] for name in shape.needs]
    lacks = [~given[name] for name in shape.lacks]
    fits: Bools = np.logical_and.reduce([*needs, *lacks])
    return fits


def _in_order(rows: pa.RecordBatch) -> Bools:
    # A missing time is never too early.
    created, *later = (pc.fill_null(rows[name].cast(pa.int64()), _LATEST).to_numpy() for name in _TIMES)
    in_order: Bools = np.logical_and.reduce([created <= time for time in later])
    return in_order


def has_text(column: pa.Array) -> Bools:
    """Tell which texts are neither missing nor empty."""
    return as_bools(pc.fill_null(pc.greater(pc.binary_length(column), 0), fill_value=False))
