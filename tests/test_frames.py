from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.errors import ConfigError
from docurift_nb.frames import (
    FIELDS_SCHEMA,
    JOBS_SCHEMA,
    PROBLEMS_SCHEMA,
    fields_frame,
    jobs_frame,
    problems_frame,
    read_records,
)
from docurift_nb.models import Failure, Job, Observation, Seen, decode_record, decode_records
from tests.builders import (
    CATALOGUE,
    Record,
    as_bytes,
    broken_records,
    make_error,
    make_job,
    make_job_record,
    make_result,
    typed_records,
)

NOW = datetime(2024, 1, 27, 11, tzinfo=UTC)
DTYPES = {
    **dict.fromkeys(["status", "document_type", "error_code", "observation", "field", "value"], "string"),
    **dict.fromkeys(["created_at", "ended_at", "observed_at"], "datetime64[us, UTC]"),
    **dict.fromkeys(["progress", "confidence", "duration_s"], "Float64"),
    **dict.fromkeys(["n_fields", "record"], "Int64"),
    **dict.fromkeys(["retryable", "is_open", "is_empty"], "boolean"),
}


def _only(frame: pd.DataFrame) -> "pd.Series[Any]":
    assert len(frame) == 1
    return frame.iloc[0]


def _look(job: Job | None = None, **changes: Any) -> Observation:  # noqa: ANN401  # attributes of any type
    given = {"job_id": job.job_id if job else "job_x", "job": job, "seen": Seen.FRESH, "observed_at": NOW}
    return Observation(**(given | changes))


@pytest.mark.parametrize("jobs", [[], [make_job()], [make_job("pending")]], ids=["none", "ended", "open"])
def test_columns_and_dtypes_do_not_depend_on_the_jobs(jobs: list[Job]) -> None:
    """Every frame has its columns in order and nullable dtypes, also without rows."""
    frames = {
        JOBS_SCHEMA: jobs_frame(jobs),
        FIELDS_SCHEMA: fields_frame(jobs),
        PROBLEMS_SCHEMA: problems_frame(jobs),
    }
    for schema, frame in frames.items():
        assert list(frame) == schema.names
        assert {name: str(frame[name].dtype) for name in frame if name in DTYPES} == {
            name: dtype for name, dtype in DTYPES.items() if name in frame
        }


def test_jobs_frame_shows_a_completed_job() -> None:
    """The documented completed answer fills the columns it has and leaves the others missing."""
    row = _only(jobs_frame([make_job()]))
    assert (row["status"], row["confidence"], row["n_fields"], row["duration_s"]) == (
        "completed",
        0.97,
        5,
        45.0,
    )
    assert row["ended_at"] == row["completed_at"] == pd.Timestamp("2024-01-27T10:30:45Z")
    assert not row["is_open"]
    assert row[["error_code", "retryable", "failed_at", "observed_at", "observation"]].isna().all()


def test_jobs_frame_shows_a_failed_job() -> None:
    """The documented failed answer shows its error and ends at failedAt."""
    row = _only(jobs_frame([make_job("failed")]))
    assert (row["error_code"], row["error_step"], row["retryable"]) == ("OCR_FAILED", "text_extraction", True)
    assert (row["duration_s"], row["ended_at"]) == (20.0, row["failed_at"])
    assert row[["confidence", "n_fields", "document_id"]].isna().all()


def test_an_open_job_has_no_end_whatever_its_times() -> None:
    """A completedAt of a job that is still processing is kept but is no end."""
    row = _only(jobs_frame([make_job("processing", completedAt="2024-01-27T10:30:45Z")]))
    assert row["is_open"]
    assert pd.notna(row["completed_at"])
    assert row[["ended_at", "duration_s"]].isna().all()


def test_an_unknown_status_word_is_kept_and_open() -> None:
    """A word this version does not know is shown and counts as not finished."""
    row = _only(jobs_frame([make_job("archived")]))
    assert (row["status"], row["is_open"]) == ("archived", True)


@pytest.mark.parametrize(
    ("look", "status", "is_open"),
    [
        (_look(seen=Seen.UNSEEN), None, True),
        (_look(seen=Seen.THROTTLED), None, True),
        (_look(seen=Seen.NOT_FOUND, ended=True), None, False),
        (_look(seen=Seen.DENIED, ended=True), None, False),
        (_look(make_job("processing"), seen=Seen.UNREACHABLE), "processing", True),
        (_look(make_job("processing"), seen=Seen.EXPIRED, ended=True), "processing", False),
        (_look(make_job(), ended=True), "completed", False),
    ],
    ids=lambda value: f"{value.seen} {value.ended}" if isinstance(value, Observation) else None,
)
def test_what_was_seen_never_becomes_a_status(look: Observation, status: str | None, is_open: object) -> None:
    """An id without answer keeps a row without status; is_open is True while an end can still be seen."""
    row = _only(jobs_frame([look]))
    assert (row["job_id"], row["observation"], row["is_open"]) == (look.job_id, str(look.seen), is_open)
    assert row["status"] == status if status else pd.isna(row["status"])
    assert row["observed_at"] == pd.Timestamp(NOW)


def test_of_one_id_a_final_record_beats_a_later_open_one() -> None:
    """Order of input and updatedAt do not let an open record replace a final one."""
    late = make_job("processing", updatedAt="2024-01-28T10:30:00Z")
    for records in ([make_job(), late], [late, make_job()]):
        assert _only(jobs_frame(records))["status"] == "completed"
        assert "conflicting_record" in set(problems_frame(records)["code"])


def test_of_one_id_the_later_update_wins_then_the_later_in_order() -> None:
    """Between open records the later updatedAt counts, between equals the last."""
    first, second = make_job("processing", progress=10), make_job("processing", progress=20)
    newer = make_job("processing", progress=5, updatedAt="2024-01-27T10:40:00Z")
    assert _only(jobs_frame([first, second]))["progress"] == 20
    assert _only(jobs_frame([newer, first, second]))["progress"] == 5


@pytest.mark.parametrize(
    ("lost", "code"),
    [
        (make_job(), "duplicate_record"),
        (make_job("pending"), "duplicate_record"),
        (make_job(result=make_result(confidence=0.5)), "conflicting_record"),
        (make_job("failed", updatedAt="2024-01-27T10:00:00Z"), "conflicting_record"),
    ],
    ids=["same", "earlier state", "other score", "other end"],
)
def test_each_dropped_record_is_listed(lost: Job, code: str) -> None:
    """A record that lost is named with its index: the same and earlier states apart from contradictions."""
    row = _only(problems_frame([lost, make_job()]))
    assert (row["job_id"], row["record"], row["code"]) == ("job_abc123def456", 0, code)
    assert "record 1 was kept" in row["detail"]


def test_a_record_without_id_is_a_problem_and_no_row() -> None:
    """What cannot be told apart has no row but is listed under its index."""
    records = [make_job(), decode_record(b"[]"), make_job(id="")]
    assert len(jobs_frame(records)) == 1
    problems = problems_frame(records)
    assert list(problems["code"]) == ["record_unreadable", "id_missing"]
    assert list(problems["record"]) == [1, 2]
    assert problems["job_id"].isna().all()


@pytest.mark.parametrize("name", CATALOGUE)
def test_awkward_records_fit_the_frames(name: str) -> None:
    """Each awkward record yields at most one row and exactly its own problems."""
    job = decode_record(CATALOGUE[name].body)
    assert len(jobs_frame([job])) == bool(job.job_id)
    problems = problems_frame([job])
    assert [*zip(problems["code"], problems["where"], strict=True)] == [*CATALOGUE[name].problems]
    assert len(fields_frame([job])) == (len(job.extracted_fields or {}) if job.job_id else 0)


@pytest.mark.parametrize(
    ("value", "text", "kind", "empty"),
    [
        ("INV-1", "INV-1", "string", False),
        ("", "", "string", True),
        (" \n", " \n", "string", True),
        (None, None, "null", True),
        (12.5, "12.5", "number", False),
        (0, "0", "number", False),
        (False, "false", "boolean", False),
        ([], "[]", "array", True),
        ([{"a": 1}], '[{"a":1}]', "array", False),
        ({}, "{}", "object", True),
        ({"a": "b"}, '{"a":"b"}', "object", False),
    ],
)
def test_fields_frame_writes_each_json_type(
    value: object, text: str | None, kind: str, empty: object
) -> None:
    """Text stays as it is, other JSON becomes compact text, null stays missing, and emptiness is told."""
    row = _only(fields_frame([make_job(result=make_result({"amount": value}))]))
    assert (row["field"], row["value_type"], row["is_empty"]) == ("amount", kind, empty)
    assert pd.isna(row["value"]) if text is None else row["value"] == text


def test_fields_frame_takes_scores_apart() -> None:
    """A field given with its own confidence shows value and score in two columns."""
    scored = {"a": {"value": "x", "confidence": 0.5}, "b": {"value": 3, "confidence": None}, "c": "plain"}
    frame = fields_frame([make_job(result=make_result(scored))])
    assert list(frame["value"]) == ["x", "3", "plain"]
    assert list(frame["confidence"].fillna(-1)) == [0.5, -1, -1]
    assert set(frame["document_id"]) == {"doc_xyz789ghi012"}


def test_values_that_no_decoder_made_do_not_break_a_frame() -> None:
    """Jobs made by hand may hold lone surrogates, NaN, naive times and objects."""
    fields = {"a": {1j}, "b": "\ud800"}
    naive = datetime(2024, 1, 27)  # noqa: DTZ001  # the point of the test
    job = Job(job_id="\ud83d", status="failed", confidence=np.nan, extracted_fields=fields, created_at=naive)
    row = _only(jobs_frame([job]))
    assert (row["job_id"], row["created_at"]) == ("?", pd.Timestamp(naive, tz="UTC"))
    assert pd.isna(row["confidence"])
    assert list(fields_frame([job])["value"]) == ["{1j}", "?"]


def test_other_elements_are_refused_by_index() -> None:
    """Something that is no job is refused at the call, with its place and type."""
    with pytest.raises(
        ConfigError, match=r"element 1 .*expected a Job or an Observation; got dict.*from_json"
    ):
        jobs_frame([make_job(), make_job_record()])  # type: ignore[list-item]  # the point of the test


def test_rows_stand_in_order_over_many_chunks() -> None:
    """Thousands of records keep their order, their problems their index, and none is lost."""
    jobs = [make_job(id=f"job_{number}", progress=number % 101) for number in range(1500)]
    records = [*jobs, *jobs[:700]]
    assert list(jobs_frame(records)["job_id"]) == [job.job_id for job in [*jobs[700:], *jobs[:700]]]
    problems = problems_frame(records)
    assert list(problems.loc[problems["code"] == "duplicate_record", "record"]) == list(range(700))
    assert problems["record"].is_monotonic_increasing


@given(st.lists(typed_records() | broken_records(), max_size=6))
def test_compact_reading_changes_nothing(records: list[Record]) -> None:
    """Keeping the raw JSON instead of the values gives the same frames."""
    jobs = list(decode_records([as_bytes(record) for record in records]))
    whole, compact = read_records(jobs), read_records(jobs, compact=True)
    assert whole.jobs.equals(compact.jobs)
    assert whole.problems.equals(compact.problems)
    assert whole.fields().equals(compact.fields())


@given(st.lists(typed_records() | broken_records(), max_size=6))
def test_decoding_in_bulk_is_decoding_one_by_one(records: list[Record]) -> None:
    """Many records at once decode exactly as each on its own, bytes, text and mappings alike."""
    given: list[bytes | str | Record] = [form for record in records for form in (as_bytes(record), record)]
    assert list(map(repr, decode_records(given))) == [repr(decode_record(one)) for one in given]
    assert [j.problems for j in decode_records(given)] == [decode_record(one).problems for one in given]


@given(st.lists(typed_records(), max_size=5))
def test_the_same_records_twice_change_no_job(records: list[Record]) -> None:
    """A doubled input shows the same jobs and fields; only the duplicates are added to the problems."""
    jobs = [decode_record(as_bytes(record | {"id": f"job_{n}"})) for n, record in enumerate(records)]
    pd.testing.assert_frame_equal(jobs_frame([*jobs, *jobs]), jobs_frame(jobs))
    pd.testing.assert_frame_equal(fields_frame([*jobs, *jobs]), fields_frame(jobs))
    codes = problems_frame([*jobs, *jobs])["code"]
    assert (codes == "duplicate_record").sum() == len(jobs)


@given(typed_records() | broken_records())
def test_a_row_says_what_its_job_says(record: Record) -> None:
    """Durations, ends and field counts by column are those of the job itself."""
    job = decode_record(as_bytes(record | {"id": "job_1"}))
    row = _only(jobs_frame([job]))
    # Beyond 285 years a double no longer holds every microsecond.
    took = pytest.approx(job.duration_s, rel=1e-15) if job.duration_s is not None else pd.NA
    assert row["duration_s"] is took or row["duration_s"] == took
    assert row["ended_at"] == job.ended_at if job.ended_at is not None else pd.isna(row["ended_at"])
    assert row["is_open"] == (not job.is_final)
    assert len(fields_frame([job])) == len(list(job.fields())) == len(job.extracted_fields or {})


def test_failures_without_words_stay_missing() -> None:
    """A failure that says nothing leaves its columns missing, beside one that says all."""
    jobs = [make_job("failed", id="a", error=make_error(code=None, message=None)), make_job("failed", id="b")]
    frame = jobs_frame(jobs)
    assert list(frame["error_code"].isna()) == [True, False]
    assert jobs[0].failure == Failure()
