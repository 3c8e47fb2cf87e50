"""What a watch looks like at one moment: immutable, made for displays, programs and tests."""

import enum
from collections.abc import Mapping
from datetime import datetime

import msgspec


class Phase(enum.StrEnum):
    """What the watch as a whole is doing."""

    RUNNING = "running"
    PAUSED = "paused"
    """By the user."""
    DENIED = "denied"
    """The key is refused for everything; a new key resumes."""
    BLOCKED = "blocked"
    """The archive cannot be written; nothing is asked until it can."""
    TIMED_OUT = "timed out"
    """The watch's own timeout is over."""
    STOPPED = "stopped"
    """By the user, for good."""
    FINISHED = "finished"
    """Nothing is left to ask."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the watch has spent so far.

    Attributes
    ----------
    requests : int
        Requests made.
    answers : int
        Those that brought a readable answer about the job.
    refused : int
        Answered with 429.
    lost : int
        Without an answer, with a 5xx, or unreadable.
    denied : int
        Answered with 401, 402 or 403.
    not_found : int
        Answered with 404.
    ended : int
        Jobs that have ended under this watch, or were known to have.
    from_memory : int
        Of those, the ones that cost this watch no request.
    rate : float
        Requests per second the key may make now; ``inf`` while no limit is known.
    next_look_s : float or None
        Seconds until the next request is due, negative when overdue; None when none is planned.
    """

    requests: int = 0
    answers: int = 0
    refused: int = 0
    lost: int = 0
    denied: int = 0
    not_found: int = 0
    ended: int = 0
    from_memory: int = 0
    rate: float = float("inf")
    next_look_s: float | None = None

    @property
    def per_ended_job(self) -> float | None:
        """Requests for each job that ended at the cost of any; None before the first."""
        paid = self.ended - self.from_memory
        return self.requests / paid if paid else None

    def __str__(self) -> str:
        per = f", {self.per_ended_job:.1f} per ended job" if self.per_ended_job is not None else ""
        return (
            f"{self.requests:,} requests{per}; {self.refused:,} refused (429), {self.lost:,} lost; "
            f"{self.ended:,} jobs ended, {self.from_memory:,} of them at no request"
        )


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The whole watch at one moment.

    Attributes
    ----------
    phase : Phase
    total, n_ended : int
        Jobs watched; jobs about which nothing more will be asked.
    counts : Mapping of str to int
        Jobs by state: the service's words, or ``unseen``, ``not_found``, ``expired``, ``denied``.
    seen : Mapping of str to int
        The open jobs by how their last look went.
    taken_at, started_at : datetime
        UTC.
    newest_at, oldest_at : datetime or None
        The newest answer of all, and the oldest among the open jobs' latest answers; None where there is
        no such answer.
    throttled_s : float
        Seconds for which the key is blocked by a refusal.
    offline : bool
        Nothing but failures for some time; one probe at a time is sent.
    trouble : str
        Why the watch is denied or blocked; may hold text from the API: untrusted.
    notices : tuple of str
        What users should know once, such as an unknown status word. Untrusted text.
    receipt : Receipt
    """

    phase: Phase
    total: int
    n_ended: int
    counts: Mapping[str, int]
    seen: Mapping[str, int]
    taken_at: datetime
    started_at: datetime
    newest_at: datetime | None = None
    oldest_at: datetime | None = None
    throttled_s: float = 0.0
    offline: bool = False
    trouble: str = ""
    notices: tuple[str, ...] = ()
    receipt: Receipt = Receipt()

    @property
    def n_open(self) -> int:
        """Jobs not ended."""
        return self.total - self.n_ended

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more unless somebody acts."""
        return self.phase in {Phase.FINISHED, Phase.STOPPED, Phase.TIMED_OUT}
