"""How each kind of fault looks on the wire.

A table from kind to what is sent instead of the truth; when a fault strikes is decided in `faults`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from docurift_nb.sandbox.exchange import Exchange
from docurift_nb.sandbox.faults import Fault, FaultKind
from docurift_nb.sandbox.jobs import Job
from docurift_nb.sandbox.wire import Answer, data_body, dumps, error_body

_PHRASES = {
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}
_PIECE = b"\x00garbage" * 8192


@dataclass(frozen=True, slots=True)
class Truth:
    """The answer that would have been sent, and what it was made of.

    Parameters
    ----------
    job_id, job
        What was asked for; the job is None if it may not be seen.
    answer
        The unspoiled answer.
    now
        Time of the request on the sandbox's clock.
    request_id
        For error envelopes.
    """

    job_id: str
    job: Job | None
    answer: Answer
    now: float
    request_id: str

    @property
    def final_of(self) -> str | None:
        """The id of the job whose end this answer tells; None if it does not."""
        return self.job_id if self.answer.final else None

    def data(self, *, shift_s: float = 0.0) -> dict[str, Any]:
        """Build the job object; only faults that need a job ask for it."""
        return {} if self.job is None else self.job.data(self.now, shift_s=shift_s)


async def misbehave(fault: Fault, exchange: Exchange, truth: Truth) -> None:
    """Send what `fault` makes of the truth."""
    kind = FaultKind(fault.kind)
    if kind in _SPOILED:
        await exchange.reply(_SPOILED[kind](fault, truth))
    else:
        await _PLAYED[kind](fault, exchange, truth)


def _seconds(value: float) -> str:
    return f"{value:g}"


def _rate_limited(truth: Truth, *headers: tuple[str, str]) -> Answer:
    body = error_body(
        "RATE_LIMIT_EXCEEDED", "Too many requests, please slow down", request_id=truth.request_id
    )
    return Answer(429, body, headers=headers)


def _rate_limited_until(fault: Fault, truth: Truth) -> Answer:
    until = formatdate(truth.now + fault.retry_after_s, usegmt=True)
    return _rate_limited(truth, ("Retry-After", until))


def _server_error(_fault: Fault, truth: Truth) -> Answer:
    body = error_body("INTERNAL_ERROR", "An unexpected error occurred", request_id=truth.request_id)
    return Answer(500, body)


def _gateway(fault: Fault, truth: Truth) -> Answer:
    status = int(fault.kind)
    if fault.html:
        return Answer(status, _page(f"{status} {_PHRASES[status]}"), "text/html")
    code = _PHRASES[status].upper().replace(" ", "_").replace("-", "")
    return Answer(status, error_body(code, _PHRASES[status], request_id=truth.request_id))


def _success_false(_fault: Fault, truth: Truth) -> Answer:
    body = error_body("INTERNAL_ERROR", "The status is not available", request_id=truth.request_id)
    return Answer(200, body)


def _redirect(fault: Fault, _truth: Truth) -> Answer:
    return Answer(fault.status, b"", "text/html", (("Location", fault.location),))


def _wrong_id(_fault: Fault, truth: Truth) -> Answer:
    return Answer(200, data_body(dumps(truth.data() | {"id": "job_000000000000"})))


def _unknown_status(fault: Fault, truth: Truth) -> Answer:
    return Answer(200, data_body(dumps(truth.data() | {"status": fault.word})))


def _page(title: str) -> bytes:
    return f"<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n".encode()


_SPOILED: dict[FaultKind, Callable[[Fault, Truth], Answer]] = {
    FaultKind.RATE_LIMITED: lambda fault, truth: _rate_limited(
        truth, ("Retry-After", _seconds(fault.retry_after_s))
    ),
    FaultKind.RATE_LIMITED_UNTIL: _rate_limited_until,
    FaultKind.RATE_LIMITED_BARE: lambda _fault, truth: _rate_limited(truth),
    FaultKind.SERVER_ERROR: _server_error,
    FaultKind.BAD_GATEWAY: _gateway,
    FaultKind.UNAVAILABLE: _gateway,
    FaultKind.GATEWAY_TIMEOUT: _gateway,
    FaultKind.HTML: lambda _fault, _truth: Answer(200, _page("Sign in to continue"), "text/html"),
    FaultKind.REDIRECT: _redirect,
    FaultKind.WRONG_ID: _wrong_id,
    FaultKind.UNKNOWN_STATUS: _unknown_status,
    FaultKind.INVALID_UTF8: lambda _fault, _truth: Answer(200, b'{"success":true,"data":"\xff\xfe"}'),
    FaultKind.NOT_JSON: lambda _fault, _truth: Answer(200, b'{"success": true, "data": {"id": '),
    FaultKind.SUCCESS_FALSE: _success_false,
}


async def _hang(_fault: Fault, exchange: Exchange, _truth: Truth) -> None:
    await exchange.hang()


async def _reset(_fault: Fault, exchange: Exchange, _truth: Truth) -> None:
    await exchange.reset()


async def _cut(_fault: Fault, exchange: Exchange, truth: Truth) -> None:
    await exchange.cut(truth.answer)


async def _delay(fault: Fault, exchange: Exchange, truth: Truth) -> None:
    if await exchange.gone(within=fault.delay_s):
        await exchange.hang()
    else:
        await exchange.reply(truth.answer, final_of=truth.final_of)


async def _slow_body(fault: Fault, exchange: Exchange, truth: Truth) -> None:
    await exchange.drip(truth.answer, seconds=fault.delay_s, final_of=truth.final_of)


async def _wrong_type(_fault: Fault, exchange: Exchange, truth: Truth) -> None:
    answer = truth.answer._replace(content_type="text/plain")
    await exchange.reply(answer, final_of=truth.final_of)


async def _huge_body(fault: Fault, exchange: Exchange, _truth: Truth) -> None:
    whole, rest = divmod(fault.size, len(_PIECE))
    pieces = (_PIECE[: rest if i == whole else None] for i in range(whole + 1))
    await exchange.stream(Answer(200, b""), pieces)


async def _clock_skew(fault: Fault, exchange: Exchange, truth: Truth) -> None:
    body = data_body(dumps(truth.data(shift_s=fault.shift_s)))
    await exchange.reply(Answer(200, body), shift_s=fault.shift_s)


_PLAYED: dict[FaultKind, Callable[[Fault, Exchange, Truth], Awaitable[None]]] = {
    FaultKind.HANG: _hang,
    FaultKind.RESET: _reset,
    FaultKind.TRUNCATED: _cut,
    FaultKind.DELAY: _delay,
    FaultKind.SLOW_BODY: _slow_body,
    FaultKind.WRONG_TYPE: _wrong_type,
    FaultKind.HUGE_BODY: _huge_body,
    FaultKind.CLOCK_SKEW: _clock_skew,
}
