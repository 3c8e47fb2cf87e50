"""Bytes to values. A sound record takes one typed pass; anything else is read key by key.

The strict pass decodes straight into typed structs. When it refuses, ``loose`` keeps what has the
documented type, leaves out what has not, and notes each such place as a problem. Nothing is converted:
a progress of ``"45"`` is missing and reported, not 45.
"""

import gc
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from itertools import islice
from typing import Any

import msgspec

from docurift_nb.errors import UnreadableAnswerError, shorten
from docurift_nb.models.contract import is_sound
from docurift_nb.models.job import Failure, Job, Problem, Refusal
from docurift_nb.models.layout import ExactEnvelope, ExactRecord, WireError
from docurift_nb.models.loose import Notes, judged, read_loosely

_decode_envelope = msgspec.json.Decoder(ExactEnvelope).decode
_decode_bare = msgspec.json.Decoder(ExactRecord).decode
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.encode

# Few enough for their values to be in the processor's cache still when the caller takes what it needs.
_CHUNK = 32


def decode_answer(body: bytes) -> Job:
    """Read the body of a ``200`` answer of ``GET /v1/jobs/:id``.

    Raises
    ------
    UnreadableAnswerError
        When it is no JSON object with ``success`` true and ``data`` holding at least an id and a status.
    """
    job = _strict_answer(body) or _loose_answer(body)
    if not job.job_id or not job.status:
        raise UnreadableAnswerError(expected="a job with 'id' and 'status'", got=_preview(body))
    return job


def _strict_answer(body: bytes) -> Job | None:
    try:
        answer = _decode_envelope(body)
        return _job(answer.data, body) if answer.success else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _loose_answer(body: bytes) -> Job:
    notes: Notes = []
    envelope = _parse(body, notes)
    if not isinstance(envelope, dict) or not isinstance(envelope.get("data"), dict):
        raise UnreadableAnswerError(expected="a JSON object with a job in 'data'", got=_preview(body))
    if envelope.get("success") is not True:
        raise UnreadableAnswerError(expected="'success': true", got=_preview(body))
    return read_loosely(envelope["data"], body, notes)


def decode_refusal(body: bytes) -> Refusal | None:
    """Read the body of a refused request; None where it is not the documented error envelope."""
    answer = _parse(body, [])
    if not isinstance(answer, dict) or answer.get("success") is not False:
        return None
    error = answer.get("error")
    error = error if isinstance(error, dict) else {}
    request_id = answer.get("requestId")
    return Refusal(
        code=_text_or_empty(error.get("code")),
        message=_text_or_empty(error.get("message")),
        request_id=request_id if isinstance(request_id, str) else None,
    )


def decode_record(record: bytes | str | Mapping[str, Any]) -> Job:
    """Read one recorded job, with or without the ``{"success", "data"}`` envelope. Never raises.

    A record that is no JSON object, or carries no id, comes back as a job with an empty ``job_id`` and
    the problem ``record_unreadable`` or ``id_missing``. A mapping is first written as JSON, which becomes
    ``raw``: dates as ISO 8601, bytes as base64; what JSON has no form for, such as NaN, as null with the
    problem ``not_json``.
    """
    if not isinstance(record, (bytes, str)):
        return _from_mapping(record)
    body = record.encode("utf-8", "surrogatepass") if isinstance(record, str) else record
    for strict in (_strict_envelope, _strict_bare):
        job = strict(body)
        if job is not None:
            return job
    notes: Notes = []
    parsed = _parse(body, notes)
    if not isinstance(parsed, dict):
        return _unreadable(body)
    return read_loosely(_inner(parsed), body, notes)


def decode_records(records: Iterable[bytes | str | Mapping[str, Any]]) -> Iterator[Job]:
    """Read many recorded jobs, each exactly as ``decode_record`` would, without stops of the collector.

    Lazy, a small chunk at a time, each under ``collector_paused``.
    """
    iterator = iter(records)
    while chunk := list(islice(iterator, _CHUNK)):
        with collector_paused():
            jobs = [decode_record(record) for record in chunk]
        yield from jobs


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cycle collector of the process from running: for building many values at once.

    Fresh values cannot be garbage yet, and looking for some costs as much as decoding. Never hold it over
    a ``yield`` to a caller.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _strict_envelope(body: bytes) -> Job | None:
    try:
        envelope = _decode_envelope(body)
        is_bare = envelope.id is not msgspec.UNSET and envelope.status is not msgspec.UNSET
        return None if is_bare else _job(envelope.data, body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _strict_bare(body: bytes) -> Job | None:
    try:
        return _job(_decode_bare(body), body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _from_mapping(record: Mapping[str, Any]) -> Job:
    notes: Notes = []
    try:
        body = _written(dict(record), notes)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        return _unreadable(b"", f"a mapping that JSON cannot hold: {shorten(str(error), 120)}")
    job = decode_record(body)
    return msgspec.structs.replace(job, problems=(*notes, *job.problems)) if notes else job


def _written(record: dict[Any, Any], notes: Notes) -> bytes:
    def builtin(value: object) -> object:
        try:
            return msgspec.to_builtins(value)
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
            notes.append(Problem("not_json", "", f"expected a JSON value, got {_kind(value)}; read as null"))
            return None

    try:
        body = _encode(record)
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError):
        body = b""
    # A null may have been NaN, which only the standard writer tells apart.
    if body and b"null" not in body:
        return body
    return json.dumps(record, default=builtin).encode()


def _kind(value: object) -> str:
    return f"<{shorten(type(value).__name__, 80)}>"


def _inner(parsed: dict[str, Any]) -> dict[str, Any]:
    # A record with an id and a status of its own is bare, whatever its key "data" may hold.
    if "id" in parsed and "status" in parsed:
        return parsed
    data = parsed.get("data")
    return data if isinstance(data, dict) else parsed


def _unreadable(body: bytes, got: str = "") -> Job:
    problem = Problem("record_unreadable", "", f"expected a JSON object, got {got or _preview(body)}")
    return Job(job_id="", status="", problems=(problem,), raw=body)


def _preview(body: bytes) -> str:
    text = body[:400].decode("utf-8", "replace")
    return f"{len(body):,} bytes starting {shorten(text, 120)!r}" if body else "an empty body"


def _text_or_empty(value: object) -> str:
    return value if isinstance(value, str) else ""


def _parse(body: bytes, notes: Notes) -> object:
    try:
        return _decode_any(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        why = shorten(str(error), 120)
    try:
        # The standard parser also reads NaN, other encodings and lone surrogates, which the strict one
        # refuses; they are scrubbed so that every later step can encode the text.
        parsed = json.loads(body, parse_constant=_none, parse_int=_int)
        scrubbed = json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace")
        parsed = json.loads(scrubbed, parse_constant=_none)
    except (ValueError, RecursionError):
        return None
    notes.append(Problem("not_json", "", f"expected strict JSON, got {why}; read with replacements"))
    return parsed


def _none(_: str) -> None:
    return None


def _int(digits: str) -> int | None:
    try:
        return int(digits)
    except ValueError:
        # Python refuses numbers of thousands of digits; one of them shall not cost the whole record.
        return None


def _job(record: ExactRecord, body: bytes) -> Job:
    result, error = record.result, record.error
    job = Job(
        job_id=record.id,
        status=record.status,
        progress=record.progress,
        document_type=record.document_type,
        document_id=record.document_id,
        extracted_fields=result.extracted_fields if result is not None else None,
        confidence=result.confidence if result is not None else None,
        failure=failure_of(error) if error is not None else None,
        created_at=record.created_at,
        updated_at=record.updated_at,
        completed_at=record.completed_at,
        failed_at=record.failed_at,
        raw=body,
    )
    return job if _in_utc(job) and is_sound(job) else judged(job)


def failure_of(error: WireError) -> Failure:
    """Return the failure that a typed pass found."""
    details = error.details
    return Failure(
        code=error.code,
        message=error.message,
        step=details.step if details is not None else None,
        retryable=details.retryable if details is not None else None,
    )


def _in_utc(job: Job) -> bool:
    # Spelled out: a loop over the four costs more than building the job.
    created, updated, completed, failed = job.created_at, job.updated_at, job.completed_at, job.failed_at
    return (
        (created is None or created.tzinfo is UTC)
        and (updated is None or updated.tzinfo is UTC)
        and (completed is None or completed.tzinfo is UTC)
        and (failed is None or failed.tzinfo is UTC)
    )
