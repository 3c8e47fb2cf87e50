from collections.abc import Iterator

import pytest

from docurift_nb.archive import Archive
from docurift_nb.errors import (
    AuthError,
    CreditsError,
    DocuriftError,
    ForbiddenError,
    JobNotFoundError,
    NoAnswerError,
    RateLimitError,
    ServerError,
    UnreadableAnswerError,
)
from docurift_nb.models import Job, Seen
from docurift_nb.schedule import Backoff, ErrorBackoff
from docurift_nb.watcher.board import Board
from docurift_nb.watcher.crew import Outcome
from docurift_nb.watcher.fleet import Fleet
from docurift_nb.watcher.judge import DENIALS_FOR_ALL, Judge
from docurift_nb.watcher.weather import OFFLINE_AFTER
from tests.builders import make_job

NOW = 1_700_000_000.0


class Court:
    """A judge with its fleet and board, and a short way to hand it outcomes."""

    def __init__(self, archive: Archive, jobs: int) -> None:
        retry = ErrorBackoff(seed=0)
        self.fleet = Fleet(Backoff(), retry)
        self.board = Board(self.fleet, archive)
        self.judge = Judge(self.fleet, self.board, retry)
        for number in range(jobs):
            self.fleet.add(f"job_{number}", 0.0)

    def hear(self, number: int, brought: Job | DocuriftError, *, paid: bool = True) -> None:
        tracked = self.fleet.get(f"job_{number}")
        assert tracked is not None
        for change in self.judge.changes(Outcome(tracked, brought, NOW, paid), 0.0):
            self.fleet.apply(change, 0.0)

    def seen(self, number: int) -> Seen:
        tracked = self.fleet.get(f"job_{number}")
        assert tracked is not None
        return tracked.seen

    def answer(self, number: int, status: str = "processing") -> None:
        self.hear(number, make_job(status, id=f"job_{number}"))


@pytest.fixture(name="court")
def _court() -> Iterator[Court]:
    with Archive() as archive:
        yield Court(archive, jobs=50)


@pytest.mark.parametrize(
    ("error", "seen", "account"),
    [
        (RateLimitError(status=429), Seen.THROTTLED, "refused"),
        (ServerError(status=503), Seen.UNREACHABLE, "lost"),
        (NoAnswerError(), Seen.UNREACHABLE, "lost"),
        (UnreadableAnswerError(), Seen.UNREACHABLE, "lost"),
        (AuthError(status=401), Seen.DENIED, "denied"),
        (CreditsError(status=402), Seen.DENIED, "denied"),
        (ForbiddenError(status=403), Seen.DENIED, "denied"),
    ],
)
def test_a_refusal_moves_only_the_observation(
    court: Court, error: DocuriftError, seen: Seen, account: str
) -> None:
    """Each kind of refusal is accounted for and leaves the job open."""
    court.hear(0, error)

    assert court.seen(0) is seen
    assert court.fleet.n_ended == 0
    assert court.board.spent == {account: 1}


@pytest.mark.parametrize("error", [AuthError(status=401), CreditsError(status=402)])
def test_a_refused_key_is_trouble_for_everything(court: Court, error: DocuriftError) -> None:
    """The first 401 is enough, and the first one stands."""
    court.hear(0, error)
    court.hear(1, AuthError(status=401))

    assert court.board.trouble is error


def test_a_404_ends_the_job(court: Court) -> None:
    """An unknown job is not asked about again."""
    court.hear(0, JobNotFoundError(status=404))

    assert court.fleet.counts["not_found"] == 1


def test_a_403_among_successes_ends_that_job_alone(court: Court) -> None:
    """The key works for others, so this job is another organization's."""
    court.hear(0, ForbiddenError(status=403))
    assert court.fleet.n_ended == 0

    court.answer(1)
    assert court.fleet.counts["denied"] == 1
    assert court.board.trouble is None


def test_a_second_403_ends_the_job_once_the_key_is_proven(court: Court) -> None:
    """The last open job of a fleet needs no other job to vouch for the key."""
    court.answer(1)
    court.hear(0, ForbiddenError(status=403))
    assert court.fleet.n_ended == 0

    court.hear(0, ForbiddenError(status=403))
    assert court.fleet.counts["denied"] == 1


def test_403_for_everything_pauses_and_ends_nothing(court: Court) -> None:
    """A blocked address must not end a fleet job by job."""
    court.answer(49)
    for number in [*range(DENIALS_FOR_ALL), 49]:
        assert court.board.trouble is None
        court.hear(number, ForbiddenError(status=403))

    assert isinstance(court.board.trouble, ForbiddenError)
    assert court.fleet.n_ended == 0


def test_a_small_fleet_is_denied_when_all_of_it_is() -> None:
    """Two jobs, both refused: that is everything."""
    with Archive() as archive:
        court = Court(archive, jobs=2)
        court.hear(0, ForbiddenError(status=403))
        assert court.board.trouble is None

        court.hear(1, ForbiddenError(status=403))
        assert isinstance(court.board.trouble, ForbiddenError)


def test_forgiving_forgets_what_was_held_against_the_old_key(court: Court) -> None:
    """Denials under the old key do not count against the new one."""
    court.hear(0, ForbiddenError(status=403))
    court.judge.forgive()
    court.answer(1)

    assert court.fleet.n_ended == 0


def test_an_answer_somebody_else_paid_for_costs_nothing_and_proves_nothing(court: Court) -> None:
    """Shared answers move the job but not the receipt, and say nothing of our key."""
    court.hear(0, ForbiddenError(status=403))
    court.hear(1, make_job("completed", id="job_1"), paid=False)

    assert court.fleet.counts["completed"] == 1
    assert court.board.spent == {"denied": 1}
    assert court.fleet.counts["denied"] == 0


def test_an_outcome_for_an_ended_job_is_spent_and_dropped(court: Court) -> None:
    """A late answer changes nothing, but it was a request."""
    court.answer(0, "completed")
    court.hear(0, JobNotFoundError(status=404))

    assert court.fleet.counts["completed"] == 1
    assert court.board.spent.total() == 2


def test_many_losses_in_a_row_are_an_outage_until_the_first_answer(court: Court) -> None:
    """Any answer of the API, even a refusal, shows that it is there."""
    for number in range(OFFLINE_AFTER):
        court.hear(number, NoAnswerError())
    assert court.board.offline

    court.hear(20, RateLimitError(status=429))
    assert not court.board.offline
