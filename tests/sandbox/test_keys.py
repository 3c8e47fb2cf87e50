"""Keys, credits and limits."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.sandbox.clock import Clock
from docurift_nb.sandbox.keys import Keys
from docurift_nb.sandbox.wire import Refusal


def held_clock() -> Clock:
    """Make a clock that only moves when told."""
    clock = Clock()
    clock.hold()
    return clock


def refusal(keys: Keys, *headers: tuple[bytes, bytes], method: str = "GET") -> Refusal:
    """Ask with some headers and return the refusal."""
    with pytest.raises(Refusal) as caught:
        keys.admit(headers, method)
    return caught.value


def header(keys: Keys) -> tuple[bytes, bytes]:
    """Make the header with the first key."""
    return b"x-api-key", keys.first.encode()


def test_generated_keys_have_the_documented_format_and_are_seeded() -> None:
    """A key is frc_ and 32 alphanumerics, the same for the same seed."""
    keys = Keys(Clock(), seed=4)
    assert re.fullmatch(r"frc_[A-Za-z0-9]{32}", keys.first)
    assert Keys(Clock(), seed=4).first == keys.first != keys.add()


def test_both_headers_are_accepted_and_the_key_header_wins() -> None:
    """X-API-Key or a bearer token will do; with both, X-API-Key decides."""
    keys = Keys(Clock(), first="one")
    keys.add("two")
    bearer = (b"authorization", b"Bearer two")
    assert keys.admit([bearer]) == "two"
    assert keys.admit([bearer, (b"x-api-key", b"one")]) == "one"
    assert keys.admit([bearer, (b"x-api-key", b"")]) == "two"


def test_missing_and_unknown_keys_are_told_apart() -> None:
    """No credentials give UNAUTHORIZED, unknown ones INVALID_API_KEY with a short prefix."""
    keys = Keys(Clock())
    assert (refusal(keys).status, refusal(keys).code) == (401, "UNAUTHORIZED")
    assert refusal(keys, (b"authorization", b"Basic abc")).code == "UNAUTHORIZED"
    unknown = refusal(keys, (b"x-api-key", b"frc_abc123def456ghi789"))
    assert (unknown.status, unknown.code) == (401, "INVALID_API_KEY")
    assert unknown.details == {"keyPrefix": "frc_abc123de"}


@pytest.mark.parametrize(
    ("state", "code"),
    [("expired", "API_KEY_EXPIRED"), ("disabled", "API_KEY_DISABLED"), ("revoked", "INVALID_API_KEY")],
)
def test_key_states_have_their_codes(state: str, code: str) -> None:
    """Each unusable state is a 401 with its own code, until the key is active again."""
    keys = Keys(Clock())
    keys.set_state(state)  # type: ignore[arg-type]  # pytest hands over plain text
    assert (refusal(keys, header(keys)).status, refusal(keys, header(keys)).code) == (401, code)
    keys.set_state("active")
    assert keys.admit([header(keys)]) == keys.first


def test_unknown_states_and_keys_are_refused_without_telling_the_key() -> None:
    """A wrong state names the right ones; a wrong key is not repeated."""
    keys = Keys(Clock())
    with pytest.raises(ValueError, match="expected one of active, expired, disabled, revoked"):
        keys.set_state("gone")  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(LookupError) as caught:
        keys.set_state("active", key="frc_secret")
    assert "frc_secret" not in str(caught.value)
    with pytest.raises(ValueError, match="api_key"):
        keys.add("")


def test_credits_can_run_out_for_everything_or_for_submissions() -> None:
    """402 strikes reads only when asked to."""
    keys = Keys(Clock())
    keys.set_credits(exhausted=True, reads=False)
    assert keys.admit([header(keys)]) == keys.first
    assert (refusal(keys, header(keys), method="POST").code) == "INSUFFICIENT_CREDITS"
    keys.set_credits(exhausted=True)
    assert refusal(keys, header(keys)).status == 402
    keys.set_credits(exhausted=False)
    assert keys.admit([header(keys)], "POST") == keys.first


@given(
    limit=st.integers(1, 5),
    per_s=st.floats(0.5, 20),
    gaps=st.lists(st.floats(0, 10), max_size=40),
)
def test_no_window_holds_more_than_the_limit(limit: int, per_s: float, gaps: list[float]) -> None:
    """However requests fall, no window of the limit's length lets more than the limit through."""
    clock = held_clock()
    keys = Keys(clock, rate_limit=(limit, per_s))
    allowed: list[float] = []
    for gap in gaps:
        clock.advance(gap)
        try:
            keys.admit([header(keys)])
        except Refusal:
            continue
        allowed.append(clock.now())
    for i, moment in enumerate(allowed):
        assert sum(moment - per_s < one <= moment for one in allowed[: i + 1]) <= limit


def test_ten_an_hour_frees_up_after_the_hour() -> None:
    """The eleventh request is refused until the first is an hour old; other keys do not mind."""
    clock = held_clock()
    keys = Keys(clock, rate_limit=(10, 3600), retry_after=True)
    other = keys.add()
    for _ in range(10):
        keys.admit([header(keys)])
    clock.advance(3599.5)
    refused = refusal(keys, header(keys))
    assert (refused.status, refused.code, refused.retry_after_s) == (429, "RATE_LIMIT_EXCEEDED", 1)
    assert keys.admit([(b"x-api-key", other.encode())]) == other
    clock.advance(0.5)
    assert keys.admit([header(keys)]) == keys.first


def test_half_a_request_a_second_is_one_in_two() -> None:
    """A rate below one is one request over a longer window, and Retry-After stays out unless asked for."""
    clock = held_clock()
    keys = Keys(clock, rate_limit=0.5)
    keys.admit([header(keys)])
    clock.advance(1.9)
    assert refusal(keys, header(keys)).retry_after_s is None
    clock.advance(0.1)
    keys.admit([header(keys)])


@pytest.mark.parametrize("limit", [0, -1, (5, 0)])
def test_impossible_limits_are_refused(limit: float | tuple[float, float]) -> None:
    """A limit that lets nothing through is an error."""
    with pytest.raises(ValueError, match="rate_limit: expected"):
        Keys(Clock(), rate_limit=limit)


def test_places_for_requests_under_way_are_given_back() -> None:
    """Over the concurrency limit comes 429 until a place is left."""
    keys = Keys(Clock(), max_concurrency=1)
    keys.enter(keys.first)
    with pytest.raises(Refusal, match="concurrent"):
        keys.enter(keys.first)
    keys.leave(keys.first)
    keys.enter(keys.first)
