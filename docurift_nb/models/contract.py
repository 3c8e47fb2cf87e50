"""What in a record breaks the documented contract: checks only, nothing is changed.

A record is judged against the public reference of ``GET /v1/jobs/:id``: four statuses, progress 0 to
100, scores in 0..1, a result exactly when completed, an error code exactly when failed, times that do
not run backwards.
"""

from collections.abc import Iterator
from typing import NamedTuple

from docurift_nb.errors import shorten, show
from docurift_nb.models.job import FINAL_STATUSES, KNOWN_STATUSES, Job, Problem, as_score, is_scored


class Shape(NamedTuple):
    """What a record of one status holds when it is sound, by the names of ``bulk.PlainColumns``.

    Beside this, every sound record has an id, a progress of at most 100, a creation, an update not before
    it, no other time before it, and no score outside 0..1.
    """

    needs: tuple[str, ...]
    lacks: tuple[str, ...]
    least_progress: float = 0


_OUTCOME = ("document_id", "n_fields", "confidence", "completed_at")
_OPEN = Shape(needs=(), lacks=(*_OUTCOME, "failure", "failed_at"))
SHAPES = {
    "pending": _OPEN,
    "processing": _OPEN,
    "completed": Shape(needs=_OUTCOME, lacks=("failure", "failed_at"), least_progress=100),
    "failed": Shape(needs=("error_code", "failed_at"), lacks=_OUTCOME),
}
"""The same rules as ``problems_of``, for judging columns: what they let pass has no problem."""


def problems_of(job: Job) -> Iterator[Problem]:
    """Yield every breach of the contract in ``job``, in a fixed order."""
    yield from _identity(job)
    yield from _progress(job)
    yield from _scores(job)
    yield from _outcome(job)
    yield from _times(job)


def is_sound(job: Job) -> bool:
    """Tell quickly that a record is free of problems; False means ``problems_of`` must look.

    Nearly every record of a large fleet is sound, so this is what makes checking all of them cheap.
    """
    if not job.job_id or job.created_at is None or job.updated_at is None:
        return False
    if job.status == "completed":
        return _is_sound_completed(job)
    if job.status == "failed":
        return _is_sound_failed(job)
    return False


def _is_sound_completed(job: Job) -> bool:
    fields, score, end = job.extracted_fields, job.confidence, job.completed_at
    return (
        job.progress == 100
        and fields is not None
        and score is not None
        and 0.0 <= score <= 1.0
        and job.failure is None
        and job.failed_at is None
        and job.document_id is not None
        and end is not None
        and job.created_at <= end  # type: ignore[operator]  # checked by is_sound
        and job.created_at <= job.updated_at  # type: ignore[operator]  # checked by is_sound
        and dict not in map(type, fields.values())
    )


def _is_sound_failed(job: Job) -> bool:
    end = job.failed_at
    return (
        job.failure is not None
        and bool(job.failure.code)
        and job.extracted_fields is None
        and job.confidence is None
        and job.document_id is None
        and job.completed_at is None
        and job.progress is not None
        and 0 <= job.progress <= 100
        and end is not None
        and job.created_at <= end  # type: ignore[operator]  # checked by is_sound
        and job.created_at <= job.updated_at  # type: ignore[operator]  # checked by is_sound
    )


def _identity(job: Job) -> Iterator[Problem]:
    if not job.job_id:
        yield Problem("id_missing", "id", "expected a job id, got none")
    if job.status not in KNOWN_STATUSES:
        expected = "one of " + ", ".join(KNOWN_STATUSES)
        code = "unknown_status" if job.status else "status_missing"
        yield Problem(code, "status", f"expected {expected}, got {shorten(job.status)!r}")


def _progress(job: Job) -> Iterator[Problem]:
    if job.progress is None:
        yield Problem("progress_missing", "progress", "expected 0..100, got none")
    elif not 0 <= job.progress <= 100:
        yield Problem("progress_out_of_range", "progress", f"expected 0..100, got {job.progress:g}")
    elif job.status == "completed" and job.progress < 100:
        yield Problem("progress_not_full", "progress", f"expected 100, got {job.progress:g}")


def _scores(job: Job) -> Iterator[Problem]:
    yield from _score(job.confidence, "result.confidence")
    for name, value in (job.extracted_fields or {}).items():
        if not is_scored(value):
            continue
        where = f"result.extractedFields.{shorten(name, 80)}.confidence"
        score = as_score(value["confidence"])
        if score is None and value["confidence"] is not None:
            got = show(value["confidence"])
            yield Problem("confidence_not_a_number", where, f"expected a number, got {got}")
        yield from _score(score, where)


def _score(score: float | None, where: str) -> Iterator[Problem]:
    if score is None or 0.0 <= score <= 1.0:
        return
    looks_percent = 1.0 < score <= 100.0
    code = "confidence_on_percent_scale" if looks_percent else "confidence_out_of_range"
    yield Problem(code, where, f"expected 0..1, got {score:g}")


def _outcome(job: Job) -> Iterator[Problem]:
    if not job.status:
        return
    while_ = f"expected none while {shorten(job.status)}"
    if job.status == "completed":
        yield from _completed(job)
    else:
        if job.extracted_fields is not None or job.confidence is not None:
            yield Problem("unexpected_result", "result", while_)
        if job.document_id is not None:
            yield Problem("unexpected_document_id", "documentId", while_)
    if job.status == "failed":
        yield from _failed(job)
    elif job.failure is not None:
        yield Problem("unexpected_error", "error", while_)


def _completed(job: Job) -> Iterator[Problem]:
    if job.extracted_fields is None:
        yield Problem("result_missing", "result.extractedFields", "expected an object, got none")
    elif job.confidence is None:
        yield Problem("confidence_missing", "result.confidence", "expected 0..1, got none")
    if job.document_id is None:
        yield Problem("document_id_missing", "documentId", "expected a document id, got none")


def _failed(job: Job) -> Iterator[Problem]:
    if job.failure is None or not job.failure.code:
        yield Problem("error_code_missing", "error.code", "expected an error code, got none")


def _times(job: Job) -> Iterator[Problem]:
    if job.created_at is None:
        yield Problem("time_missing", "createdAt", "expected an ISO 8601 time, got none")
    if job.updated_at is None:
        yield Problem("time_missing", "updatedAt", "expected an ISO 8601 time, got none")
    yield from _end_times(job)
    for name, time in (
        ("updatedAt", job.updated_at),
        ("completedAt", job.completed_at),
        ("failedAt", job.failed_at),
    ):
        if job.created_at is not None and time is not None and time < job.created_at:
            early = (job.created_at - time).total_seconds()
            yield Problem("times_out_of_order", name, f"{early:g} s before createdAt")


def _end_times(job: Job) -> Iterator[Problem]:
    if not job.status:
        return
    expected = {"completed": "completedAt", "failed": "failedAt"}.get(job.status)
    given = {"completedAt": job.completed_at, "failedAt": job.failed_at}
    if job.status in FINAL_STATUSES and given[expected or ""] is None:
        yield Problem("time_missing", expected or "", "expected an ISO 8601 time, got none")
    for name, time in given.items():
        if time is not None and name != expected:
            yield Problem("unexpected_time", name, f"expected none while {shorten(job.status)}")
