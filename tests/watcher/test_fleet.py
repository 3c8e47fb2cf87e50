from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.models import Observation, Seen
from docurift_nb.schedule import Backoff, ErrorBackoff
from docurift_nb.watcher.fleet import STALE_S, Change, Fleet, Tracked
from tests.builders import make_job

NOW = 1_700_000_000.0


def _make_fleet(*ids: str) -> Fleet:
    fleet = Fleet(Backoff(jitter=0), ErrorBackoff(seed=0))
    for job_id in ids:
        fleet.add(job_id, 0.0)
    return fleet


def _tracked_in(fleet: Fleet, job_id: str = "a") -> Tracked:
    found = fleet.get(job_id)
    assert found is not None
    return found


def test_a_new_job_is_unseen_and_due_at_once() -> None:
    """Nothing is claimed of a job before its first answer."""
    fleet = _make_fleet("a")

    assert fleet.counts == {"unseen": 1}
    assert fleet.pop_due(0.0) is _tracked_in(fleet)


def test_a_popped_job_is_not_due_again_until_planned() -> None:
    """No job is handed out twice while its look is under way."""
    fleet = _make_fleet("a")
    fleet.pop_due(0.0)

    assert fleet.pop_due(1e9) is None
    assert fleet.next_due() is None


def test_a_later_plan_voids_the_earlier_one() -> None:
    """A job planned twice is due once, at the time planned last."""
    fleet = _make_fleet("a")
    fleet.plan(_tracked_in(fleet), 50.0)

    assert fleet.pop_due(49.0) is None
    assert fleet.pop_due(50.0) is not None
    assert fleet.pop_due(100.0) is None


def test_jobs_come_out_in_the_order_they_are_due() -> None:
    """The job that has waited longest is looked at first."""
    fleet = _make_fleet("a", "b", "c")
    for job_id, due in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
        fleet.plan(_tracked_in(fleet, job_id), due)

    order = [popped.job_id for popped in iter(lambda: fleet.pop_due(10.0), None)]
    assert order == ["b", "c", "a"]


def test_an_answer_moves_state_and_plans_by_the_schedule() -> None:
    """The first answer is followed by the documented second."""
    fleet = _make_fleet("a")
    tracked = fleet.pop_due(0.0)
    assert tracked is not None

    changed = fleet.apply(fleet.answered(tracked, make_job("processing", id="a"), NOW), now=100.0)

    assert changed
    assert fleet.counts["processing"] == 1
    assert fleet.next_due() == 101.0


def test_the_same_answer_again_is_no_change_and_nothing_to_store() -> None:
    """Callbacks and the archive hear of changes only."""
    fleet, job = _make_fleet("a"), make_job("processing", id="a")
    tracked = _tracked_in(fleet)
    fleet.apply(fleet.answered(tracked, job, NOW), now=0.0)

    again = fleet.answered(tracked, job, NOW + 1)
    assert again.entry is None
    assert not fleet.apply(again, now=1.0)


@pytest.mark.parametrize("seen", [Seen.THROTTLED, Seen.UNREACHABLE, Seen.DENIED])
def test_a_lost_look_never_moves_the_state(seen: Seen) -> None:
    """Could not see is not failed: only the observation axis moves."""
    fleet = _make_fleet("a")
    tracked = _tracked_in(fleet)
    fleet.apply(fleet.answered(tracked, make_job("processing", id="a"), NOW), now=0.0)

    fleet.apply(fleet.unseen(tracked, seen, "no luck", NOW + 1), now=1.0)

    assert tracked.state == "processing"
    assert tracked.seen is seen
    assert fleet.n_ended == 0


def test_failures_in_a_row_wait_longer_but_refusals_do_not() -> None:
    """A job is not punished for the key's rate limit."""
    fleet = _make_fleet("a", "b")
    lost, refused = _tracked_in(fleet, "a"), _tracked_in(fleet, "b")
    for _ in range(8):
        fleet.apply(fleet.unseen(lost, Seen.UNREACHABLE, "", NOW), now=0.0)
        fleet.apply(fleet.unseen(refused, Seen.THROTTLED, "", NOW), now=0.0)

    assert lost.due >= 60.0
    assert refused.due <= 1.5


def test_a_404_is_not_found_when_never_seen_and_expired_otherwise() -> None:
    """A job that was seen before cannot be unknown: its record has expired."""
    fleet = _make_fleet("new", "old")
    fleet.apply(fleet.answered(_tracked_in(fleet, "old"), make_job("processing", id="old"), NOW), now=0.0)
    for job_id in ("new", "old"):
        fleet.apply(fleet.missing(_tracked_in(fleet, job_id), "404", NOW), now=1.0)

    assert fleet.counts["not_found"] == fleet.counts["expired"] == 1
    assert fleet.n_open == 0


def test_an_ended_job_takes_no_further_change() -> None:
    """The first end stands."""
    fleet = _make_fleet("a")
    tracked = _tracked_in(fleet)
    fleet.apply(fleet.answered(tracked, make_job("completed", id="a"), NOW), now=0.0)

    assert not fleet.apply(fleet.missing(tracked, "404", NOW + 1), now=1.0)
    assert tracked.state == "completed"
    assert fleet.next_due() is None


def test_an_unknown_status_is_kept_counted_open_and_noticed_once() -> None:
    """A word of tomorrow is shown as it is and is not an end."""
    fleet = _make_fleet("a", "b")
    for job_id in ("a", "b"):
        job = make_job("archiving", id=job_id)
        fleet.note_status(job)
        fleet.apply(fleet.answered(_tracked_in(fleet, job_id), job, NOW), now=0.0)

    assert fleet.counts["archiving"] == 2
    assert fleet.n_open == 2
    assert len(fleet.notices) == 1


def test_a_recalled_ending_is_never_planned() -> None:
    """What the archive knows to have ended costs no request."""
    fleet = _make_fleet("a")
    at = datetime.fromtimestamp(NOW, UTC)
    stored = Observation(
        job_id="a", job=make_job("failed", id="a"), seen=Seen.FRESH, ended=True, observed_at=at
    )
    fleet.recall(_tracked_in(fleet), stored)

    assert fleet.pop_due(1e9) is None
    assert fleet.counts["failed"] == 1


def test_reopening_a_denied_job_plans_it_again() -> None:
    """A new key gets its chance."""
    fleet = _make_fleet("a")
    tracked = _tracked_in(fleet)
    fleet.apply(fleet.closed(tracked, Seen.DENIED, "403", NOW), now=0.0)
    assert fleet.counts["denied"] == 1

    fleet.reopen(tracked, 5.0)
    assert fleet.n_open == 1
    assert fleet.pop_due(5.0) is tracked


def test_an_old_answer_of_an_open_job_reads_as_stale() -> None:
    """Freshness is a matter of age, and a final answer does not age."""
    fleet = _make_fleet("a")
    tracked = _tracked_in(fleet)
    fleet.apply(fleet.answered(tracked, make_job("processing", id="a"), NOW), now=0.0)

    assert tracked.observation(None, NOW + STALE_S - 1).seen is Seen.FRESH
    assert tracked.observation(None, NOW + STALE_S + 1).seen is Seen.STALE


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["pending", "processing", "odd", "completed", "failed", "404", "429", "403"]),
    ),
    max_size=40,
)


def _step(fleet: Fleet, job_id: str, what: str) -> Change:
    tracked = _tracked_in(fleet, job_id)
    if what == "404":
        return fleet.missing(tracked, what, NOW)
    if what == "403":
        return fleet.closed(tracked, Seen.DENIED, what, NOW)
    if what == "429":
        return fleet.unseen(tracked, Seen.THROTTLED, what, NOW)
    return fleet.answered(tracked, make_job(what, id=job_id), NOW)


@given(STEPS)
def test_running_counts_equal_a_recount(steps: list[tuple[str, str]]) -> None:
    """However looks come in, the counters are those of the jobs themselves, and open jobs stay planned."""
    fleet = _make_fleet("a", "b", "c")
    for job_id, what in steps:
        fleet.apply(_step(fleet, job_id, what), now=0.0)

    jobs = list(fleet)
    states = [tracked.state for tracked in jobs]
    assert {word: n for word, n in fleet.counts.items() if n} == {word: states.count(word) for word in states}
    assert fleet.n_ended == sum(tracked.ended for tracked in jobs)
    assert sum(fleet.seen.values()) == fleet.n_open
    popped = {tracked.job_id for tracked in iter(lambda: fleet.pop_due(1e9), None)}
    assert popped == {tracked.job_id for tracked in jobs if not tracked.ended}
