"""Two axes that never mix: what the service says of a job, and what we managed to see."""

import pytest

from docurift_nb.models import ENDED_UNSEEN, Job, Observation, Seen
from tests.builders import make_job

OPEN = make_job("processing")
DONE = make_job("completed")
UNKNOWN = make_job("archived")


@pytest.mark.parametrize("seen", Seen)
@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("job", [DONE, make_job("failed")], ids=["completed", "failed"])
def test_final_word_stands_whatever_we_see(job: Job, seen: Seen, *, ended: bool) -> None:
    """Once the service called a job finished, no failed look changes its state."""
    assert Observation(job_id="j", job=job, seen=seen, ended=ended).state == job.status


@pytest.mark.parametrize("seen", Seen)
@pytest.mark.parametrize("job", [OPEN, UNKNOWN], ids=["processing", "unknown"])
def test_lost_look_never_changes_an_open_state(job: Job, seen: Seen) -> None:
    """While a job is still asked about, its state is the service's last word."""
    assert Observation(job_id="j", job=job, seen=seen).state == job.status


@pytest.mark.parametrize("seen", sorted(ENDED_UNSEEN))
@pytest.mark.parametrize("job", [None, OPEN, UNKNOWN], ids=["never seen", "processing", "unknown"])
def test_end_without_a_final_word_names_the_reason(job: Job | None, seen: Seen) -> None:
    """A job that will never be answered again counts under why, not as failed and not as open."""
    assert Observation(job_id="j", job=job, seen=seen, ended=True).state == seen.value


@pytest.mark.parametrize("seen", sorted(set(Seen) - ENDED_UNSEEN))
def test_giving_up_keeps_the_last_word(seen: Seen) -> None:
    """Ending the looks for a reason of our own leaves the service's last word as the state."""
    assert Observation(job_id="j", job=OPEN, seen=seen, ended=True).state == "processing"


@pytest.mark.parametrize("seen", Seen)
def test_job_never_answered_and_not_given_up_is_unseen(seen: Seen) -> None:
    """Throttled, unreachable or denied for now: a job without any answer is unseen."""
    assert Observation(job_id="j", seen=seen).state == "unseen"


@pytest.mark.parametrize("seen", Seen)
@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("job", [None, OPEN, UNKNOWN])
def test_could_not_see_is_never_failed(job: Job | None, seen: Seen, *, ended: bool) -> None:
    """No way of not seeing a job makes it failed or completed."""
    assert Observation(job_id="j", job=job, seen=seen, ended=ended).state not in {"failed", "completed"}


def test_repr_names_both_axes() -> None:
    """The repr shows the job's state and how the last look went."""
    observed = Observation(job_id="j", job=OPEN, seen=Seen.THROTTLED)
    assert repr(observed) == "<Observation 'j': processing, throttled>"


def test_repr_of_hostile_observation_is_short_and_printable() -> None:
    """Ids and unknown status words cannot control a terminal or flood a notebook."""
    hostile = "\x1b[2J\u202e" + "x" * 10_000
    observed = Observation(job_id=hostile, job=Job(job_id=hostile, status=hostile), reason=hostile)
    assert repr(observed).isprintable()
    assert len(repr(observed)) < 400
