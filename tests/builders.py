"""Wire records for every test: the documented shapes, variations of them, and a catalogue of awkward ones."""

import json
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from docurift_nb.models import Job, decode_record

Record = dict[str, Any]

OMIT: Final = object()
"""Given as a value, leaves the key out."""

CREATED = "2024-01-27T10:30:00Z"
ENDED = "2024-01-27T10:30:45Z"
JOB_ID = "job_abc123def456"

DOCUMENTED: dict[str, bytes] = {
    "pending": b"""{"success": true, "data": {
        "id": "job_abc123def456", "status": "pending", "progress": 0, "documentType": "invoice",
        "createdAt": "2024-01-27T10:30:00Z", "updatedAt": "2024-01-27T10:30:00Z"}}""",
    "processing": b"""{"success": true, "data": {
        "id": "job_abc123def456", "status": "processing", "progress": 45, "documentType": "invoice",
        "createdAt": "2024-01-27T10:30:00Z", "updatedAt": "2024-01-27T10:30:15Z"}}""",
    "completed": b"""{"success": true, "data": {
        "id": "job_abc123def456", "status": "completed", "progress": 100, "documentType": "invoice",
        "documentId": "doc_xyz789ghi012",
        "result": {"extractedFields": {"invoiceNumber": "INV-2024-001", "amount": 1250.00, "currency": "USD",
                                       "vendor": "Acme Corp", "date": "2024-01-15"}, "confidence": 0.97},
        "createdAt": "2024-01-27T10:30:00Z", "updatedAt": "2024-01-27T10:30:45Z",
        "completedAt": "2024-01-27T10:30:45Z"}}""",
    "failed": b"""{"success": true, "data": {
        "id": "job_abc123def456", "status": "failed", "progress": 23, "documentType": "invoice",
        "error": {"code": "OCR_FAILED", "message": "Unable to extract text from document. The image may be \
corrupted or too low quality.", "details": {"step": "text_extraction", "retryable": true}},
        "createdAt": "2024-01-27T10:30:00Z", "updatedAt": "2024-01-27T10:30:20Z",
        "failedAt": "2024-01-27T10:30:20Z"}}""",
}
"""The answers of the public reference, as bytes."""


def make_job_record(status: str = "completed", **changes: object) -> Record:
    """Return a bare wire record: the documented one of that status with ``changes`` (wire names) on top.

    A status beyond the documented four starts from the processing shape.
    """
    record: Record = json.loads(DOCUMENTED.get(status, DOCUMENTED["processing"]))["data"]
    record |= {"status": status, **changes}
    return {key: value for key, value in record.items() if value is not OMIT}


def make_result(fields: object = OMIT, confidence: object = 0.97) -> Record:
    """Return a ``result`` object."""
    given = {"extractedFields": {"amount": 1250.0} if fields is OMIT else fields, "confidence": confidence}
    return {key: value for key, value in given.items() if value is not OMIT}


def make_error(code: object = "OCR_FAILED", message: object = "no text", details: object = OMIT) -> Record:
    """Return an ``error`` object."""
    given = {"code": code, "message": message, "details": details}
    return {key: value for key, value in given.items() if value is not OMIT}


def as_bytes(record: object) -> bytes:
    """Return ``record`` as JSON."""
    return json.dumps(record).encode()


def as_answer(record: object) -> bytes:
    """Return the body of a ``200`` answer about ``record``."""
    return as_bytes({"success": True, "data": record})


def as_refusal(code: str, message: str = "", request_id: str | None = "req_abc123def456") -> bytes:
    """Return the body of a refused request."""
    error = {"code": code, "message": message}
    return as_bytes({"success": False, "error": error} | ({"requestId": request_id} if request_id else {}))


def make_job(status: str = "completed", **changes: object) -> Job:
    """Return the job decoded from ``make_job_record``."""
    return decode_record(as_bytes(make_job_record(status, **changes)))


class Awkward(NamedTuple):
    """A record as bytes, and every problem it must show: ``(code, where)`` in order."""

    body: bytes
    problems: tuple[tuple[str, str], ...] = ()


def _awkward(*problems: tuple[str, str], status: str = "completed", **changes: object) -> Awkward:
    return Awkward(as_bytes(make_job_record(status, **changes)), problems)


def _field(value: object, *problems: tuple[str, str], name: str = "amount") -> Awkward:
    return _awkward(*problems, result=make_result({name: value}))


def _raw(old: bytes, new: bytes, *problems: tuple[str, str], status: str = "completed") -> Awkward:
    body = as_bytes(make_job_record(status))
    assert old in body
    return Awkward(body.replace(old, new, 1), problems)


_SCORE = "result.confidence"
_FIELD_SCORE = "result.extractedFields.amount.confidence"
_NO_FIELDS = ("result_missing", "result.extractedFields")
_NO_CODE = ("error_code_missing", "error.code")
_PERCENT = "confidence_on_percent_scale"
_BEYOND = "confidence_out_of_range"
_NOT_JSON = ("not_json", "")
_EMPTY_RECORD = (
    ("id_missing", "id"),
    ("status_missing", "status"),
    ("progress_missing", "progress"),
    ("time_missing", "createdAt"),
    ("time_missing", "updatedAt"),
)

_IDENTITY = {
    "id empty": _awkward(("id_missing", "id"), id=""),
    "id absent": _awkward(("id_missing", "id"), id=OMIT),
    "id number": _awkward(("wrong_type", "id"), id=7),
    "id with path and query": _awkward(id="../v1/keys?x=1#y"),
    "id of 10,000 characters": _awkward(id="j" * 10_000),
    "status unknown": _awkward(("unknown_status", "status"), status="archived"),
    "status in capitals": _awkward(("unknown_status", "status"), status="COMPLETED"),
    "status empty": _awkward(("status_missing", "status"), status=""),
    "status null": Awkward(as_bytes(make_job_record() | {"status": None}), (("status_missing", "status"),)),
    "status number": Awkward(as_bytes(make_job_record() | {"status": 3}), (("wrong_type", "status"),)),
    "status with escape codes": _awkward(("unknown_status", "status"), status="\x1b[2Jdone\u202e"),
    "document type absent": _awkward(documentType=OMIT),
    "document type list": _awkward(("wrong_type", "documentType"), documentType=["invoice"]),
    "document id absent": _awkward(("document_id_missing", "documentId"), documentId=OMIT),
    "document id of a failed job": _awkward(
        ("unexpected_document_id", "documentId"), status="failed", documentId="doc_1"
    ),
}

_PROGRESS = {
    "progress text": _awkward(("wrong_type", "progress"), status="processing", progress="45"),
    "progress true": _awkward(("wrong_type", "progress"), status="processing", progress=True),
    "progress null": _awkward(("progress_missing", "progress"), status="processing", progress=None),
    "progress absent": _awkward(("progress_missing", "progress"), status="processing", progress=OMIT),
    "progress -1": _awkward(("progress_out_of_range", "progress"), status="processing", progress=-1),
    "progress 101": _awkward(("progress_out_of_range", "progress"), status="processing", progress=101),
    "progress 45.5": _awkward(status="processing", progress=45.5),
    "progress -0.0": _awkward(status="processing", progress=-0.0),
    "progress 99 of completed": _awkward(("progress_not_full", "progress"), progress=99),
    "progress beyond a double": _awkward(("wrong_type", "progress"), progress=10**400),
    "progress 1e999": _raw(b": 100", b": 1e999", _NOT_JSON, ("progress_missing", "progress")),
    "progress of 5,000 digits": _raw(
        b": 100", b":" + b"1" * 5000, _NOT_JSON, ("progress_missing", "progress")
    ),
    "progress NaN": _raw(b": 100", b": NaN", _NOT_JSON, ("progress_missing", "progress")),
}

_SCORES = {
    "confidence 97": _awkward((_PERCENT, _SCORE), result=make_result(confidence=97)),
    "confidence 100": _awkward((_PERCENT, _SCORE), result=make_result(confidence=100)),
    "confidence 100.5": _awkward((_BEYOND, _SCORE), result=make_result(confidence=100.5)),
    "confidence -0.01": _awkward((_BEYOND, _SCORE), result=make_result(confidence=-0.01)),
    "confidence 0": _awkward(result=make_result(confidence=0)),
    "confidence 1": _awkward(result=make_result(confidence=1)),
    "confidence text": _awkward(("wrong_type", _SCORE), result=make_result(confidence="0.9")),
    "confidence true": _awkward(("wrong_type", _SCORE), result=make_result(confidence=True)),
    "confidence nested": _awkward(("wrong_type", _SCORE), result=make_result(confidence={"overall": 0.9})),
    "confidence null": _awkward(("confidence_missing", _SCORE), result=make_result(confidence=None)),
    "confidence absent": _awkward(("confidence_missing", _SCORE), result=make_result(confidence=OMIT)),
    "field scored": _field({"value": 3, "confidence": 0.5}),
    "field scored without a score": _field({"value": 3, "confidence": None}),
    "field scored 97": _field({"value": 3, "confidence": 97}, (_PERCENT, _FIELD_SCORE)),
    "field scored -1": _field({"value": 3, "confidence": -1}, (_BEYOND, _FIELD_SCORE)),
    "field scored text": _field({"value": 3, "confidence": "0.9"}, ("confidence_not_a_number", _FIELD_SCORE)),
    "field scored true": _field({"value": 3, "confidence": True}, ("confidence_not_a_number", _FIELD_SCORE)),
    "field scored beyond a double": _field(
        {"value": 3, "confidence": 10**400}, ("confidence_not_a_number", _FIELD_SCORE)
    ),
    "field of a long name scored -1": _field(
        {"value": 3, "confidence": -1},
        (_BEYOND, "result.extractedFields." + "n" * 80 + "….confidence"),
        name="n" * 500,
    ),
    "field nested, not scored": _field({"value": 3, "unit": "kg"}),
}

_OUTCOMES = {
    "completed without result": _awkward(_NO_FIELDS, result=OMIT),
    "completed with null result": _awkward(_NO_FIELDS, result=None),
    "completed with list result": _awkward(("wrong_type", "result"), result=[]),
    "completed without fields": _awkward(_NO_FIELDS, result={"confidence": 0.9}),
    "completed with list of fields": _awkward(
        ("wrong_type", "result.extractedFields"), result=make_result([1])
    ),
    "completed with no field": _awkward(result=make_result({})),
    "completed with error": _awkward(("unexpected_error", "error"), error=make_error()),
    "failed without error": _awkward(_NO_CODE, status="failed", error=OMIT),
    "failed without code": _awkward(_NO_CODE, status="failed", error=make_error(code=OMIT)),
    "failed with empty code": _awkward(_NO_CODE, status="failed", error=make_error(code="")),
    "failed with text for error": _awkward(("wrong_type", "error"), status="failed", error="boom"),
    "failed with number for code": _awkward(
        ("wrong_type", "error.code"), status="failed", error=make_error(code=500)
    ),
    "failed with number for message": _awkward(
        ("wrong_type", "error.message"), status="failed", error=make_error(message=500)
    ),
    "failed without message": _awkward(status="failed", error=make_error(message=OMIT)),
    "failed with null details": _awkward(status="failed", error=make_error(details=None)),
    "failed with text for details": _awkward(
        ("wrong_type", "error.details"), status="failed", error=make_error(details="later")
    ),
    "failed with text for retryable": _awkward(
        ("wrong_type", "error.details.retryable"),
        status="failed",
        error=make_error(details={"retryable": "yes", "step": "text_extraction"}),
    ),
    "failed with result": _awkward(("unexpected_result", "result"), status="failed", result=make_result()),
    "failed with score alone": _awkward(
        ("unexpected_result", "result"), status="failed", result={"confidence": 0.5}
    ),
    "pending with error": _awkward(("unexpected_error", "error"), status="pending", error=make_error()),
}

_TIMES = {
    "times with milliseconds": _awkward(
        updatedAt="2024-01-27T10:30:45.123Z", completedAt="2024-01-27T10:30:45.123Z"
    ),
    "times with nanoseconds": _awkward(updatedAt="2024-01-27T10:30:45.123456789Z"),
    "times with offset": _awkward(createdAt="2024-01-27T12:30:00+02:00"),
    "times without zone": _awkward(("time_without_zone", "createdAt"), createdAt="2024-01-27T10:30:00"),
    "time of day only": _awkward(("time_unreadable", "createdAt"), createdAt="10:30:00Z"),
    "time in words": _awkward(("time_unreadable", "updatedAt"), updatedAt="yesterday"),
    "time empty": _awkward(("time_unreadable", "completedAt"), completedAt=""),
    "time as number": _awkward(("wrong_type", "createdAt"), createdAt=1706351400),
    "time null": _awkward(("time_missing", "createdAt"), createdAt=None),
    "time absent": _awkward(("time_missing", "updatedAt"), updatedAt=OMIT),
    "time before year 1": _awkward(("time_unreadable", "createdAt"), createdAt="0001-01-01T00:00:00+14:00"),
    "time after year 9999": _awkward(
        ("time_unreadable", "completedAt"), completedAt="9999-12-31T23:59:59-12:00"
    ),
    "end time absent of completed": _awkward(("time_missing", "completedAt"), completedAt=OMIT),
    "end time absent of failed": _awkward(("time_missing", "failedAt"), status="failed", failedAt=OMIT),
    "end before creation": _awkward(
        ("times_out_of_order", "completedAt"), completedAt="2024-01-27T10:29:59Z"
    ),
    "update before creation": _awkward(("times_out_of_order", "updatedAt"), updatedAt="2024-01-27T10:29:59Z"),
    "failure before creation": _awkward(
        ("times_out_of_order", "failedAt"), status="failed", failedAt="2024-01-27T10:29:59Z"
    ),
    "order hidden by offsets": _awkward(
        ("times_out_of_order", "completedAt"), completedAt="2024-01-27T11:00:00+02:00"
    ),
    "end time while processing": _awkward(
        ("unexpected_time", "completedAt"), status="processing", completedAt=ENDED
    ),
    "failure time of completed": _awkward(("unexpected_time", "failedAt"), failedAt=ENDED),
    "completion time of failed": _awkward(
        ("unexpected_time", "completedAt"), status="failed", completedAt=ENDED
    ),
}

_TEXTS = {
    "markup in a value": _field("<img src=x onerror=alert(1)><script>alert(2)</script>"),
    "markup in a name": _field("x", name="<b onclick='x()'>amount</b>"),
    "markup in a message": _awkward(
        status="failed", error=make_error(message="</td><script>alert(1)</script>")
    ),
    "formula in a value": _field('=HYPERLINK("http://example.org","pay")'),
    "formula in a name": _field("x", name="@SUM(A1:A9)"),
    "formula in a code": _awkward(status="failed", error=make_error(code="=1+1")),
    "bidi controls in a value": _field("\u202egnp.exe\u2066"),
    "bidi controls in a name": _field("x", name="amount\u202e"),
    "escape codes in a message": _awkward(
        status="failed", error=make_error(message="\x1b]0;owned\x07\r\nline")
    ),
    "NUL in a value": _field("a\x00b"),
    "value of 100,000 characters": _field("v" * 100_000),
    "name of 10,000 characters": _field("x", name="n" * 10_000),
    "name empty": _field("x", name=""),
    "name with dots": _field("x", name="line.items[0].amount"),
    "names differing in case": _awkward(result=make_result({"Amount": 1, "amount": 2})),
    "value of line items": _field([{"sku": "A", "qty": 2}, {"sku": "B"}]),
    "value null": _field(None),
    "value huge integer": _field(10**60),
    "value in every script": _field("Größe 数量 كمية 🧾"),
    "lone surrogate in a value": _field("half \ud83d", _NOT_JSON),
    "lone surrogate in a name": _field("x", _NOT_JSON, name="\ud800"),
}

_SHAPES = {
    "unknown keys": _awkward(priority="high", result=make_result() | {"pages": 3}, tenant={"id": 4}),
    "unknown key data": _awkward(("wrong_type", "progress"), progress="45", data={"note": 1}),
    "unknown key data like a job": _awkward(data={"id": "other", "status": "failed"}),
    "unknown key data beside a null id": Awkward(
        as_bytes(make_job_record(id=None, data={"id": "other", "status": "failed"})), (("id_missing", "id"),)
    ),
    "key twice": _raw(b'"status": "completed"', b'"status": "failed", "status": "completed"'),
    "deep value": _raw(b"1250.0", b"[" * 200 + b"]" * 200),
    "too deep a value": Awkward(
        as_bytes(make_job_record()).replace(b"1250.0", b"[" * 5000 + b"]" * 5000),
        (("record_unreadable", ""),),
    ),
    "deep error": _raw(b'"message"', b'"was": ' + b"[" * 200 + b"]" * 200 + b', "message"', status="failed"),
    "empty object": Awkward(b"{}", _EMPTY_RECORD),
    "envelope around nothing": Awkward(b'{"success": true, "data": {}}', _EMPTY_RECORD),
    "envelope around null": Awkward(b'{"success": true, "data": null}', _EMPTY_RECORD),
    "refusal": Awkward(as_refusal("JOB_NOT_FOUND", "no such job"), _EMPTY_RECORD),
    "list": Awkward(b"[]", (("record_unreadable", ""),)),
    "null": Awkward(b"null", (("record_unreadable", ""),)),
    "text": Awkward(b'"job"', (("record_unreadable", ""),)),
    "nothing": Awkward(b"", (("record_unreadable", ""),)),
    "page of a proxy": Awkward(b"<html><body>502 Bad Gateway</body></html>", (("record_unreadable", ""),)),
    "cut off": Awkward(as_bytes(make_job_record())[:-9], (("record_unreadable", ""),)),
    "two records in one line": Awkward(b"{}{}", (("record_unreadable", ""),)),
    "not UTF-8": _raw(b"Acme", b"\xff\xfe", ("record_unreadable", "")),
    "byte order mark": Awkward(b"\xef\xbb\xbf" + as_bytes(make_job_record()), (_NOT_JSON,)),
    "UTF-16": Awkward(json.dumps(make_job_record()).encode("utf-16"), (_NOT_JSON,)),
    "value NaN": _raw(b"1250.0", b"NaN", _NOT_JSON),
}

CATALOGUE: dict[str, Awkward] = _IDENTITY | _PROGRESS | _SCORES | _OUTCOMES | _TIMES | _TEXTS | _SHAPES
"""Awkward records by name, bare unless the name says otherwise, with exactly the problems each must show."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
"""Anything the standard JSON writer takes, NaN and lone surrogates included."""


@st.composite
def typed_records(draw: st.DrawFn) -> Record:
    """Draw records in which every value has the documented type, sound or not."""
    record = make_job_record(
        draw(st.sampled_from(["pending", "processing", "completed", "failed", "archived"]))
    )
    number = st.integers(-5, 105) | st.floats(-0.5, 101, allow_nan=False)
    score = st.floats(0, 1) | st.sampled_from([97, -0.01, None])
    scored = st.fixed_dictionaries({"value": st.text(max_size=5), "confidence": score | st.just("0.9")})
    field = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2) | scored
    stamps = st.datetimes().map(lambda t: t.isoformat() + "Z") | st.sampled_from([CREATED, ENDED, None, OMIT])
    choices: dict[str, st.SearchStrategy[object]] = {
        "progress": number,
        "documentType": st.text(max_size=5),
        "documentId": st.text(max_size=5) | st.none(),
        "result": st.builds(make_result, st.dictionaries(st.text(max_size=5), field, max_size=4), score),
        "error": st.builds(make_error, st.text(max_size=5), st.text(max_size=5), st.none()),
        **dict.fromkeys(("createdAt", "updatedAt", "completedAt", "failedAt"), stamps),
    }
    for key in draw(st.sets(st.sampled_from(sorted(choices)), max_size=3)):
        record[key] = draw(choices[key])
    return {key: value for key, value in record.items() if value is not OMIT}


@st.composite
def broken_records(draw: st.DrawFn) -> Record:
    """Draw documented records in which any values were replaced by any JSON, at any documented depth."""
    record = make_job_record(draw(st.sampled_from(["pending", "processing", "completed", "failed"])))
    holders = [record, *(value for value in record.values() if isinstance(value, dict))]
    for holder in holders:
        for key in draw(st.sets(st.sampled_from([*holder, "data"]), max_size=2)):
            holder[key] = draw(json_values)
    return record
