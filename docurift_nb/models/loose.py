"""The slow way from a record to a job: key by key, keeping what has the documented type.

What has not is left out and noted as a problem. It reads parsed JSON and knows no bytes.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from docurift_nb.errors import show
from docurift_nb.models.contract import problems_of
from docurift_nb.models.job import Failure, Job, Problem

Notes: TypeAlias = list[Problem]
_LEFT_OUT = frozenset({"wrong_type", "time_unreadable"})
_TIMES = {
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "completed_at": "completedAt",
    "failed_at": "failedAt",
}


def judged(job: Job, notes: tuple[Problem, ...] = ()) -> Job:
    """Bring the times to UTC and attach what breaks the contract."""
    more = list(notes)
    times = {name: _to_utc(getattr(job, name), wire, more) for name, wire in _TIMES.items()}
    job = msgspec.structs.replace(job, **times)
    # A place that was left out as unreadable is not reported a second time as missing, nor what is in it.
    left_out = tuple(note.where for note in more if note.code in _LEFT_OUT)
    found = (p for p in problems_of(job) if not _is_within(p.where, left_out))
    return msgspec.structs.replace(job, problems=(*more, *found))


def _to_utc(time: datetime | None, where: str, notes: Notes) -> datetime | None:
    if time is None:
        return None
    if time.tzinfo is None:
        notes.append(Problem("time_without_zone", where, f"expected a zone, got {time}; read as UTC"))
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        notes.append(Problem("time_unreadable", where, f"expected a UTC year in 1..9999, got {time}"))
        return None


def _is_within(where: str, places: tuple[str, ...]) -> bool:
    return any(where == place or where.startswith(place + ".") for place in places)


def read_loosely(data: dict[str, Any], body: bytes, notes: Notes) -> Job:
    """Read the object of a job; ``body`` becomes ``raw``, ``notes`` come first among the problems."""
    result = _object(data, "result", "result", notes)
    job = Job(
        job_id=_text(data, "id", "id", notes) or "",
        status=_text(data, "status", "status", notes) or "",
        progress=_number(data, "progress", "progress", notes),
        document_type=_text(data, "documentType", "documentType", notes),
        document_id=_text(data, "documentId", "documentId", notes),
        extracted_fields=_object(result or {}, "extractedFields", "result.extractedFields", notes),
        confidence=_number(result or {}, "confidence", "result.confidence", notes),
        failure=_read_failure(data, notes),
        created_at=_time(data, "createdAt", "createdAt", notes),
        updated_at=_time(data, "updatedAt", "updatedAt", notes),
        completed_at=_time(data, "completedAt", "completedAt", notes),
        failed_at=_time(data, "failedAt", "failedAt", notes),
        raw=body,
    )
    return judged(job, tuple(notes))


def _read_failure(data: dict[str, Any], notes: Notes) -> Failure | None:
    error = _object(data, "error", "error", notes)
    if error is None:
        return None
    details = _object(error, "details", "error.details", notes) or {}
    return Failure(
        code=_text(error, "code", "error.code", notes),
        message=_text(error, "message", "error.message", notes),
        step=_text(details, "step", "error.details.step", notes),
        retryable=_flag(details, "retryable", "error.details.retryable", notes),
    )


def _typed(
    holder: dict[str, Any],
    key: str,
    where: str,
    notes: Notes,
    wanted: tuple[str, Callable[[Any], bool]],
) -> Any:  # noqa: ANN401  # whatever type `wanted` accepts
    value = holder.get(key)
    word, accepts = wanted
    if value is None or accepts(value):
        return value
    notes.append(Problem("wrong_type", where, f"expected {word}, got {show(value)}"))
    return None


def _text(holder: dict[str, Any], key: str, where: str, notes: Notes) -> str | None:
    text: str | None = _typed(holder, key, where, notes, ("a string", lambda v: type(v) is str))
    return text


def _object(holder: dict[str, Any], key: str, where: str, notes: Notes) -> dict[str, Any] | None:
    found: dict[str, Any] | None = _typed(
        holder, key, where, notes, ("an object", lambda v: isinstance(v, dict))
    )
    return found


def _flag(holder: dict[str, Any], key: str, where: str, notes: Notes) -> bool | None:
    flag: bool | None = _typed(holder, key, where, notes, ("true or false", lambda v: type(v) is bool))
    return flag


def _number(holder: dict[str, Any], key: str, where: str, notes: Notes) -> float | None:
    value = _typed(holder, key, where, notes, ("a number", lambda v: type(v) in (int, float)))
    try:
        return None if value is None else float(value)
    except OverflowError:
        notes.append(Problem("wrong_type", where, "expected a number, got one beyond a double's range"))
        return None


def _time(holder: dict[str, Any], key: str, where: str, notes: Notes) -> datetime | None:
    text = _text(holder, key, where, notes)
    if text is None:
        return None
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        notes.append(Problem("time_unreadable", where, f"expected an ISO 8601 time, got {show(text)}"))
        return None
