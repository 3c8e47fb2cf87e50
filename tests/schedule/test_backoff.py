import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.errors import ConfigError
from docurift_nb.schedule import Backoff, ErrorBackoff, Sight

looks = st.integers(1, 10**12)


def _sight(looks: int = 1) -> Sight:
    return Sight(job_id="job_1", status="processing", looks=looks)


def test_the_exact_waits_are_the_documented_ones() -> None:
    """1 s, x1.5 each time, never above 10 s."""
    exact = Backoff(jitter=0)

    assert [exact.after(n) for n in (1, 2, 3, 4)] == [1.0, 1.5, 2.25, 3.375]
    assert [exact.after(n) for n in (6, 7, 10**9)] == [7.59375, 10.0, 10.0]
    assert [exact.next_look(_sight(n)) for n in (1, 2)] == [1.0, 1.5]


@given(looks, st.floats(0.001, 100), st.floats(1, 1e6), st.floats(1, 1000), st.floats(0, 0.99))
def test_waits_are_positive_and_bounded(
    n: int, start: float, factor: float, over: float, jitter: float
) -> None:
    """Whatever the settings and however often was looked."""
    plan = Backoff(start=start, factor=factor, cap=start * over, jitter=jitter)

    assert start <= plan.after(n) <= plan.cap
    assert 0 < plan.next_look(_sight(n)) <= plan.cap * (1 + jitter)


@given(looks, looks, st.floats(1, 100))
def test_waits_never_shrink(one: int, other: int, factor: float) -> None:
    """A later look is never sooner."""
    plan = Backoff(factor=factor)

    assert plan.after(min(one, other)) <= plan.after(max(one, other))


@pytest.mark.parametrize("n", [1, 2, 501, 502, 10**9])
def test_a_factor_of_one_keeps_the_wait(n: int) -> None:
    """However often was looked."""
    assert Backoff(start=5, factor=1, cap=10).after(n) == 5.0


@pytest.mark.parametrize("n", [0, -1])
def test_no_look_at_all_counts_as_one(n: int) -> None:
    """A job that is known without having been looked at waits the first wait."""
    assert Backoff().after(n) == 1.0


@pytest.mark.parametrize("n", [1, 5, 100])
def test_the_jitter_keeps_the_documented_mean(n: int) -> None:
    """The number of requests stays as documented; the draws fill the stated span and repeat with the seed."""
    plan = Backoff(seed=1)
    draws = [plan.next_look(_sight(n)) / plan.after(n) for _ in range(4000)]
    again = Backoff(seed=1)

    assert sum(draws) / len(draws) == pytest.approx(1, abs=0.005)
    assert 0.9 <= min(draws) < 0.91
    assert 1.09 < max(draws) <= 1.1
    assert [again.next_look(_sight(n)) / plan.after(n) for _ in range(3)] == draws[:3]


def test_two_schedules_do_not_keep_step() -> None:
    """Without a seed, each draws for itself."""
    assert Backoff().next_look(_sight()) != Backoff().next_look(_sight())


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"start": 0}, "start"),
        ({"start": -1}, "start"),
        ({"start": math.nan}, "start"),
        ({"start": math.inf}, "cap"),
        ({"factor": 0.9}, "factor"),
        ({"factor": math.nan}, "factor"),
        ({"factor": math.inf}, "factor"),
        ({"cap": 0.5}, "cap"),
        ({"cap": math.inf}, "cap"),
        ({"cap": math.nan}, "cap"),
        ({"jitter": -0.1}, "jitter"),
        ({"jitter": 1}, "jitter"),
        ({"jitter": math.nan}, "jitter"),
    ],
)
def test_a_value_outside_its_range_is_refused(settings: dict[str, Any], named: str) -> None:
    """The error names it and what it may be."""
    with pytest.raises(ConfigError, match=f"'{named}' cannot be used; expected"):
        Backoff(**settings)


def test_a_schedule_shows_its_settings() -> None:
    """Enough to make another like it."""
    assert repr(Backoff(start=2, cap=30)) == "Backoff(start=2, factor=1.5, cap=30)"


@given(st.integers(-5, 10**12), st.floats(0.001, 1000), st.integers())
def test_waits_after_errors_are_the_documented_ones(failures: int, scale: float, seed: int) -> None:
    """1 s, x2, never above 60 s, and up to half a second more."""
    least = min(2 ** min(max(failures, 1) - 1, 10), 60)
    wait = ErrorBackoff(scale=scale, seed=seed).after(failures) / scale

    assert least * 0.999999 <= wait <= (least + 0.5) * 1.000001


@pytest.mark.parametrize("scale", [0, -1, math.nan, math.inf])
def test_a_scale_outside_its_range_is_refused(scale: float) -> None:
    """It would make waits of nothing, or endless ones."""
    with pytest.raises(ConfigError, match="'scale' cannot be used"):
        ErrorBackoff(scale=scale)
