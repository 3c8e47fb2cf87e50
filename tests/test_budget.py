import gc
import itertools
import math
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.budget import (
    IDLE_S,
    LONGEST_BLOCK_S,
    LONGEST_GUESS_S,
    RECOVERY_S,
    SLOWEST_RATE,
    Budget,
    shared_budget,
)
from docurift_nb.errors import ConfigError


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _budget(**settings: Any) -> tuple[Budget, Clock]:  # noqa: ANN401  # passed on
    clock = Clock()
    return Budget(clock=clock, seed=0, **settings), clock


def _serve(budget: Budget, clock: Clock, n: int, every_s: float) -> None:
    """Have ``n`` requests granted and answered, evenly spaced."""
    for _ in range(n):
        assert budget.take() == 0
        budget.answered()
        clock.now += every_s


def _learned(rate: float) -> tuple[Budget, Clock]:
    """Return a budget that was just refused at ``rate`` requests per second, with its block over."""
    budget, clock = _budget()
    _serve(budget, clock, int(rate * 10), 1 / rate)
    budget.refused(budget.epoch, 0.0)
    return budget, clock


class Grant(NamedTuple):
    """When a request was granted, and the highest rate that has held since the last one."""

    at: float
    rate: float


steps = st.lists(
    st.tuples(
        st.floats(0, 3) | st.floats(0, 200) | st.just(0.0),
        st.sampled_from(["take", "take", "take", "take", "answered", "refused", "late"]),
        st.none() | st.floats(0, 30),
    ),
    max_size=80,
)


def _grants(budget: Budget, clock: Clock, moves: list[tuple[float, str, float | None]]) -> Iterator[Grant]:
    highest = 0.0
    for dt, move, hint in moves:
        clock.now += dt
        highest = max(highest, budget.rate)
        if move == "refused":
            budget.refused(budget.epoch, hint)
        elif move == "late":
            budget.refused(budget.epoch - 1, hint)
        elif move == "answered":
            budget.answered()
        elif budget.take() == 0:
            yield Grant(clock.now, highest)
            highest = budget.rate


@given(steps, st.floats(0.01, 50), st.floats(0, 2))
def test_no_window_ever_holds_more_than_the_stated_number(
    moves: list[tuple[float, str, float | None]], max_rate: float, burst_s: float
) -> None:
    """Over any W seconds at most rate x (W + burst) + 1, whatever was reported in between."""
    budget, clock = _budget(max_rate=max_rate, burst_s=burst_s)
    grants = list(_grants(budget, clock, moves))

    for first, last in itertools.combinations(range(len(grants)), 2):
        rate = max(grant.rate for grant in grants[first : last + 1])
        window_s = grants[last].at - grants[first].at
        assert rate <= max_rate
        assert last - first + 1 <= rate * (window_s + burst_s) + 1 + 1e-6


@given(steps, st.floats(0, 100))
def test_nobody_asks_before_the_hint_is_over(
    moves: list[tuple[float, str, float | None]], hint: float
) -> None:
    """For all of Retry-After every request is turned away, and told how long."""
    budget, clock = _budget()
    list(_grants(budget, clock, moves))
    budget.refused(budget.epoch, hint)
    until = clock.now + hint
    while clock.now < until:
        wait = budget.take()
        assert wait >= (until - clock.now) * 0.999999
        assert budget.blocked_s == wait
        clock.now += max(hint / 7, 0.01)


@given(steps)
def test_a_promised_wait_is_kept(moves: list[tuple[float, str, float | None]]) -> None:
    """Who waits as told, first for the block and then for the turn, is served."""
    budget, clock = _budget(max_rate=10)
    list(_grants(budget, clock, moves))
    waits = []
    while (wait := budget.take()) > 0:
        waits.append(wait)
        clock.now += wait + 1e-6
        assert len(waits) <= 2


def test_a_budget_starts_without_a_limit() -> None:
    """Nothing is known yet, and nothing is held back."""
    budget, _ = _budget()

    assert (budget.rate, budget.blocked_s) == (math.inf, 0)
    assert [budget.take() for _ in range(1000)] == [0.0] * 1000


def test_a_limit_spaces_requests_evenly() -> None:
    """One each 1 / max_rate seconds, with what the burst lets catch up after a late thread."""
    budget, clock = _budget(max_rate=10, burst_s=0.3)
    granted = []
    for _ in range(1000):
        granted.append(budget.take() == 0)
        clock.now += 0.01

    assert sum(granted) == pytest.approx(100 + 3, abs=1)
    clock.now += 100
    assert sum(budget.take() == 0 for _ in range(50)) == pytest.approx(4, abs=1)


def test_the_lowest_limit_given_wins() -> None:
    """It is never lifted by another user of the key."""
    budget, _ = _budget(max_rate=5)
    budget.cap(2)
    budget.cap(9)
    budget.cap(None)

    assert budget.rate == 2


@pytest.mark.parametrize("max_rate", [0, -1, math.nan, "5", [1]])
def test_a_limit_that_is_none_is_refused(max_rate: Any) -> None:  # noqa: ANN401  # wrong types are the point
    """The error names it."""
    with pytest.raises(ConfigError, match="max_rate cannot be used"):
        Budget(max_rate=max_rate)


# Refusals


def test_the_rate_is_learned_from_what_was_served() -> None:
    """It resumes at 70 %, is back after 30 s of use, and probes beyond it from then on."""
    budget, clock = _learned(20)
    assert budget.rate == pytest.approx(0.7 * 20, rel=0.02)
    rates = []
    for _ in range(60_000):
        clock.now += 0.001
        if budget.take() == 0:
            budget.answered()
            rates.append(budget.rate)

    assert rates == sorted(rates)
    assert rates[len(rates) // 2] == pytest.approx(20, rel=0.05)
    assert rates[-1] == pytest.approx(1.3 * 20, rel=0.02)


def test_refusals_of_requests_under_way_together_count_once() -> None:
    """The first teaches, the others can only lengthen the block."""
    budget, clock = _budget()
    _serve(budget, clock, 100, 0.1)
    epoch = budget.epoch
    for hint in (2.0, None, 5.0, 1.0, None):
        budget.refused(epoch, hint)

    assert budget.epoch == epoch + 1
    assert budget.blocked_s == 5.0
    clock.now += 5.0
    assert budget.rate == pytest.approx(0.7 * 10, rel=0.02)


def test_a_second_refusal_lowers_the_rate_again() -> None:
    """Half, where nothing was served since."""
    budget, clock = _learned(20)
    budget.refused(budget.epoch, 1.0)
    clock.now += 1.0

    assert budget.rate == pytest.approx(0.7 * 10, rel=0.02)


def test_without_a_hint_the_block_grows_with_each_refusal_in_a_row() -> None:
    """1 s, x2, up to a minute; an answer in between starts it anew."""
    budget, clock = _budget()
    blocks = []
    for _ in range(9):
        budget.refused(budget.epoch)
        blocks.append(budget.blocked_s)
        clock.now += budget.blocked_s
    for block, least in zip(blocks, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert least <= block <= least + 0.5
    budget.answered()
    budget.refused(budget.epoch)

    assert budget.blocked_s <= 1.5
    assert LONGEST_GUESS_S == 60


@pytest.mark.parametrize(
    ("hint", "block"),
    [(0.0, 0.0), (-5.0, 0.0), (1e9, LONGEST_BLOCK_S), (math.inf, LONGEST_BLOCK_S), (math.nan, 0.0)],
)
def test_an_absurd_hint_neither_frees_nor_locks_for_ever(hint: float, block: float) -> None:
    """It is clamped to a day; and the rate is lowered all the same."""
    budget, _ = _budget()
    budget.refused(budget.epoch, hint)

    assert budget.blocked_s == block
    assert budget.rate <= 1


def test_the_rate_has_a_floor_from_which_it_comes_back() -> None:
    """A hundred refusals in a row do not stop a key for good."""
    budget, clock = _budget()
    for _ in range(100):
        budget.refused(budget.epoch, 0.0)
    assert budget.rate == SLOWEST_RATE
    served: list[float] = []
    while len(served) < 20:
        clock.now += 1.0
        if budget.take() == 0:
            budget.answered()
            served.append(clock.now)

    assert served[-1] - served[0] < 1200


def test_a_wait_does_not_outlast_the_slowness_it_came_from() -> None:
    """The wait for the next request shrinks as the rate recovers."""
    budget, clock = _budget()
    for _ in range(100):
        budget.refused(budget.epoch, 0.0)
    while budget.take() > 0:
        clock.now += 1.0
    first = budget.take()
    clock.now += first / 2

    assert budget.take() < first / 2


# Idle stretches


@pytest.mark.parametrize("idle_s", [10.0, 3600.0, 30 * 86_400.0])
@pytest.mark.parametrize("known", [False, True])
def test_an_idle_stretch_does_not_distort_what_is_learned(idle_s: float, *, known: bool) -> None:
    """A burst of 40 a second that is refused teaches about 40 a second, not 40 in a month."""
    budget, clock = _learned(40) if known else _budget()
    clock.now += idle_s
    asked_at = clock.now
    while clock.now < asked_at + 5:
        if budget.take() == 0:
            budget.answered()
        clock.now += 1 / 40
    budget.refused(budget.epoch, 0.0)

    assert 0.7 * 20 <= budget.rate <= 0.7 * 42


def test_an_idle_stretch_is_no_proof_of_a_higher_rate() -> None:
    """What nobody used was not probed: it goes on from the rate that was refused."""
    budget, clock = _learned(20)
    clock.now += 86_400
    assert budget.rate == pytest.approx(20, rel=0.02)
    assert budget.take() == 0

    assert budget.rate == pytest.approx(20, rel=0.02)


def test_slow_use_within_a_slow_limit_is_not_idle() -> None:
    """At one request in ten seconds the pauses are the limit's doing, and the rate still recovers."""
    budget, clock = _budget()
    _serve(budget, clock, 30, 0.9)
    for _ in range(3):
        budget.refused(budget.epoch, 0.0)
    low = budget.rate
    for _ in range(400):
        wait = budget.take()
        clock.now += max(wait, 0.001)
        if wait == 0:
            budget.answered()

    assert low < 0.25
    assert budget.rate > 0.5


def test_a_short_pause_is_no_idle_stretch() -> None:
    """The count of what was served goes on over it."""
    budget, clock = _budget()
    for _ in range(10):
        _serve(budget, clock, 10, 0.05)
        clock.now += IDLE_S / 4
    budget.refused(budget.epoch, 0.0)

    assert budget.rate == pytest.approx(0.7 * 100 / 7.5, rel=0.05)


# Against a server


def _simulate(
    limit: Callable[[float], int], window_s: float, seconds: float, *, hints: bool
) -> tuple[int, int]:
    """Ask greedily with eight in flight; return how many were served and refused."""
    budget, clock = _budget()
    rng = random.Random(0)
    window: list[float] = []
    under_way: list[tuple[float, int, bool, float]] = []
    served = refused = 0
    start = clock.now
    while clock.now < start + seconds:
        while under_way and under_way[0][0] <= clock.now:
            _, epoch, fine, hint = under_way.pop(0)
            if fine:
                budget.answered()
                served += 1
            else:
                budget.refused(epoch, hint if hints else None)
                refused += 1
        if len(under_way) < 8 and budget.take() == 0:
            window = [at for at in window if at > clock.now - window_s]
            fine = len(window) < limit(clock.now - start)
            hint = 0.0 if fine else math.ceil(window[0] + window_s - clock.now)
            window += [clock.now] * fine
            under_way.append((clock.now + rng.uniform(0.01, 0.05), budget.epoch, fine, hint))
            under_way.sort()
        clock.now += 0.01
    return served, refused


@pytest.mark.parametrize(
    ("limit", "window_s", "hints", "share"),
    [
        (5, 1.0, False, 0.7),
        (20, 1.0, False, 0.7),
        (20, 1.0, True, 0.7),
        (600, 60.0, False, 0.4),
        (600, 60.0, True, 0.7),
    ],
)
def test_a_steady_limit_is_used_well_at_few_refusals(
    limit: int, window_s: float, share: float, *, hints: bool
) -> None:
    """Over ten minutes most of what is allowed is used, at a few refused requests a minute."""
    served, refused = _simulate(lambda _: limit, window_s, 600, hints=hints)

    assert served >= share * limit / window_s * 600
    assert refused <= 50


@pytest.mark.parametrize("hints", [False, True])
@pytest.mark.parametrize(("before", "after"), [(20, 5), (20, 10), (50, 2), (5, 20)])
def test_a_limit_that_changes_is_found(before: int, after: int, *, hints: bool) -> None:
    """After five minutes the service allows more or less than it did; both are soon made use of."""
    served, refused = _simulate(lambda t: before if t < 300 else after, 1.0, 1200, hints=hints)

    assert served >= 0.5 * (300 * before + 900 * after)
    assert refused <= 160


def test_a_stray_refusal_does_not_lower_the_rate_that_it_comes_back_to() -> None:
    """Refused well below a rate that was served before, and not at once: it was not for the rate."""
    budget, clock = _learned(20)
    asked_at = clock.now
    while clock.now < asked_at + 6:
        if budget.take() == 0:
            budget.answered()
        clock.now += 0.001
    assert budget.rate < 0.9 * 20
    budget.refused(budget.epoch, 0.0)

    assert budget.rate == pytest.approx(0.7 * 20, rel=0.02)


def _together(n: int, act: Callable[[], None]) -> None:
    barrier = threading.Barrier(n)

    def run() -> None:
        barrier.wait()
        act()

    threads = [threading.Thread(target=run) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_together_are_granted_no_more_than_one_alone() -> None:
    """Eight threads that ask as fast as they can, on a clock that each reading moves by a millisecond."""
    ticks = itertools.count()
    budget = Budget(max_rate=100, burst_s=0.1, clock=lambda: next(ticks) / 1000)
    granted: list[int] = []

    def ask() -> None:
        granted.extend(1 for _ in range(2000) if budget.take() == 0)

    _together(8, ask)
    seconds = next(ticks) / 1000

    assert sum(granted) <= 100 * (seconds + 0.1) + 1
    assert sum(granted) >= 0.9 * 100 * seconds


def test_threads_refused_together_count_once() -> None:
    """The same, with refusals reported at the same moment."""
    budget, _ = _budget()
    _together(8, lambda: budget.refused(0, 10.0))

    assert (budget.epoch, budget.blocked_s) == (1, 10.0)


# One for all users of a key


def test_one_identity_has_one_budget() -> None:
    """At the same moment too, and with every limit applied."""
    found: list[Budget] = []
    _together(8, lambda: found.append(shared_budget("test one", 3.0)))

    assert len(set(map(id, found))) == 1
    assert shared_budget("test one", 7.0) is found[0]
    assert found[0].rate == 3.0
    assert shared_budget("test another") is not found[0]


def test_a_budget_lives_as_long_as_somebody_uses_it() -> None:
    """Then it is forgotten, limit and all."""
    budget = shared_budget("test weak", 3.0)
    assert shared_budget("test weak").rate == 3.0
    del budget
    gc.collect()

    assert shared_budget("test weak").rate == math.inf


def test_the_curve_is_the_documented_one() -> None:
    """70 % at once, the refused rate after the stated time."""
    budget, clock = _budget()
    budget.refused(budget.epoch, 10.0)
    refused = budget._refused_rate
    assert refused is not None
    clock.now += 10.0
    assert budget.rate == pytest.approx(0.7 * refused)
    clock.now += RECOVERY_S

    assert budget.rate == pytest.approx(refused)
