"""Jobs to rows of the fields table: one per job and field."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from docurift_nb.frames.arrays import floats, texts
from docurift_nb.frames.schemas import FIELDS_SCHEMA
from docurift_nb.models import Job
from docurift_nb.models.job import as_score, is_scored


def field_batch(rows: pa.Table, jobs: Sequence[Job | None]) -> pa.RecordBatch:
    """Lay out the fields of ``jobs``, one for each of ``rows`` of the jobs table."""
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
        texts([name for fields in found for name in fields]),
        texts([value if type(value) is str else _as_json(value) for value in values]),
        texts([_JSON_TYPES.get(type(value), "object") for value in values]),
        floats(scores),
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
