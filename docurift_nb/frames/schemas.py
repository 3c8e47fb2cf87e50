"""The columns and types of the frames: the same in Arrow, in Parquet and in pandas."""

import pandas as pd
import pyarrow as pa

TIME = pa.timestamp("us", tz="UTC")

JOBS_SCHEMA = pa.schema(
    [
        ("job_id", pa.string()),
        ("status", pa.string()),
        ("document_type", pa.string()),
        ("document_id", pa.string()),
        ("progress", pa.float64()),
        ("confidence", pa.float64()),
        ("created_at", TIME),
        ("updated_at", TIME),
        ("completed_at", TIME),
        ("failed_at", TIME),
        ("ended_at", TIME),
        ("duration_s", pa.float64()),
        ("error_code", pa.string()),
        ("error_message", pa.string()),
        ("error_step", pa.string()),
        ("retryable", pa.bool_()),
        ("n_fields", pa.int64()),
        ("is_open", pa.bool_()),
        ("observed_at", TIME),
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
_DERIVED = ("ended_at", "duration_s")
ROWS_SCHEMA = pa.schema([column for column in JOBS_SCHEMA if column.name not in _DERIVED])
"""What is read of a record; the other columns of ``JOBS_SCHEMA`` follow from these."""

_PANDAS_TYPES = {
    pa.string(): pd.StringDtype("pyarrow"),
    pa.float64(): pd.Float64Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table of one of the schemas here as a frame with nullable dtypes."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_PANDAS_TYPES.get)
    return frame
