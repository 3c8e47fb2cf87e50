import pandas as pd
import pytest
from hypothesis import given, settings

from docurift_nb.errors import ConfigError
from docurift_nb.frames import jobs_frame, problems_frame
from docurift_nb.models import decode_records
from docurift_nb.tables import overview
from tests.tables.frames import NO_JOBS, completed, failed, frame, jobs_frames, pending, with_lost


def test_overview_counts_each_outcome() -> None:
    """Completed, failed, open and lost jobs are counted apart, with the span they cover."""
    jobs = with_lost(frame(completed(1), completed(2, None), failed(3, seconds=7), pending(4, seconds=99)))
    row = overview(jobs).iloc[0]
    assert row[["n", "n_completed", "n_failed", "n_open", "n_lost"]].tolist() == [5, 2, 1, 1, 1]
    assert (row["n_scored"], row["n_fields"]) == (1, 2)
    assert (row["last_ended_at"] - row["first_created_at"]).total_seconds() == 10
    assert (row["last_updated_at"] - row["first_created_at"]).total_seconds() == 99


def test_overview_counts_problems_by_job_and_record() -> None:
    """Problems of jobs and records that gave no job are counted apart; without problems both are missing."""
    records = list(decode_records([completed(1), completed(2, 97), b"[]", b"{}"]))
    jobs, problems = jobs_frame(records), problems_frame(records)
    names = ["n_jobs_with_problems", "n_problems", "n_records_without_job"]
    assert overview(jobs, problems).iloc[0][names].tolist() == [1, 1, 2]
    assert overview(jobs).iloc[0][names].isna().all()
    assert overview(jobs, problems, by="document_type")["n_records_without_job"].isna().all()


@pytest.mark.parametrize("by", [None, "document_type", ["status", "document_type"]])
def test_overview_keeps_its_dtypes_without_jobs(by: str | list[str] | None) -> None:
    """No jobs give the same columns: one row of zeros overall, no row by group."""
    empty, full = overview(NO_JOBS, by=by), overview(frame(completed(1)), by=by)
    assert empty.dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()
    assert len(empty) == (by is None)
    assert not empty["n"].any()


def test_overview_names_what_is_missing() -> None:
    """A frame without a needed column is refused with the nearest name."""
    with pytest.raises(ConfigError, match=r"no column 'is_open'.*did you mean 'is_opened'"):
        overview(frame(completed(1)).rename(columns={"is_open": "is_opened"}))


@settings(max_examples=40)
@given(jobs_frames())
def test_groups_add_up_to_the_whole(jobs: pd.DataFrame) -> None:
    """Counts over document types, the missing one included, sum to those of all jobs."""
    names = ["n", "n_completed", "n_failed", "n_open", "n_lost", "n_scored", "n_fields"]
    whole, parts = overview(jobs)[names].iloc[0], overview(jobs, by="document_type")[names].sum()
    assert parts.tolist() == whole.tolist()
    assert whole["n"] == len(jobs) == whole[names[1:5]].sum()


@settings(max_examples=40)
@given(jobs_frames())
def test_the_order_of_jobs_does_not_matter(jobs: pd.DataFrame) -> None:
    """Reversed rows give the same overview."""
    pd.testing.assert_frame_equal(
        overview(jobs[::-1], by="document_type"), overview(jobs, by="document_type")
    )
