import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.schedule.forecasts import ENOUGH, Durations, Forecast, Front, Progress
from docurift_nb.schedule.samples import N_QUANTILES, Samples


def _taught(durations: list[float], kind: int = 1) -> Durations:
    taught = Durations()
    for duration in durations:
        taught.learn(kind, duration)
    return taught


@given(st.lists(st.floats(0.1, 1e5), min_size=ENOUGH, max_size=300), st.floats(0, 1e5), st.floats(0.1, 50))
def test_what_is_left_is_positive_and_in_order(durations: list[float], age: float, pace: float) -> None:
    """Whatever was learned: only durations beyond the age count."""
    forecast = _taught(durations).remaining(1, age, pace)

    if forecast is not None:
        left = [forecast.quantile(share / 10) for share in range(10)]
        assert left == sorted(left)
        assert left[0] > -1e-6
        assert forecast.width >= 0


def test_nothing_is_said_before_enough_is_known() -> None:
    """A few jobs prove nothing."""
    assert _taught([10.0] * (ENOUGH - 1)).remaining(1, 0.0) is None
    assert _taught([10.0] * ENOUGH).remaining(1, 0.0) is not None


def test_types_are_kept_apart() -> None:
    """Each has its own durations once it has enough; until then all stand in."""
    durations = _taught([3.0] * 20)
    durations.learn(2, 300.0)
    borrowed = durations.remaining(2, 0.0)
    for _ in range(ENOUGH):
        durations.learn(2, 300.0)
    own = durations.remaining(2, 0.0)

    assert borrowed is not None
    assert borrowed.quantile(0.5) == 3.0
    assert own is not None
    assert own.quantile(0.5) == 300.0


def test_a_job_that_outlives_the_others_is_not_like_them() -> None:
    """A type of which none has finished yet is not forecast from those that have."""
    assert _taught([float(n) for n in range(1, 101)]).remaining(2, 80.0) is None


def test_another_pace_is_converted() -> None:
    """Durations are kept in the service's seconds, forecasts are in ours."""
    forecast = _taught([100.0] * 20).remaining(1, 2.0, pace=20.0)

    assert forecast is not None
    assert forecast.quantile(0.5) == pytest.approx(3.0)
    assert forecast.chance(2.9) == 0
    assert forecast.chance(3.1) == 1


@given(
    progress=st.integers(1, 99),
    age=st.floats(0, 1e6),
    since=st.floats(0, 1e6),
    first=st.floats(0, 98),
    waited=st.booleans(),
)
def test_rules_say_something_positive(
    progress: int, age: float, since: float, first: float, *, waited: bool
) -> None:
    """Also when progress went backwards, or no time has passed."""
    taught = Progress()
    for _ in range(ENOUGH):
        taught.learn_service(1, 30.0)

    rules = taught.rules(1, float(progress), age, (since, first), has_waited=waited)

    assert all(left > 0 and 0 <= tenth < 10 for _, tenth, left in rules)
    assert not (waited and any(rule == "from_creation" for rule, _, _ in rules))


def test_errors_correct_a_rule() -> None:
    """One that is always off by half says the truth in the end, and is sure of it."""
    progress = Progress()
    before = progress.forecast("from_creation", 5, 10.0)
    for _ in range(20):
        progress.learn_error("from_creation", 5, 10.0, 20.0)
    after = progress.forecast("from_creation", 5, 10.0)

    assert before.width > 5
    assert after.quantile(0.5) == pytest.approx(20.0)
    assert after.width == pytest.approx(0.0)


def test_errors_of_one_tenth_stand_in_for_another() -> None:
    """Until it has its own."""
    progress = Progress()
    for _ in range(20):
        progress.learn_error("from_creation", 5, 10.0, 20.0)

    assert progress.forecast("from_creation", 1, 10.0).quantile(0.5) == pytest.approx(20.0)


def test_drift_is_widened() -> None:
    """A rule that agrees with itself may still be off."""
    progress = Progress()
    for _ in range(20):
        progress.learn_drift("from_creation", 5, 10.0, 10.0)

    assert 0 < progress.forecast("from_creation", 5, 10.0).width < 1.0


def test_insight_grows_with_the_precision_of_progress() -> None:
    """It is the share of uncertainty that is left; without any errors known, all of it."""
    sharp, blunt = Progress(), Progress()
    assert sharp.insight() == 1.0
    for n in range(40):
        sharp.learn_error("from_creation", 5, 10.0, 10.0 + n % 2)
        blunt.learn_error("from_creation", 5, 10.0, 10.0 + 10 * n)

    assert sharp.insight() < 0.2
    assert blunt.insight() == 1.0


def _moving_front(pace: float = 0.5) -> Front:
    front = Front()
    for place in range(40):
        front.learn_start(place, 100.0 + pace * place)
    return front


def test_a_front_is_carried_forward() -> None:
    """A straight line through the newest starts."""
    front = _moving_front()

    assert front.passes(100) == pytest.approx(150.0)
    assert front.is_past(10, 120.0)
    assert not front.is_past(100, 120.0)


def test_a_front_that_does_not_move_says_nothing() -> None:
    """Neither do too few starts, or starts in the wrong order."""
    still, backwards = Front(), Front()
    for place in range(40):
        still.learn_start(0, 100.0 + place)
        backwards.learn_start(place, 100.0 - place)

    assert Front().passes(5) is None
    assert still.passes(5) is None
    assert backwards.passes(5) is None


def test_a_job_behind_the_front_ends_after_it_has_passed() -> None:
    """By its own errors once they are known, by the times in processing before."""
    front, service = _moving_front(), Samples()
    assert front.remaining(100, 120.0, 120.0, service) is None
    for _ in range(20):
        service.add(12.0)

    by_service = front.remaining(100, 120.0, 120.0, service)
    for _ in range(20):
        front.learn_error(30.0, 150.0, 155.0)
    by_errors = front.remaining(100, 120.0, 120.0, service)

    assert by_service is not None
    assert by_service.quantile(0.5) == pytest.approx(42.0)
    assert by_errors is not None
    assert by_errors.quantile(0.5) == pytest.approx(35.0)


@given(st.floats(0.01, 1e4), st.floats(0.1, 10), st.floats(0.05, 1))
def test_a_wait_is_one_of_the_times(scale: float, look_cost: float, insight: float) -> None:
    """Whatever the scale: bucketing the cost only chooses among them."""
    values = tuple(math.exp(n / 10) for n in range(N_QUANTILES))
    wait = Forecast(values, scale).wait_s(look_cost, insight)

    assert any(math.isclose(wait, value * scale) for value in values)
