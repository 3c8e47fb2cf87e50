import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.schedule import Sight
from docurift_nb.schedule.clocks import PAIRS, Clocks

seconds = st.floats(0, 1e9) | st.sampled_from([math.nan, math.inf, -1.0, 0.0])


def _sight(at: float, created: float | None, updated: float | None) -> Sight:
    return Sight(job_id="job_1", status="processing", at=at, created_at=created, updated_at=updated)


@pytest.mark.parametrize("pace", [0.1, 0.5, 2.0, 20.0])
def test_another_pace_is_found(pace: float) -> None:
    """From jobs seen twice at work, and told once."""
    clocks = Clocks()
    told = [clocks.compare(pace * 1.5, 1.5) for _ in range(PAIRS)]

    assert clocks.is_measured
    assert clocks.pace == pytest.approx(pace)
    assert told.count(True) == 1


@pytest.mark.parametrize("step", [0.5, 1.0, 5.0])
def test_times_that_move_in_steps_are_no_other_pace(step: float) -> None:
    """A coarse ``updatedAt`` moves by nothing or by much."""
    clocks, now = Clocks(), 0.0
    for _ in range(200):
        then, now = now, now + 1.3
        clocks.compare(now // step * step - then // step * step, 1.3)
        assert clocks.pace == 1.0


def test_one_wild_time_is_no_other_pace() -> None:
    """A median of groups is not moved by one of them."""
    clocks = Clocks()
    for n in range(PAIRS):
        clocks.compare(1e9 if n == 30 else 1.0, 1.0)

    assert clocks.pace == 1.0


@given(st.lists(st.tuples(seconds, seconds), max_size=100))
def test_the_pace_stays_usable(pairs: list[tuple[float, float]]) -> None:
    """Whatever the times say."""
    clocks = Clocks()
    for moved, passed in pairs:
        clocks.compare(moved, passed)

    assert 0 < clocks.pace < math.inf


def test_ends_that_come_too_soon_betray_a_fast_clock() -> None:
    """Where progress shows that its times move with the work."""
    clocks, still = Clocks(), Clocks()
    for _ in range(10):
        clocks.compare_end(0.2, 20.0, 100.0, 1.0)
        still.compare_end(0.7, 0.0, 100.0, 1.0)

    assert clocks.pace == pytest.approx(80.0)
    assert still.pace == 1.0


def test_a_span_is_told_by_the_job_s_own_times() -> None:
    """However far off the clock is."""
    assert Clocks().span(_sight(at=5.0, created=9_000.0, updated=9_030.0)) == 30.0
    assert Clocks().span(_sight(at=5.0, created=None, updated=9_030.0)) == 0.0
    assert Clocks().span(_sight(at=5.0, created=9_000.0, updated=None)) == 0.0


def test_times_that_stand_still_are_replaced_by_the_offset_of_the_clocks() -> None:
    """A service that sets ``updatedAt`` once per status leaves no other way."""
    clocks = Clocks()
    clocks.span(_sight(at=100.0, created=1_100.0, updated=1_100.0))
    for _ in range(10):
        clocks.compare(0.0, 1.0)

    assert clocks.span(_sight(at=150.0, created=1_100.0, updated=1_105.0)) == 50.0
