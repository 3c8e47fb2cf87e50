"""Jobs to tidy frames: one row per job, per job and field, per breach of the contract.

Records are read once, block by block, into Arrow tables; pandas frames come from those. The Arrow schemas
are also the Parquet schemas, so a frame has the same columns and types whichever way it came. Nothing here
opens a file, knows HTTP, or computes a statistic.

``rows`` lays out jobs, ``bulk`` the JSON they are recorded as; ``reading`` makes one table of the blocks of
either, with ``duplicates`` to choose among several records of one job; ``fields`` lays out what was
extracted.
"""

from docurift_nb.frames.reading import Records, read_raw, read_records
from docurift_nb.frames.schemas import FIELDS_SCHEMA, JOBS_SCHEMA, PROBLEMS_SCHEMA, to_frame
from docurift_nb.frames.tidy import fields_frame, jobs_frame, problems_frame

__all__ = [
    "FIELDS_SCHEMA",
    "JOBS_SCHEMA",
    "PROBLEMS_SCHEMA",
    "Records",
    "fields_frame",
    "jobs_frame",
    "problems_frame",
    "read_raw",
    "read_records",
    "to_frame",
]
