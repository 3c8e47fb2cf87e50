"""The values: what a job says about its end, its length and its fields, and a safe repr."""

import pickle
from datetime import UTC, datetime

import msgspec
import pytest

from docurift_nb.models import ExtractedField, Failure, Job
from docurift_nb.models.job import as_score, is_scored
from tests.builders import ENDED, make_job, make_result


@pytest.mark.parametrize(
    ("status", "final"),
    [
        ("pending", False),
        ("processing", False),
        ("completed", True),
        ("failed", True),
        ("archived", False),
        ("COMPLETED", False),
        ("", False),
    ],
)
def test_only_two_words_are_final(status: str, *, final: bool) -> None:
    """A job is final when the service says completed or failed, never for a word we do not know."""
    assert Job(job_id="j", status=status).is_final is final


def test_length_runs_from_creation_to_the_end() -> None:
    """A completed and a failed job last from their creation to their own end."""
    assert make_job("completed").duration_s == 45.0
    assert make_job("failed").duration_s == 20.0
    assert make_job("failed").ended_at == datetime(2024, 1, 27, 10, 30, 20, tzinfo=UTC)


@pytest.mark.parametrize("status", ["pending", "processing", "archived", "failed"])
def test_foreign_end_time_is_no_end(status: str) -> None:
    """A completion time in a job that is not completed neither ends it nor gives it a length."""
    job = make_job(status, completedAt=ENDED, failedAt=None)
    assert job.completed_at is not None
    assert (job.ended_at, job.duration_s) == (None, None)


@pytest.mark.parametrize("missing", ["createdAt", "completedAt"])
def test_length_needs_both_times(missing: str) -> None:
    """Where a time is missing there is no length, not a zero."""
    assert make_job("completed", **{missing: None}).duration_s is None


def test_negative_length_is_kept() -> None:
    """An end before the creation gives the negative length it says; the problem is reported elsewhere."""
    job = make_job(completedAt="2024-01-27T10:29:58Z")
    assert job.duration_s == -2.0
    assert job.problems


def test_fields_come_in_the_order_of_the_wire_with_their_scores() -> None:
    """Plain values stay plain, scored ones are taken apart, other objects are left whole."""
    job = make_job(
        result=make_result(
            {
                "z": 1,
                "a": {"value": "x", "confidence": 0.5},
                "m": {"value": "x", "unit": "kg"},
                "s": {"value": 2, "confidence": "0.9"},
            }
        )
    )
    assert list(job.fields()) == [
        ExtractedField("z", 1),
        ExtractedField("a", "x", 0.5),
        ExtractedField("m", {"value": "x", "unit": "kg"}),
        ExtractedField("s", 2, None),
    ]


def test_job_without_result_has_no_fields() -> None:
    """An open job yields no field and does not raise."""
    assert list(make_job("pending").fields()) == []


@pytest.mark.parametrize(
    ("value", "scored"),
    [
        ({"value": None, "confidence": None}, True),
        ({"value": 1}, False),
        ({"confidence": 1}, False),
        ([], False),
        (None, False),
        ("value confidence", False),
    ],
)
def test_scored_means_value_and_confidence(value: object, *, scored: bool) -> None:
    """Only an object with both keys counts as a field with a score of its own."""
    assert is_scored(value) is scored


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (1, 1.0),
        (0.5, 0.5),
        (97, 97.0),
        (True, None),
        ("0.9", None),
        (None, None),
        ([], None),
        (10**400, None),
    ],
)
def test_score_is_a_number_or_none(value: object, score: float | None) -> None:
    """A number is a score as it stands; a flag, a text or a number beyond a double is none."""
    assert as_score(value) == score


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (make_job("processing"), "<Job 'job_abc123def456': processing 45 %>"),
        (make_job("completed"), "<Job 'job_abc123def456': completed>"),
        (make_job("failed"), "<Job 'job_abc123def456': failed OCR_FAILED>"),
        (make_job("pending", progress=None), "<Job 'job_abc123def456': pending, problems: 1>"),
        (make_job("failed", error={}), "<Job 'job_abc123def456': failed no code, problems: 1>"),
        (Job(job_id="", status=""), "<Job '': >"),
    ],
)
def test_repr_says_the_state_in_a_line(job: Job, text: str) -> None:
    """The repr has the id, the state, the progress of an open job, the error code and how many problems."""
    assert repr(job) == text


def test_repr_of_hostile_job_is_short_and_printable() -> None:
    """No text of the API reaches a terminal with control characters or at full length."""
    hostile = "\x1b[2J\u202e\n" + "x" * 10_000
    job = Job(job_id=hostile, status=hostile, failure=Failure(code=hostile))
    assert repr(job).isprintable()
    assert len(repr(job)) < 400


def test_values_are_immutable_and_pickle() -> None:
    """A job cannot be changed in place and survives pickling whole."""
    job = make_job("failed", progress=-1)
    with pytest.raises(AttributeError):
        job.status = "completed"  # type: ignore[misc]  # what is tested
    assert pickle.loads(pickle.dumps(job)) == job  # noqa: S301  # our own bytes
    assert msgspec.structs.replace(job, raw=b"") != job
