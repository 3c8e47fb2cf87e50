"""What goes over the wire: JSON answers, the error envelope, time stamps.

It knows the documented shapes and nothing of where jobs come from.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, NamedTuple

JSON = "application/json"


class Answer(NamedTuple):
    """One HTTP answer, complete and not yet sent."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    final: bool = False


class Refusal(Exception):  # noqa: N818 -- it is an answer of the service, not a fault of the program
    """The service says no: carries what the error envelope needs.

    Parameters
    ----------
    status
        HTTP status.
    code
        The documented error code.
    message
        Text for people.
    details
        Optional object under ``error.details``.
    retry_after_s
        Sent as the header ``Retry-After`` when given.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.details, self.retry_after_s = details, retry_after_s

    def answer(self, request_id: str) -> Answer:
        """Put the refusal into the error envelope."""
        headers = () if self.retry_after_s is None else (("Retry-After", str(self.retry_after_s)),)
        body = error_body(self.code, self.message, request_id=request_id, details=self.details)
        return Answer(self.status, body, headers=headers)


def dumps(value: object) -> bytes:
    """Encode as compact UTF-8 JSON, keeping non-Latin text readable."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate in recorded text has no UTF-8 form; as an escape it has a JSON form.
    return text.encode("utf-8", errors="backslashreplace")


def data_body(data: bytes) -> bytes:
    """Wrap encoded data into the success envelope."""
    return b'{"success":true,"data":' + data + b"}"


def error_body(
    code: str, message: str, *, request_id: str, details: Mapping[str, Any] | None = None
) -> bytes:
    """Encode the documented error envelope."""
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = dict(details)
    return dumps({"success": False, "error": error, "requestId": request_id})


def time_text(epoch_s: float) -> str:
    """Write seconds since 1970 as ISO 8601 in UTC with milliseconds and ``Z``."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def time_value(text: object) -> float | None:
    """Read an ISO 8601 time as seconds since 1970; None where it is none. Naive times are UTC."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@functools.lru_cache(maxsize=8)
def http_date(epoch_s: int) -> str:
    """Write whole seconds since 1970 as an HTTP date."""
    return formatdate(epoch_s, usegmt=True)


def raw_headers(answer: Answer, *, now: float, length: bool = True) -> list[tuple[bytes, bytes]]:
    """List the headers of an answer as ASGI wants them; `length` False leaves it chunked."""
    return list(_pairs(answer, now=now, length=length))


def _pairs(answer: Answer, *, now: float, length: bool) -> Iterator[tuple[bytes, bytes]]:
    yield b"content-type", answer.content_type.encode()
    yield b"date", http_date(int(now)).encode()
    if length:
        yield b"content-length", b"%d" % len(answer.body)
    for name, value in answer.headers:
        yield name.lower().encode("latin-1"), value.encode("latin-1")
