"""What an outcome means for its job and for the whole fleet: refusals, denials, outages.

A refusal of one request never says anything about a job's state. A refused key stops everything, once; a
403 is held against the job alone only when the key is known to work. Many of them in a row may mean either;
a job that the key could see before then decides.
"""

import logging
from collections.abc import Iterator

from docurift_nb.errors import (
    AuthError,
    CreditsError,
    DocuriftError,
    ForbiddenError,
    JobNotFoundError,
    RateLimitError,
)
from docurift_nb.models import Job, Seen
from docurift_nb.schedule import ErrorBackoff
from docurift_nb.watcher.board import Board
from docurift_nb.watcher.crew import Outcome
from docurift_nb.watcher.fleet import Change, Fleet, Tracked
from docurift_nb.watcher.weather import Weather

logger = logging.getLogger("docurift_nb")

DENIALS_FOR_ALL = 20
DENIALS_UNDECIDED = 100


class Judge:
    """Turns outcomes into changes, and keeps what they say together. Used under the board's lock."""

    def __init__(self, fleet: Fleet, board: Board, retry: ErrorBackoff) -> None:
        self._fleet = fleet
        self._board = board
        self.weather = Weather(retry)
        self._proven = False
        self._suspects: dict[str, Tracked] = {}
        self._reference: Tracked | None = None
        self._forgiven_at = -float("inf")

    def forgive(self, now: float = -float("inf")) -> None:
        """Forget what was held against the key, and what is still to come of it: there may be a new one."""
        self._proven, self._reference = False, None
        self._suspects.clear()
        self._forgiven_at = now

    def changes(self, outcome: Outcome, now: float) -> Iterator[Change]:
        """Judge one outcome at monotonic time ``now``; nothing comes of one whose job has ended meanwhile."""
        tracked, brought, at, paid, asked_at = outcome
        if paid:
            tracked.looks += 1
            self._board.spent[_account(brought)] += 1
            self._note_weather(brought, now)
        if tracked.ended:
            return
        if not isinstance(brought, Job):
            yield self._without_answer(tracked, brought, at, is_old=asked_at < self._forgiven_at)
            return
        if paid:
            yield from self._prove(at)
        self._fleet.note_status(brought)
        yield self._fleet.answered(tracked, brought, at, paid=paid)

    def _prove(self, at: float) -> Iterator[Change]:
        """Close what was denied before: the key is known to work."""
        self._proven, self._reference = True, None
        suspects, self._suspects = self._suspects, {}
        for tracked in suspects.values():
            if not tracked.ended:
                yield self._fleet.closed(tracked, Seen.DENIED, tracked.reason, at)

    def _without_answer(self, tracked: Tracked, error: DocuriftError, at: float, *, is_old: bool) -> Change:
        if isinstance(error, JobNotFoundError):
            return self._fleet.missing(tracked, error.got, at)
        if is_old and isinstance(error, (AuthError, CreditsError, ForbiddenError)):
            # Said of the key before; the present one has not been tried on this job.
            return self._fleet.unseen(tracked, Seen.DENIED, error.got, at)
        if isinstance(error, (AuthError, CreditsError)):
            self._deny_all(error)
            return self._fleet.unseen(tracked, Seen.DENIED, error.got, at)
        if isinstance(error, ForbiddenError):
            return self._forbidden(tracked, error, at)
        seen = Seen.THROTTLED if isinstance(error, RateLimitError) else Seen.UNREACHABLE
        return self._fleet.unseen(tracked, seen, error.got, at)

    def _forbidden(self, tracked: Tracked, error: ForbiddenError, at: float) -> Change:
        again = tracked.job_id in self._suspects
        if again and self._proven:
            return self._fleet.closed(tracked, Seen.DENIED, error.got, at)
        self._suspects[tracked.job_id] = tracked
        if self._is_key_refused(tracked):
            self._deny_all(error)
        return self._fleet.unseen(tracked, Seen.DENIED, error.got, at)

    def _is_key_refused(self, tracked: Tracked) -> bool:
        """Tell whether so many denials in a row concern the key rather than the jobs."""
        n = len(self._suspects)
        if not self._proven:
            return n >= min(DENIALS_FOR_ALL, self._fleet.n_open)
        if tracked is self._reference or n >= DENIALS_UNDECIDED:
            return True
        return n >= DENIALS_FOR_ALL and not self._ask_reference()

    def _ask_reference(self) -> bool:
        """Have a job asked about next that the key could see before; False where none is open."""
        if self._reference is None:
            could_see = (
                t for t in self._fleet if t.answers and not t.ended and t.job_id not in self._suspects
            )
            self._reference = next(could_see, None)
            if self._reference is not None:
                self._fleet.plan(self._reference, 0.0)
        return self._reference is not None

    def _deny_all(self, error: DocuriftError) -> None:
        if self._board.trouble is None:
            self._board.trouble = error
            logger.warning("the watch is paused: %s", error)

    def _note_weather(self, brought: Job | DocuriftError, now: float) -> None:
        if _account(brought) == "lost":
            self.weather.bad(now)
        else:
            self.weather.good()
        self._board.offline = self.weather.offline


def _account(brought: Job | DocuriftError) -> str:
    if isinstance(brought, Job):
        return "answers"
    if isinstance(brought, RateLimitError):
        return "refused"
    if isinstance(brought, JobNotFoundError):
        return "not_found"
    if isinstance(brought, (AuthError, CreditsError, ForbiddenError)):
        return "denied"
    return "lost"
