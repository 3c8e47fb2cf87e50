"""The contract checks: each problem arises from a record that shows it, and only then."""

import msgspec
import pytest
from hypothesis import given

from docurift_nb.models import FINAL_STATUSES, Job, decode_record
from docurift_nb.models.contract import is_sound, problems_of
from tests.builders import CATALOGUE, DOCUMENTED, Awkward, Record, as_bytes, make_job, typed_records

CODES = {
    "confidence_missing",
    "confidence_not_a_number",
    "confidence_on_percent_scale",
    "confidence_out_of_range",
    "document_id_missing",
    "error_code_missing",
    "id_missing",
    "not_json",
    "progress_missing",
    "progress_not_full",
    "progress_out_of_range",
    "record_unreadable",
    "result_missing",
    "status_missing",
    "time_missing",
    "time_unreadable",
    "time_without_zone",
    "times_out_of_order",
    "unexpected_document_id",
    "unexpected_error",
    "unexpected_result",
    "unexpected_time",
    "unknown_status",
    "wrong_type",
}


@pytest.mark.parametrize("awkward", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_record_shows_exactly_its_problems(awkward: Awkward) -> None:
    """A record of the catalogue shows the problems it was built for, in order, and no other."""
    job = decode_record(awkward.body)
    assert tuple((problem.code, problem.where) for problem in job.problems) == awkward.problems


def test_catalogue_shows_every_code() -> None:
    """Every problem code there is has a record in the catalogue that shows it."""
    assert {code for awkward in CATALOGUE.values() for code, _ in awkward.problems} == CODES


@pytest.mark.parametrize("awkward", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_details_are_short_and_printable(awkward: Awkward) -> None:
    """Whatever a record holds, the texts of its problems fit on a line and hide nothing."""
    for problem in decode_record(awkward.body).problems:
        assert problem.detail
        assert len(problem.detail) < 400
        assert (problem.detail + problem.where).isprintable()


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_shape_has_no_problem(name: str) -> None:
    """The answers of the reference keep the contract."""
    assert list(problems_of(decode_record(DOCUMENTED[name]))) == []


@pytest.mark.parametrize("name", sorted(FINAL_STATUSES))
def test_documented_final_shape_is_quickly_sound(name: str) -> None:
    """The two final shapes pass the quick check, which is what makes it worth having."""
    assert is_sound(decode_record(DOCUMENTED[name]))


@given(record=typed_records())
def test_quickly_sound_means_no_problem(record: Record) -> None:
    """What the quick check lets through, the full check finds nothing in."""
    job = decode_record(as_bytes(record))
    if is_sound(job):
        assert list(problems_of(job)) == []


@given(record=typed_records())
def test_no_problem_means_quickly_sound(record: Record) -> None:
    """A final record without scored fields that the full check finds nothing in passes the quick one."""
    job = decode_record(as_bytes(record))
    nested = any(isinstance(value, dict) for value in (job.extracted_fields or {}).values())
    if job.is_final and not job.problems and not nested:
        assert is_sound(job)


SPOILED = [
    ("completed", {"job_id": ""}),
    ("completed", {"status": "archived"}),
    ("completed", {"progress": 99.0}),
    ("completed", {"progress": None}),
    ("completed", {"extracted_fields": None}),
    ("completed", {"extracted_fields": {"a": {"value": 1, "confidence": 97}}}),
    ("completed", {"confidence": None}),
    ("completed", {"confidence": 97.0}),
    ("completed", {"confidence": float("nan")}),
    ("completed", {"document_id": None}),
    ("completed", {"created_at": None}),
    ("completed", {"updated_at": None}),
    ("completed", {"completed_at": None}),
    ("failed", {"failure": None}),
    ("failed", {"progress": None}),
    ("failed", {"progress": -1.0}),
    ("failed", {"failed_at": None}),
    ("failed", {"confidence": 0.5}),
    ("failed", {"extracted_fields": {}}),
    ("failed", {"document_id": "doc_1"}),
]


@pytest.mark.parametrize(("status", "change"), SPOILED, ids=[f"{s} {c}" for s, c in SPOILED])
def test_one_flaw_shows_in_both_checks(status: str, change: dict[str, object]) -> None:
    """A sound job with one value spoiled fails the quick check and has one problem or more."""
    job = msgspec.structs.replace(make_job(status), **change)
    assert not is_sound(job)
    assert list(problems_of(job))


@pytest.mark.parametrize(
    ("status", "first", "second"),
    [
        ("completed", "completed_at", "created_at"),
        ("completed", "updated_at", "created_at"),
        ("failed", "failed_at", "created_at"),
        ("failed", "updated_at", "created_at"),
    ],
)
def test_times_that_run_backwards_show_in_both_checks(status: str, first: str, second: str) -> None:
    """Swapping a later time with the creation is noticed quickly and fully."""
    job = make_job(status)
    swapped = {first: getattr(job, second), second: getattr(job, first)}
    other = "updated_at" if first != "updated_at" else f"{status}_at"
    late = getattr(job, other)
    job = msgspec.structs.replace(job, **swapped, **{other: late})
    assert not is_sound(job)
    assert {problem.code for problem in problems_of(job)} == {"times_out_of_order"}


def test_missing_status_accuses_nothing_else() -> None:
    """Without a status nobody can say whether a result or an end time was due."""
    job = msgspec.structs.replace(make_job(), status="")
    assert [problem.code for problem in problems_of(job)] == ["status_missing"]


def test_checking_changes_nothing() -> None:
    """A job is the same after both checks as before."""
    job = Job(job_id="j", status="completed", extracted_fields={"a": {"value": 1, "confidence": 97}})
    before = msgspec.json.encode(job)
    is_sound(job)
    list(problems_of(job))
    assert msgspec.json.encode(job) == before
