"""Envelopes, time stamps and headers."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.sandbox.wire import (
    Answer,
    Refusal,
    data_body,
    dumps,
    error_body,
    http_date,
    raw_headers,
    time_text,
    time_value,
)
from tests.sandbox import contract


def test_error_body_has_the_documented_shape() -> None:
    """The error envelope is the contract's, with a request id beside it."""
    error = contract.NOT_FOUND["error"]
    body = json.loads(error_body(error["code"], error["message"], request_id="req_1"))
    assert body == contract.NOT_FOUND | {"requestId": "req_1"}


def test_refusal_becomes_an_answer_with_details_and_retry_after() -> None:
    """A refusal carries its details into the envelope and its wait into the header."""
    answer = Refusal(429, "X", "slow", details={"a": 1}, retry_after_s=3).answer("req_1")
    assert json.loads(answer.body)["error"]["details"] == {"a": 1}
    assert (answer.status, answer.headers) == (429, (("Retry-After", "3"),))


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 -- bounds are naive, the zone is given
def test_times_survive_writing_and_reading(moment: datetime) -> None:
    """A written time reads back to the same millisecond."""
    text = time_text(moment.timestamp())
    value = time_value(text)
    assert text.endswith("Z")
    assert len(text) == len("2024-01-27T10:30:00.000Z")
    assert value is not None
    assert 0 <= moment.timestamp() - value < 0.001001


def test_time_value_takes_other_spellings_and_refuses_the_rest() -> None:
    """Offsets and naive times are read, anything else gives None."""
    assert time_value("2024-01-27T12:30:00+02:00") == time_value("2024-01-27T10:30:00")
    assert time_value("yesterday") is None
    assert time_value(17) is None


@given(st.text(st.characters()))
def test_any_text_can_be_sent(text: str) -> None:
    """Every text, lone surrogates included, becomes UTF-8 JSON that reads back as itself."""
    assert json.loads(data_body(dumps(text)).decode())["data"] == text


def test_headers_can_leave_the_length_out() -> None:
    """Length is announced unless the answer shall go out chunked."""
    answer = Answer(200, b"abc", headers=(("Location", "http://x"),))
    assert (b"content-length", b"3") in raw_headers(answer, now=0)
    assert (b"location", b"http://x") in raw_headers(answer, now=0)
    assert b"content-length" not in dict(raw_headers(answer, now=0, length=False))


def test_http_date_is_in_gmt() -> None:
    """The Date header has the form of the HTTP specification."""
    assert http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"
