from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.schedule.lookahead import best_look, best_wait

offsets = st.lists(st.floats(0.01, 1000), min_size=1, max_size=7).map(sorted)
costs = st.floats(0.01, 100)


def _cost(offsets: list[float], looks: tuple[float, ...], look_cost: float) -> float:
    """Return the mean cost of looking at exactly these times until it is over."""
    total = 0.0
    for end in offsets:
        n_looks = sum(look < end for look in looks) + 1
        total += n_looks * look_cost + looks[n_looks - 1] - end
    return total / len(offsets)


def _cheapest(offsets: list[float], look_cost: float, first: float | None = None) -> float:
    """Return the least mean cost over all policies that end at the last time (and begin with ``first``)."""
    n = len(offsets)
    policies = (
        tuple(sorted({*chosen, offsets[-1]}))
        for size in range(n)
        for chosen in combinations(offsets[:-1], size)
    )
    return min(_cost(offsets, looks, look_cost) for looks in policies if first is None or looks[0] == first)


@given(offsets, costs)
def test_no_policy_is_cheaper(offsets: list[float], look_cost: float) -> None:
    """All policies are tried."""
    wait = best_wait(offsets, look_cost)

    assert _cheapest(offsets, look_cost, wait) == pytest.approx(_cheapest(offsets, look_cost), rel=1e-6)


@given(offsets, costs, st.floats(0.5, 2))
def test_scaling_everything_changes_nothing(offsets: list[float], look_cost: float, scale: float) -> None:
    """Neither does the unit of time, up to ties."""
    index = best_look(tuple(scale * offset for offset in offsets), scale * look_cost)

    same = _cheapest(offsets, look_cost, offsets[index])
    assert same == pytest.approx(_cheapest(offsets, look_cost), rel=1e-6)


@given(offsets, costs, st.floats(0, 1))
def test_the_look_is_at_one_of_the_times(offsets: list[float], look_cost: float, insight: float) -> None:
    """Between two of them nothing is gained."""
    assert best_wait(offsets, look_cost, insight) in offsets


def test_an_expensive_look_waits_for_all() -> None:
    """One look, at the last time."""
    assert best_wait([1.0, 2.0, 3.0], look_cost_s=100.0) == 3.0


def test_a_cheap_look_comes_first_thing() -> None:
    """Nothing is found late."""
    assert best_wait([1.0, 2.0, 3.0], look_cost_s=0.001) == 1.0


def test_a_look_that_tells_the_end_pays_off_early() -> None:
    """With insight, one look in between costs less than many late ones."""
    spread = [float(n) for n in range(1, 101, 5)]

    assert best_wait(spread, 1.0, insight=0.05) < best_wait(spread, 30.0)
