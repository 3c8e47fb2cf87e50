import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.frames.judging import sound_rows
from docurift_nb.frames.rows import blocks_of
from docurift_nb.models import Job, decode_record
from docurift_nb.models.contract import problems_of
from tests.builders import Record, make_error, make_job, make_result, typed_records


def _verdicts(jobs: list[Job]) -> list[bool]:
    (block,) = blocks_of(jobs, compact=False)
    failed = np.array([job.failure is not None for job in jobs], dtype=bool)
    found: list[bool] = sound_rows(block.rows, failed=failed).tolist()
    return found


def _plain(job: Job) -> bool:
    return dict not in map(type, (job.extracted_fields or {}).values())


@given(st.lists(typed_records(), min_size=1))
def test_what_is_called_sound_has_no_problem(records: list[Record]) -> None:
    """No row passes that the contract's list of problems would not let pass."""
    jobs = [job for job in map(decode_record, records) if job.job_id and _plain(job)]
    for job, is_sound in zip(jobs, _verdicts(jobs), strict=True):
        assert not (is_sound and list(problems_of(job)))


@pytest.mark.parametrize("status", ["pending", "processing", "completed", "failed"])
def test_documented_records_are_sound(status: str) -> None:
    """Each documented shape is judged sound at once, so that none needs a second look."""
    assert _verdicts([make_job(status)]) == [True]


@pytest.mark.parametrize(
    "job",
    [
        make_job(progress=99),
        make_job(progress=101),
        make_job("failed", progress=None),
        make_job(result=make_result(confidence=97)),
        make_job(result=make_result(confidence=None)),
        make_job(error={}),
        make_job("failed", error=make_error(code="")),
        make_job("failed", result=make_result()),
        make_job("pending", documentId="doc_1"),
        make_job("archived"),
        make_job(createdAt=None),
        make_job(completedAt="2024-01-27T10:29:59Z"),
    ],
    ids=lambda job: job.problems[0].code,
)
def test_what_has_a_problem_is_not_sound(job: Job) -> None:
    """A breach of each rule is seen, beside a sound row."""
    assert _verdicts([job, make_job()]) == [False, True]


def test_no_rows_have_no_verdicts() -> None:
    """A table of nothing is judged."""
    (block,) = blocks_of([], compact=False)
    assert sound_rows(block.rows, failed=np.zeros(0, dtype=bool)).tolist() == []
    assert isinstance(block.rows, pa.RecordBatch)
