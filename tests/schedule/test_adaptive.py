import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docurift_nb.errors import ConfigError
from docurift_nb.schedule import Adaptive, Backoff, Ranks, Reconsiders, Sight
from tests.schedule.fleets import EPOCH, Cost, Job, lognormal, queued, sight_of, watched

LONGEST_S = 60.0

times = st.none() | st.floats(EPOCH - 1e6, EPOCH + 1e6) | st.sampled_from([0.0, -1e9, 1e11])
seen = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["pending", "processing", "queued", ""]),
        "progress": st.none() | st.floats(0, 100) | st.sampled_from([0.0, -5.0, 250.0, 99.0]),
        "document_type": st.none() | st.sampled_from(["a", "b"]) | st.text(max_size=3),
        "created_at": times,
        "updated_at": times,
        "ended_at": times,
    }
)
looks_at_three = st.lists(
    st.tuples(st.integers(0, 2), seen, st.sampled_from([False] * 9 + [True])), max_size=60
)


def _gaps(looks: list[tuple[int, dict[str, Any], bool]], schedule: Adaptive) -> Iterator[tuple[float, float]]:
    """Yield how long a schedule left each job alone, and how long it might have."""
    now, n_looks, last = EPOCH, [0, 0, 0], [EPOCH, EPOCH, EPOCH]
    for place, told, is_final in looks:
        job_id, at = f"job_{place}", max(now, last[place])
        while (held := schedule.hold(job_id, place, at)) > 0:
            at += held
        watched_s = at - EPOCH
        longest_s = max(LONGEST_S, 0.05 * watched_s) * 1.001 + 0.1
        yield at - max(now, last[place]), longest_s
        n_looks[place] += 1
        sight = Sight(job_id=job_id, place=place, at=at, watched_s=watched_s, looks=n_looks[place], **told)
        wait = schedule.next_look(sight)
        yield wait, longest_s
        now, last[place] = at, at + wait
        if is_final:
            schedule.forget(job_id)


@given(looks_at_three, st.floats(0.01, 100))
def test_waits_are_positive_and_bounded(
    looks: list[tuple[int, dict[str, Any], bool]], look_cost: float
) -> None:
    """Whatever the jobs, their clocks and their words say, and whatever it was thought to have learned."""
    schedule = Adaptive(look_cost_s=look_cost, longest_wait_s=LONGEST_S, seed=1)

    for gap, longest in _gaps(looks, schedule):
        assert 0 <= gap <= longest


@given(seen, st.integers(0, 30), st.floats(0.5, 20))
@settings(max_examples=50)
def test_a_job_that_never_ends_is_seen_again_in_time(
    told: dict[str, Any], n_taught: int, pace: float
) -> None:
    """Between two looks lies never more than the stated time, whatever the others taught."""
    schedule, at, looked_at = Adaptive(longest_wait_s=LONGEST_S, seed=1), EPOCH, EPOCH
    watched(lognormal(n_taught, 0.5, seed=1), schedule, partial(sight_of, pace=pace)) if n_taught else None
    for looks in range(1, 40):
        while (held := schedule.hold("stuck", 99, at)) > 0:
            at += held
        assert at - looked_at <= max(LONGEST_S, 0.05 * (looked_at - EPOCH)) + 1e-3
        looked_at = at
        at += schedule.next_look(
            Sight(job_id="stuck", place=99, at=at, watched_s=at - EPOCH, looks=looks, **told)
        )


@pytest.mark.parametrize("progress", [0.0, 50.0, 99.0, None])
def test_a_stuck_job_costs_little_more_than_by_the_documented_policy(progress: float | None) -> None:
    """Twelve looks at most, however much it seems to be about to end."""
    schedule, documented, at, looks = Adaptive(seed=1), Backoff(jitter=0), EPOCH, 0
    watched(lognormal(50, 0.5, seed=1), schedule)
    while at < EPOCH + 600:
        if (held := schedule.hold("stuck", 99, at)) > 0:
            at += held
            continue
        looks += 1
        moving = sight_of(Job(99, 0.0, 0.0, 1e9), at - EPOCH, looks)
        at += schedule.next_look(msgspec.structs.replace(moving, job_id="stuck", progress=progress))
    waited, n_documented = 0.0, 0
    while waited < 600:
        n_documented += 1
        waited += documented.after(n_documented)

    assert looks <= n_documented + 13


def test_a_clock_that_was_set_back_puts_nothing_off() -> None:
    """Otherwise every job would be left alone for as long."""
    schedule, job = Adaptive(seed=1), lognormal(1, 0.0, seed=1)[0]
    schedule.next_look(sight_of(job, 2.0))

    assert schedule.hold("job_0", 0, EPOCH - 3600) == 0.0


@given(st.integers(0, 2**32))
@settings(max_examples=5)
def test_the_same_seed_gives_the_same_looks(seed: int) -> None:
    """Nothing else is drawn."""
    jobs = lognormal(60, 0.2, seed=1)

    assert watched(jobs, Adaptive(seed=seed)) == watched(jobs, Adaptive(seed=seed))


def _is_kept(schedule: Adaptive, job_id: str) -> bool:
    kept = schedule._open.get(job_id) is not None  # what is kept shows nowhere else
    return kept or job_id in schedule._held or job_id in schedule._said  # as above


def test_nothing_is_kept_of_jobs_that_ended() -> None:
    """Neither of those that were seen to end, nor of those that were forgotten."""
    schedule, jobs = Adaptive(seed=1), lognormal(80, 0.2, seed=1)
    watched(jobs, schedule)
    assert not any(_is_kept(schedule, f"job_{job.place}") for job in jobs)

    schedule.hold("held", 80, EPOCH)
    schedule.next_look(Sight(job_id="open", status="processing", progress=50.0, at=EPOCH, watched_s=9.0))
    assert _is_kept(schedule, "open")
    for job_id in ("held", "open", "open", "never seen"):
        schedule.forget(job_id)

    assert not any(_is_kept(schedule, job_id) for job_id in ("held", "open"))


def _ratios(jobs: list[Job], **seeing: Any) -> Cost:  # noqa: ANN401  # handed on
    see = partial(sight_of, **seeing)
    ours, documented = watched(jobs, Adaptive(seed=2), see), watched(jobs, Backoff(seed=1), see)
    return Cost(*(one / other for one, other in zip(ours, documented, strict=True)))


FLEETS = {
    "steady": (lognormal(400, 0.2, seed=3), 0.45, 0.3),
    "burst": (lognormal(300, 0.0, seed=3), 0.45, 0.4),
    "queue": (queued(lognormal(400, 0.0, seed=3), 25), 0.35, 0.5),
    "two types": (
        [
            job._replace(end=job.start + (3 if job.place % 2 else 100) * (1 + job.place % 7 / 10), kind=kind)
            for job in lognormal(200, 0.5, seed=3)
            for kind in (f"kind {job.place % 2}",)
        ],
        0.45,
        0.4,
    ),
}


@pytest.mark.parametrize("name", FLEETS)
def test_it_asks_less_and_knows_sooner(name: str) -> None:
    """Than the documented policy, by the stated shares, with a 95th percentile that is no worse."""
    jobs, requests, late = FLEETS[name]
    ratio = _ratios(jobs)

    assert ratio.requests <= requests
    assert ratio.late_s <= late
    assert ratio.p95_s <= 1.0


@pytest.mark.parametrize("shift_s", [-7200.0, 3.0, 1e6])
def test_clocks_that_disagree_change_nothing(shift_s: float) -> None:
    """Only differences between the service's own times are used."""
    jobs = lognormal(150, 0.2, seed=3)

    apart, together = _ratios(jobs, shift_s=shift_s), _ratios(jobs)
    assert tuple(apart) == pytest.approx(tuple(together), rel=0.05)


@pytest.mark.parametrize("pace", [0.2, 5.0, 20.0])
def test_a_clock_at_another_pace_is_seen_through(pace: float) -> None:
    """A replay shows recorded times, at the speed it was given."""
    ratio = _ratios(lognormal(300, 0.0, seed=3), pace=pace)

    assert ratio.requests <= 0.6
    assert ratio.late_s <= 0.6


def test_a_fast_clock_is_noticed_in_the_first_wave() -> None:
    """A job that seems to take half a minute may be over in one second: some are looked at soon."""
    jobs = lognormal(300, 0.0, seed=3, median_s=1.4)

    assert watched(jobs, Adaptive(seed=2), partial(sight_of, pace=20.0)).late_s <= 1.2


def test_with_nothing_to_learn_it_is_not_worse() -> None:
    """Exponential durations have no memory, and no progress is told."""
    jobs = lognormal(400, 0.2, seed=3)
    gaps = [-12.0 * math.log((job.place * 0.6180339887 + 0.1) % 1.0) for job in jobs]
    ratio = _ratios(
        [j._replace(end=j.start + gap) for j, gap in zip(jobs, gaps, strict=True)], has_progress=False
    )

    assert ratio.requests <= 1.0
    assert ratio.late_s <= 1.0


def test_jobs_that_never_end_do_not_spoil_the_others() -> None:
    """One in twenty hangs at a tenth."""
    jobs = [j._replace(end=1e7) if j.place % 20 == 7 else j for j in lognormal(400, 0.2, seed=3)]
    sound = watched(lognormal(400, 0.2, seed=3), Adaptive(seed=2))

    assert watched(jobs, Adaptive(seed=2), until_s=150.0).late_s <= 2 * sound.late_s + 0.2


def test_it_can_be_reconsidered_and_ranked() -> None:
    """The engine asks by these protocols."""
    assert isinstance(Adaptive(), Reconsiders)
    assert isinstance(Adaptive(), Ranks)


def test_the_end_is_expected_with_an_interval() -> None:
    """And the chance to find it ended grows from 0 to 1 across it."""
    schedule, job = Adaptive(seed=1), Job(500, 1000.0, 1000.0, 1020.0)
    assert schedule.expected_end("job_500", 500) is None
    watched(lognormal(100, 0.2, seed=3), schedule)
    schedule.next_look(sight_of(job, 1010.0))

    low, middle, high = schedule.expected_end("job_500", 500) or (0, 0, 0)
    assert low <= middle <= high
    assert middle == pytest.approx(EPOCH + 1020.0, abs=1.0)
    chances = [schedule.chance("job_500", 500, EPOCH + at) for at in (1010.0, 1019.0, 1021.0, 1060.0)]
    assert chances == sorted(chances)
    assert (chances[0], chances[-1]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("given_value", "named"),
    [
        ({"look_cost_s": 0}, "look_cost_s"),
        ({"look_cost_s": math.nan}, "look_cost_s"),
        ({"longest_wait_s": 0.5}, "l"),
    ],
)
def test_a_value_outside_its_range_is_refused(given_value: dict[str, Any], named: str) -> None:
    """The error names it."""
    with pytest.raises(ConfigError, match=f"'{named}"):
        Adaptive(**given_value)
