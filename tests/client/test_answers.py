from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from docurift_nb.client.answers import judge, retry_after
from docurift_nb.client.transport import Reply
from docurift_nb.errors import (
    ApiError,
    AuthError,
    CreditsError,
    DocuriftError,
    ForbiddenError,
    JobNotFoundError,
    RateLimitError,
    ServerError,
    UnreadableAnswerError,
)
from tests.builders import DOCUMENTED, JOB_ID, as_answer, as_bytes, as_refusal, make_job_record

PAGE = b"<!doctype html><title>Not found</title>"
REFUSALS = [
    ("JOB_NOT_FOUND", 404, JobNotFoundError),
    ("UNAUTHORIZED", 401, AuthError),
    ("INVALID_API_KEY", 401, AuthError),
    ("API_KEY_EXPIRED", 401, AuthError),
    ("API_KEY_DISABLED", 401, AuthError),
    ("FORBIDDEN", 403, ForbiddenError),
    ("INSUFFICIENT_CREDITS", 402, CreditsError),
    ("RATE_LIMIT_EXCEEDED", 429, RateLimitError),
]


def _reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, CaseInsensitiveDict(fields), body)


def _error(status: int, body: bytes = b"", **headers: str) -> DocuriftError:
    with pytest.raises(DocuriftError) as caught:
        judge(JOB_ID, _reply(status, body, **headers))
    return caught.value


@pytest.mark.parametrize("status", sorted(DOCUMENTED))
def test_a_documented_answer_is_a_job(status: str) -> None:
    """The four documented bodies are read, a failed job among them, with the bytes kept."""
    job = judge(JOB_ID, _reply(200, DOCUMENTED[status]))

    assert (job.job_id, job.status, job.raw) == (JOB_ID, status, DOCUMENTED[status])


@pytest.mark.parametrize(("code", "status", "kind"), REFUSALS)
def test_a_documented_refusal_becomes_its_error(code: str, status: int, kind: type[ApiError]) -> None:
    """Each refusal has a class of its own and carries what the service said."""
    error = _error(status, as_refusal(code, "because"))

    assert type(error) is kind
    assert (error.job_id, error.status, error.code) == (JOB_ID, status, code)
    assert (error.message, error.request_id) == ("because", "req_abc123def456")


@pytest.mark.parametrize(("code", "status", "kind"), REFUSALS)
def test_a_refusal_under_200_means_the_same(code: str, status: int, kind: type[ApiError]) -> None:
    """Where a gateway flattens the status, the documented code tells which one was meant."""
    error = _error(200, as_refusal(code, "because"))

    assert type(error) is kind
    assert error.status == status


def test_an_unknown_refusal_under_200_says_nothing_of_the_job() -> None:
    """A code without a documented status is an answer that cannot be read, and can be asked for again."""
    error = _error(200, as_refusal("INTERNAL_ERROR", "oh"))

    assert type(error) is UnreadableAnswerError
    assert (error.job_id, error.status) == (JOB_ID, 200)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
@pytest.mark.parametrize("body", [PAGE, b"", as_refusal("INTERNAL_ERROR", "oh")])
def test_trouble_of_the_server_is_one_error_whatever_the_body(status: int, body: bytes) -> None:
    """A proxy's page and the API's own envelope are both a 5xx; the hint is kept."""
    error = _error(status, body, Retry_After="7")

    assert isinstance(error, ServerError)
    assert (error.status, error.retry_after) == (status, 7.0)


@pytest.mark.parametrize("status", [400, 402, 403, 404, 407, 410, 418])
@pytest.mark.parametrize(
    "body",
    [
        PAGE,
        b"",
        b"{}",
        as_bytes({"success": False, "errors": [{"code": 1000}]}),
        as_bytes({"success": False, "error": {"code": "", "message": "denied"}}),
        as_bytes({"success": False, "error": "JOB_NOT_FOUND"}),
        as_bytes({"error": {"code": "JOB_NOT_FOUND"}}),
        b"[" * 100_000,
    ],
)
def test_a_refusal_of_something_in_between_is_not_the_api_s(status: int, body: bytes) -> None:
    """A firewall's 403 is not "not your job", and a wrong base_url's 404 not "no such job"."""
    error = _error(status, body)

    assert type(error) is UnreadableAnswerError
    assert error.status == status
    assert "base_url" in str(error)


def test_a_404_about_something_else_is_not_no_such_job() -> None:
    """The envelope alone does not do: a wrong path at the API is answered with it too."""
    assert type(_error(404, as_refusal("NOT_FOUND", "no such route"))) is UnreadableAnswerError


def test_another_refusal_of_the_api_keeps_its_facts() -> None:
    """A 400 with the documented envelope is neither transient nor one of the named errors."""
    error = _error(400, as_refusal("BAD_ID", "what is this"))

    assert type(error) is ApiError
    assert (error.status, error.code) == (400, "BAD_ID")


@pytest.mark.parametrize(("status", "kind"), [(401, AuthError), (429, RateLimitError)])
def test_a_bare_401_or_429_stands_for_itself(status: int, kind: type[ApiError]) -> None:
    """Both hold for the key, not for a job, whoever says so."""
    error = _error(status, PAGE)

    assert type(error) is kind
    assert error.code == ""


@pytest.mark.parametrize(
    "body", [PAGE, b"", b"null", DOCUMENTED["completed"][:-30], b"\xff\xfe", b"[" * 100_000]
)
def test_a_200_that_is_no_answer_cannot_be_read(body: bytes) -> None:
    """A sign-in page, cut JSON and garbage say which job they were to be about."""
    error = _error(200, body)

    assert type(error) is UnreadableAnswerError
    assert (error.job_id, error.status) == (JOB_ID, 200)


def test_an_answer_about_another_job_is_refused() -> None:
    """A cache that mixes answers up must not put one job's result under another's id."""
    error = _error(200, as_answer(make_job_record(id="job_other")))

    assert type(error) is UnreadableAnswerError
    assert "job_other" in error.got


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("https://login.example.org/x?token=1", "login.example.org"),
        ("/v1/elsewhere", "the same host"),
        ("", "the same host"),
        ("http://[", "an address that cannot be read"),
    ],
)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_reported_not_followed(status: int, location: str, where: str) -> None:
    """The error names the host, and nothing more of the address."""
    error = _error(status, b"", Location=location)

    assert type(error) is UnreadableAnswerError
    assert error.got == f"HTTP {status}, a redirect to {where}; not followed"


def test_secrets_are_cut_out_before_anything_is_read() -> None:
    """The body of a job, the message of a refusal and a quoted header all pass the scrubber."""

    def scrub(text: bytes) -> bytes:
        return text.replace(b"secret", b"mask")

    job = judge(JOB_ID, _reply(200, as_answer(make_job_record(documentId="secret"))), scrub)
    assert (job.document_id, b"secret" in job.raw) == ("mask", False)
    for reply in (_reply(401, as_refusal("X", "secret")), _reply(302, b"", Location="http://secret.x")):
        with pytest.raises(DocuriftError, match="mask") as caught:
            judge(JOB_ID, reply, scrub)
        assert "secret" not in str(caught.value)


@given(st.integers(100, 999), st.binary(max_size=200), st.text(max_size=50), st.text(max_size=50))
@example(302, b"", "", "http://[")
def test_whatever_comes_ends_as_a_job_or_as_one_of_our_errors(
    status: int, body: bytes, hint: str, location: str
) -> None:
    """No status, body or header makes judging fail in another way."""
    headers = CaseInsensitiveDict({"Retry-After": hint, "Location": location, "Date": hint})
    with pytest.raises(DocuriftError):
        judge(JOB_ID, Reply(status, headers, body))


@pytest.mark.parametrize(
    ("hint", "seconds"),
    [
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("0", 0.0),
        ("-5", 0.0),
        ("1e400", 86_400.0),
        ("999999999", 86_400.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("7, 8", None),
        ("9" * 5000, 86_400.0),
        ("Mon, 01 Jan 2024 00:00:00", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0.0),
    ],
)
def test_the_hint_is_seconds_within_a_day_or_nothing(hint: str, seconds: float | None) -> None:
    """Numbers are clamped; what is neither a number nor a date says nothing."""
    assert retry_after({"Retry-After": hint}) == seconds


@given(st.timedeltas(timedelta(days=-2000), timedelta(days=2000)), st.integers(0, 3600))
def test_a_date_is_counted_from_the_server_s_own_clock(skew: timedelta, seconds: int) -> None:
    """However wrong the two clocks are, the wait is the one that was meant."""
    now = datetime.now(UTC).replace(microsecond=0) + skew
    headers = {
        "Date": format_datetime(now, usegmt=True),
        "Retry-After": format_datetime(now + timedelta(seconds=seconds), usegmt=True),
    }

    assert retry_after(headers) == seconds


@pytest.mark.parametrize("date", ["", "nonsense", "Mon, 01 Jan 2024 00:00:00"])
def test_a_date_without_the_server_s_clock_is_counted_from_ours(date: str) -> None:
    """A missing or unusable ``Date`` leaves this machine's clock."""
    until = datetime.now(UTC) + timedelta(hours=1)
    seconds = retry_after({"Date": date, "Retry-After": format_datetime(until, usegmt=True)})

    assert seconds is not None
    assert 3000 < seconds <= 3600


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_no_hint_breaks_the_reading(hint: str, date: str) -> None:
    """Any header text gives seconds within a day, or None."""
    seconds = retry_after({"Retry-After": hint, "Date": date})

    assert seconds is None or 0 <= seconds <= 86_400
