"""The values: a job, its failure, its fields, and what is wrong with a record."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from docurift_nb.errors import shorten

KNOWN_STATUSES = ("pending", "processing", "completed", "failed")
FINAL_STATUSES = frozenset({"completed", "failed"})


class Problem(msgspec.Struct, frozen=True):
    """One way in which a record breaks the documented contract.

    Attributes
    ----------
    code : str
        A stable word such as ``confidence_out_of_range``.
    where : str
        The wire path it concerns, such as ``result.confidence``.
    detail : str
        Expected against got, shortened. Holds text from the API: untrusted.
    """

    code: str
    where: str
    detail: str


class Failure(msgspec.Struct, frozen=True):
    """Why the service says that a job failed. Its texts come from the API: untrusted.

    Attributes
    ----------
    code, message : str or None
        Machine and human word for it.
    step : str or None
        The processing step that failed.
    retryable : bool or None
        Whether submitting again may help; None where the service does not say.
    """

    code: str | None = None
    message: str | None = None
    step: str | None = None
    retryable: bool | None = None


class ExtractedField(msgspec.Struct, frozen=True):
    """One extracted field; ``confidence`` is None where the service gave none for it."""

    name: str
    value: Any
    confidence: float | None = None


class Refusal(msgspec.Struct, frozen=True):
    """The error body of a refused request."""

    code: str = ""
    message: str = ""
    request_id: str | None = None


def is_scored(value: object) -> bool:
    """Tell whether a field's wire value is ``{"value": ..., "confidence": ...}``.

    >>> is_scored({"value": 3, "confidence": 0.9}), is_scored({"value": 3, "unit": "kg"})
    (True, False)
    """
    return type(value) is dict and "value" in value and "confidence" in value


def as_score(value: object) -> float | None:
    """Return a wire score as float, or None where it is no number or beyond a double's range."""
    if not isinstance(value, (int, float)) or type(value) is bool:
        return None
    try:
        return float(value)
    except OverflowError:
        return None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One answer about one job, as the service gave it; nothing in it is repaired.

    Attributes
    ----------
    job_id : str
        Opaque; empty where the record carried none.
    status : str
        ``pending``, ``processing``, ``completed``, ``failed``, or a word this version does not know.
    progress : float or None
        Percent, 0 to 100.
    document_type, document_id : str or None
    extracted_fields : dict or None
        Field name to value as on the wire: plain, nested, or ``{"value", "confidence"}``.
    confidence : float or None
        The document's score as given, expected in 0..1.
    failure : Failure or None
        Only for failed jobs.
    created_at, updated_at, completed_at, failed_at : datetime or None
        Aware, UTC.
    problems : tuple of Problem
        Where the record breaks the contract; empty for a sound one.
    raw : bytes
        The JSON it was read from, unknown keys and all.
    """

    job_id: str
    status: str
    progress: float | None = None
    document_type: str | None = None
    document_id: str | None = None
    extracted_fields: dict[str, Any] | None = None
    confidence: float | None = None
    failure: Failure | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    problems: tuple[Problem, ...] = ()
    raw: bytes = b""

    @property
    def is_final(self) -> bool:
        """Whether the service calls the job completed or failed; an unknown word is not final."""
        return self.status in FINAL_STATUSES

    @property
    def ended_at(self) -> datetime | None:
        """When it completed or failed; None while open, whatever times the record holds."""
        if self.status == "completed":
            return self.completed_at
        return self.failed_at if self.status == "failed" else None

    @property
    def duration_s(self) -> float | None:
        """Seconds from creation to the end; None while open or where a time is missing."""
        if self.ended_at is None or self.created_at is None:
            return None
        return (self.ended_at - self.created_at).total_seconds()

    def fields(self) -> Iterator[ExtractedField]:
        """Yield the extracted fields with their scores, in the order of the wire."""
        for name, value in (self.extracted_fields or {}).items():
            if is_scored(value):
                yield ExtractedField(name, value["value"], as_score(value["confidence"]))
            else:
                yield ExtractedField(name, value)

    def __repr__(self) -> str:
        progress = "" if self.progress is None or self.is_final else f" {self.progress:g} %"
        flaws = f", problems: {len(self.problems)}" if self.problems else ""
        code = f" {shorten(self.failure.code or 'no code', 40)}" if self.failure else ""
        return f"<Job {shorten(self.job_id, 80)!r}: {shorten(self.status, 40)}{progress}{code}{flaws}>"
