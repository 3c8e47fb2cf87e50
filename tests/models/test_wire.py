"""Decoding: the documented shapes exactly, anything else without raising and without repair."""

import gc
import itertools
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from docurift_nb.errors import UnreadableAnswerError
from docurift_nb.models import (
    Failure,
    Job,
    Problem,
    Refusal,
    decode_answer,
    decode_record,
    decode_records,
    decode_refusal,
    loose,
    wire,
)
from tests.builders import (
    CATALOGUE,
    DOCUMENTED,
    JOB_ID,
    Awkward,
    Record,
    as_answer,
    as_bytes,
    as_refusal,
    broken_records,
    json_values,
    make_job_record,
    make_result,
    typed_records,
)


def at(minute_second: str) -> datetime:
    """Return that minute and second of the documented hour."""
    return datetime.fromisoformat(f"2024-01-27T10:{minute_second}+00:00")


EXPECTED = {
    "pending": Job(job_id=JOB_ID, status="pending", progress=0, updated_at=at("30:00")),
    "processing": Job(job_id=JOB_ID, status="processing", progress=45, updated_at=at("30:15")),
    "completed": Job(
        job_id=JOB_ID,
        status="completed",
        progress=100,
        document_id="doc_xyz789ghi012",
        extracted_fields={
            "invoiceNumber": "INV-2024-001",
            "amount": 1250.0,
            "currency": "USD",
            "vendor": "Acme Corp",
            "date": "2024-01-15",
        },
        confidence=0.97,
        updated_at=at("30:45"),
        completed_at=at("30:45"),
    ),
    "failed": Job(
        job_id=JOB_ID,
        status="failed",
        progress=23,
        failure=Failure(
            code="OCR_FAILED",
            message="Unable to extract text from document. The image may be corrupted or too low quality.",
            step="text_extraction",
            retryable=True,
        ),
        updated_at=at("30:20"),
        failed_at=at("30:20"),
    ),
}


@pytest.mark.parametrize("name", DOCUMENTED)
@pytest.mark.parametrize("decode", [decode_answer, decode_record])
def test_documented_shape_decodes_exactly(name: str, decode: Any) -> None:  # noqa: ANN401  # either function
    """Each answer of the reference gives exactly the documented values, and no problem."""
    body = DOCUMENTED[name]
    common = {"document_type": "invoice", "created_at": at("30:00"), "raw": body}
    assert decode(body) == msgspec.structs.replace(EXPECTED[name], **common)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_record_reads_alike_in_every_form(name: str) -> None:
    """Enveloped or bare, bytes, text or mapping: the values are the same."""
    enveloped = json.loads(DOCUMENTED[name])
    forms = [
        enveloped,
        enveloped["data"],
        MappingProxyType(enveloped["data"]),
        json.dumps(enveloped),
        json.dumps(enveloped["data"]),
        as_bytes(enveloped["data"]),
    ]
    expected = msgspec.structs.replace(decode_answer(DOCUMENTED[name]), raw=b"")
    assert all(msgspec.structs.replace(decode_record(form), raw=b"") == expected for form in forms)


@given(body=st.binary() | st.text() | json_values.map(as_bytes))
def test_any_bytes_and_text_decode(body: bytes | str) -> None:
    """No bytes and no text make decoding a record raise."""
    job = decode_record(body)
    assert job.raw == (body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body)


@given(record=broken_records())
def test_broken_record_decodes_and_tells(record: Record) -> None:
    """A record with any of its values replaced decodes, and keeps its text whole."""
    body = as_bytes(record)
    assert decode_record(body).raw == body


@given(record=st.dictionaries(st.text() | st.integers() | st.tuples(st.integers()), json_values))
def test_any_mapping_decodes(record: dict[Any, Any]) -> None:
    """No mapping makes decoding raise, whatever its keys."""
    assert isinstance(decode_record(record), Job)


@pytest.mark.parametrize("depth", [*range(930, 1010), 20_000])
@pytest.mark.parametrize("wrap", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_any_depth_decodes(depth: int, wrap: tuple[str, str]) -> None:
    """Around the depth where Python's own recursion ends, reading and quoting still do not raise."""
    deep = wrap[0] * depth + "1" + wrap[1] * depth
    spots = [
        make_job_record(progress="@"),
        make_job_record(error="@"),
        make_job_record(progress="x", result=make_result({"a": {"value": 1, "confidence": "@"}})),
    ]
    for record in spots:
        assert decode_record(json.dumps(record).replace('"@"', deep)).problems


class Unprintable:
    """A value that raises when quoted."""

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("value", [Unprintable(), object(), 1j, len, MappingProxyType({})], ids=type)
def test_value_beyond_json_is_read_as_null_and_told(value: object) -> None:
    """A mapping's value that JSON has no form for is missing, and a problem says so, without quoting it."""
    job = decode_record(make_job_record() | {"documentType": value})
    assert [problem.code for problem in job.problems] == ["not_json"]
    assert job.document_type is None
    assert job.job_id == JOB_ID


@pytest.mark.parametrize(
    ("key", "code"), [((1, 2), "record_unreadable"), (b"k", "record_unreadable"), (None, "not_json")]
)
def test_key_beyond_json_is_told(key: object, code: str) -> None:
    """A mapping whose keys cannot be written as JSON comes back unreadable, never as an exception."""
    record: dict[Any, Any] = {**make_job_record(), key: object()}
    job = decode_record(record)
    assert [problem.code for problem in job.problems] == [code]


def test_mapping_that_holds_itself_is_unreadable() -> None:
    """A mapping without an end comes back as an unreadable record."""
    record: Record = {"id": "j"}
    record["result"] = record
    job = decode_record(record)
    assert (job.job_id, [problem.code for problem in job.problems]) == ("", ["record_unreadable"])


def test_mapping_with_dates_and_decimals_reads_as_their_json() -> None:
    """Python's own dates read as ISO 8601, and a decimal stays text, which is no number."""
    record = make_job_record(createdAt=datetime(2024, 1, 27, 10, 30, tzinfo=UTC))
    record["result"] = make_result({"date": date(2024, 1, 15), "none": None}, confidence=Decimal("0.9"))
    job = decode_record(record)
    assert job.created_at == at("30:00")
    assert job.extracted_fields == {"date": "2024-01-15", "none": None}
    assert [(problem.code, problem.where) for problem in job.problems] == [
        ("wrong_type", "result.confidence")
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("nan")]])
def test_nan_in_a_mapping_is_told(value: object) -> None:
    """NaN, which JSON has not, is read as null and reported, from a mapping as from text."""
    record = make_job_record(result=make_result({"amount": value}))
    for form in (record, json.dumps(record)):
        job = decode_record(form)
        assert [problem.code for problem in job.problems] == ["not_json"]
        assert job.extracted_fields in ({"amount": None}, {"amount": [None]})


@given(record=typed_records())
def test_strict_and_loose_reading_agree(record: Record) -> None:
    """The fast typed pass and the reading key by key give equal jobs for every record both accept."""
    body = as_bytes(record)
    strict = wire._strict_bare(body)
    assume(strict is not None)
    assert strict == loose.read_loosely(json.loads(body), body, [])
    assert wire._strict_answer(as_answer(record)) == wire._loose_answer(as_answer(record))


@pytest.mark.parametrize("awkward", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_strict_and_loose_reading_agree_on_the_catalogue(awkward: Awkward) -> None:
    """Where the fast pass accepts an awkward record, the slow one says the same."""
    strict = wire._strict_bare(awkward.body)
    notes: list[Problem] = []
    parsed = wire._parse(awkward.body, notes)
    if strict is not None:
        assert isinstance(parsed, dict)
        assert strict == loose.read_loosely(parsed, awkward.body, notes)


@given(record=broken_records())
def test_nothing_is_repaired(record: Record) -> None:
    """A decoded value is the record's own, or it is missing and a problem says where."""
    job = decode_record(as_bytes(record))
    assume("not_json" not in {problem.code for problem in job.problems})
    pairs = [("id", job.job_id), ("status", job.status), ("progress", job.progress)]
    pairs += [("documentType", job.document_type), ("documentId", job.document_id)]
    told = {problem.where for problem in job.problems}
    for where, value in pairs:
        given_value = record.get(where)
        assert (value == given_value and type(given_value) is not bool) or (not value and where in told)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-27T10:30:00Z", "2024-01-27T10:30:00+00:00"),
        ("2024-01-27T10:30:00.123Z", "2024-01-27T10:30:00.123000+00:00"),
        ("2024-01-27T10:30:00+00:00", "2024-01-27T10:30:00+00:00"),
        ("2024-01-27T12:30:00+02:00", "2024-01-27T10:30:00+00:00"),
        ("2024-01-26T23:30:00-11:00", "2024-01-27T10:30:00+00:00"),
        ("2024-01-27T10:30:00", "2024-01-27T10:30:00+00:00"),
    ],
)
@pytest.mark.parametrize("progress", [100, "100"], ids=["strict", "loose"])
def test_times_are_utc(text: str, expected: str, progress: object) -> None:
    """Every readable time comes back in UTC by either way of reading."""
    job = decode_record(make_job_record(createdAt=text, progress=progress))
    assert job.created_at is not None
    assert job.created_at.isoformat() == expected
    assert job.created_at.tzinfo is UTC


def test_unknown_keys_survive_in_raw() -> None:
    """What this version does not know is still there, to the byte."""
    body = as_answer(make_job_record(tenant={"id": 4}, result=make_result() | {"pages": [1, 2]}))
    job = decode_answer(body)
    assert job.raw == body
    assert json.loads(job.raw)["data"]["tenant"] == {"id": 4}


@pytest.mark.parametrize("awkward", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_raw_reads_as_the_same_job(awkward: Awkward) -> None:
    """Decoding the kept text again gives the same job, so an archive needs nothing else."""
    job = decode_record(awkward.body)
    assert decode_record(job.raw) == job


@pytest.mark.parametrize(
    "record", [make_job_record(data={"x": 1}), make_job_record(data={"x": 1}, progress="1")]
)
def test_bare_record_with_a_key_data_stays_bare(record: Record) -> None:
    """An unknown key that happens to be called data does not hide the record around it."""
    assert decode_record(record).job_id == JOB_ID


@pytest.mark.parametrize("collecting", [True, False])
def test_many_records_read_as_one_by_one(*, collecting: bool) -> None:
    """Reading in bulk gives the same jobs in the same order, and leaves the cycle collector as it was."""
    bodies = [awkward.body for awkward in CATALOGUE.values()] * 40
    (gc.enable if collecting else gc.disable)()
    try:
        assert list(decode_records(bodies)) == [decode_record(body) for body in bodies]
        assert gc.isenabled() is collecting
    finally:
        gc.enable()


def test_many_records_are_read_lazily() -> None:
    """The first jobs come before an endless source ends, and with the cycle collector running."""
    jobs = decode_records(itertools.repeat(as_bytes(make_job_record())))
    assert next(jobs).job_id == JOB_ID
    assert gc.isenabled()


UNREADABLE = {
    "empty": b"",
    "page": b"<html>502</html>",
    "null": b"null",
    "list": b"[]",
    "no data": b'{"success": true}',
    "data null": b'{"success": true, "data": null}',
    "data list": b'{"success": true, "data": []}',
    "bare record": as_bytes(make_job_record()),
    "success absent": as_bytes({"data": make_job_record()}),
    "success false": as_bytes({"success": False, "data": make_job_record()}),
    "success 1": as_bytes({"success": 1, "data": make_job_record()}),
    "success null": as_bytes({"success": None, "data": make_job_record()}),
    "id empty": as_answer(make_job_record(id="")),
    "id number": as_answer(make_job_record(id=5)),
    "status empty": as_answer(make_job_record(status="")),
    "status null": as_answer(make_job_record() | {"status": None}),
    "refusal": as_refusal("JOB_NOT_FOUND"),
    "cut": as_answer(make_job_record())[:-1],
    "trailing": as_answer(make_job_record()) + b"x",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_other_answers_are_unreadable(body: bytes) -> None:
    """What is no answer about a job raises, with what was expected and what came."""
    with pytest.raises(UnreadableAnswerError) as caught:
        decode_answer(body)
    assert caught.value.expected
    assert caught.value.got


@given(body=st.binary() | json_values.map(as_answer) | broken_records().map(as_answer))
def test_answer_raises_only_unreadable(body: bytes) -> None:
    """Decoding any answer gives a job with an id and a status, or the one documented error."""
    try:
        job = decode_answer(body)
    except UnreadableAnswerError:
        return
    assert job.job_id
    assert job.status


@pytest.mark.parametrize("awkward", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_answer_and_record_read_alike(awkward: Awkward) -> None:
    """An awkward record in an answer gives the job it gives when recorded bare."""
    record = wire._parse(awkward.body, [])
    alone = decode_record(as_bytes(record))
    if isinstance(record, dict) and alone.job_id and alone.status:
        answered = decode_answer(as_answer(record))
        assert msgspec.structs.replace(answered, raw=b"") == msgspec.structs.replace(alone, raw=b"")


def test_unreadable_answer_shows_no_control_character() -> None:
    """The quoted start of a foreign answer is short and harmless."""
    with pytest.raises(UnreadableAnswerError) as caught:
        decode_answer(b"\x1b[31m\xff\xe2\x80\xae" + b"x" * 100_000)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_documented_refusal_decodes() -> None:
    """The error envelope of the reference gives code, message and, where present, the request's id."""
    body = b'{"success": false, "error": {"code": "JOB_NOT_FOUND", "message": "Job not found"}}'
    assert decode_refusal(body) == Refusal(code="JOB_NOT_FOUND", message="Job not found")
    assert decode_refusal(as_refusal("FORBIDDEN", "no", "req_1")) == Refusal("FORBIDDEN", "no", "req_1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b"{}",
        b'{"success": true}',
        b'{"success": 0}',
        b'{"error": {"code": "X"}}',
        b"\xff",
    ],
)
def test_other_refusals_are_none(body: bytes) -> None:
    """A refused request's body that is not the documented envelope is None."""
    assert decode_refusal(body) is None


@pytest.mark.parametrize("error", [None, "boom", [], {}, {"code": 5, "message": ["x"]}])
def test_refusal_with_odd_error_has_empty_texts(error: object) -> None:
    """An error envelope without usable texts is still a refusal."""
    assert decode_refusal(as_bytes({"success": False, "error": error, "requestId": 7})) == Refusal()


@given(body=st.binary() | json_values.map(as_bytes))
def test_refusal_never_raises(body: bytes) -> None:
    """No body makes reading a refusal raise."""
    assert isinstance(decode_refusal(body), Refusal | None)
