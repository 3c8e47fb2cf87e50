"""From what came over the wire to a job or the right error: status, code and body, judged together.

A refusal counts as the API's own only with the documented error envelope. A bare 404 from a proxy or a
wrong base_url must never read as "no such job", nor a firewall's 403 as "not your job".
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from docurift_nb.client.transport import Reply
from docurift_nb.errors import (
    ApiError,
    AuthError,
    CreditsError,
    ForbiddenError,
    JobNotFoundError,
    RateLimitError,
    ServerError,
    UnreadableAnswerError,
    shorten,
)
from docurift_nb.models import Job, Refusal, decode_answer, decode_refusal

# Some services send refusals with status 200; the code then tells which one is meant.
_STATUS_OF_CODE = {
    "JOB_NOT_FOUND": 404,
    "UNAUTHORIZED": 401,
    "INVALID_API_KEY": 401,
    "API_KEY_EXPIRED": 401,
    "API_KEY_DISABLED": 401,
    "FORBIDDEN": 403,
    "INSUFFICIENT_CREDITS": 402,
    "RATE_LIMIT_EXCEEDED": 429,
}
_ERRORS: dict[int, type[ApiError]] = {
    401: AuthError,
    402: CreditsError,
    403: ForbiddenError,
    404: JobNotFoundError,
}
_LONGEST_HINT_S = 24 * 3600.0


def judge(job_id: str, reply: Reply, scrub: Callable[[bytes], bytes] = bytes) -> Job:
    """Return the job in ``reply``.

    Parameters
    ----------
    job_id : str
        The job that was asked about.
    reply : Reply
    scrub : callable
        Takes secrets out of the body, and of every header that is quoted.

    Raises
    ------
    ApiError
        Of the kind that the status and the code call for.
    UnreadableAnswerError
        For anything that is not an answer of the API about this job.
    """
    body = scrub(reply.body)
    if reply.status != 200:
        raise _refusal(job_id, reply, body, scrub)
    try:
        job = decode_answer(body)
    except UnreadableAnswerError as error:
        refusal = decode_refusal(body)
        if refusal is not None and refusal.code in _STATUS_OF_CODE:
            raise _api_error(job_id, _STATUS_OF_CODE[refusal.code], refusal, reply.headers) from None
        error.job_id, error.status = job_id, reply.status
        raise
    if job.job_id != job_id:
        raise UnreadableAnswerError(
            what="the answer is about another job",
            job_id=job_id,
            status=reply.status,
            expected=f"id {shorten(job_id)!r}",
            got=f"id {shorten(job.job_id)!r}",
        )
    return job


def _refusal(
    job_id: str, reply: Reply, body: bytes, scrub: Callable[[bytes], bytes]
) -> ApiError | UnreadableAnswerError:
    status, refusal = reply.status, decode_refusal(body)
    if 300 <= status < 400:
        where = _host(scrub(reply.headers.get("Location", "").encode("utf-8", "replace")))
        got = f"HTTP {status}, a redirect to {where}; not followed"
        return UnreadableAnswerError(job_id=job_id, status=status, expected="an answer", got=got)
    code = refusal.code if refusal is not None else ""
    own = code == "JOB_NOT_FOUND" if status == 404 else code != ""
    if own or status in {401, 429} or status >= 500:
        return _api_error(job_id, status, refusal or Refusal(), reply.headers)
    start = shorten(body[:200].decode("utf-8", "replace"), 80)
    return UnreadableAnswerError(
        job_id=job_id,
        status=status,
        expected="the documented answer or error envelope",
        got=f"HTTP {status} starting {start!r}",
        advice="check base_url (it ends in /v1) and any proxy in between; the job is not affected",
    )


def _api_error(job_id: str, status: int, refusal: Refusal, headers: Mapping[str, str]) -> ApiError:
    if status == 429 or status >= 500:
        hinting = RateLimitError if status == 429 else ServerError
        return hinting(
            job_id=job_id,
            status=status,
            code=refusal.code,
            message=refusal.message,
            request_id=refusal.request_id,
            retry_after=retry_after(headers),
        )
    return _ERRORS.get(status, ApiError)(
        job_id=job_id,
        status=status,
        code=refusal.code,
        message=refusal.message,
        request_id=refusal.request_id,
    )


def _host(location: bytes) -> str:
    try:
        return urlsplit(location.decode("utf-8", "replace")).hostname or "the same host"
    except ValueError:
        return "an address that cannot be read"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, or None where it says nothing usable.

    A date is counted from the server's own ``Date`` where there is one, so that a wrong clock on either
    side does not matter.

    >>> retry_after({"Retry-After": "7"}), retry_after({"Retry-After": "soon"})
    (7.0, None)
    """
    hint = headers.get("Retry-After", "").strip()
    if not hint:
        return None
    try:
        seconds = float(hint)
    except ValueError:
        until, now = _date(hint), _date(headers.get("Date", ""))
        if until is None:
            return None
        seconds = (until - (now or datetime.now(until.tzinfo))).total_seconds()
    # "nan" parses as a float and compares false with everything.
    return min(max(seconds, 0.0), _LONGEST_HINT_S) if seconds == seconds else None  # noqa: PLR0124


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo is not None else None
