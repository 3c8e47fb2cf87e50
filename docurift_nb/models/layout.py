"""The wire's names, nesting and types, as structs that a decoder fills in one pass.

A record comes in two readings. The exact one takes any ISO 8601 time and any field value; the plain one
takes only what nearly all records hold, leaves the times as text, and refuses the rest, so that what it does
accept needs no second look. Nothing here is judged.
"""

from datetime import datetime
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

Status = TypeVar("Status", bound=str)
Time = TypeVar("Time")
Value = TypeVar("Value")


class WireResult(msgspec.Struct, Generic[Value], rename="camel", gc=False):
    """What was extracted."""

    extracted_fields: dict[str, Value] | None = None
    confidence: float | None = None


class WireDetails(msgspec.Struct, gc=False):
    """Where a job failed, and whether to try again."""

    step: str | None = None
    retryable: bool | None = None


class WireError(msgspec.Struct, gc=False):
    """Why a job failed."""

    code: str | None = None
    message: str | None = None
    details: WireDetails | None = None


class WireRecord(msgspec.Struct, Generic[Status, Time, Value], rename="camel", gc=False):
    """One job."""

    id: str
    status: Status
    progress: float | None = None
    document_type: str | None = None
    document_id: str | None = None
    result: WireResult[Value] | None = None
    error: WireError | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    completed_at: Time | None = None
    failed_at: Time | None = None


ExactRecord: TypeAlias = WireRecord[str, datetime, Any]


class ExactEnvelope(msgspec.Struct, gc=False):
    """An answer about one job; ``id`` and ``status`` tell a bare record with a key ``data`` apart."""

    data: ExactRecord
    success: bool | None = None
    id: Any = msgspec.UNSET
    status: Any = msgspec.UNSET


PlainStatus: TypeAlias = Literal["pending", "processing", "completed", "failed"]
# An object directly under a field's name may be a score of its own, so it is not plain.
_Scalar: TypeAlias = str | float | bool | None
PlainValue: TypeAlias = _Scalar | list[_Scalar | dict[str, _Scalar]]
PlainRecord: TypeAlias = WireRecord[PlainStatus, str, PlainValue]


class PlainEnvelope(msgspec.Struct, gc=False):
    """An answer about one job that no reading could take for a bare record."""

    data: PlainRecord
    success: bool | None = None
    id: msgspec.UnsetType = msgspec.UNSET
    status: msgspec.UnsetType = msgspec.UNSET


class PlainBareRecord(WireRecord[PlainStatus, str, PlainValue], rename="camel", gc=False):
    """A job without an envelope, which no reading could take for one."""

    data: msgspec.UnsetType = msgspec.UNSET
