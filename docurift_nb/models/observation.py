"""What we managed to see of a job, apart from what the service says of it.

The two axes never mix: a refused or lost request moves ``seen`` and leaves ``job`` as it was.
"""

import enum
from datetime import datetime

import msgspec

from docurift_nb.errors import shorten
from docurift_nb.models.job import FINAL_STATUSES, Job


class Seen(enum.StrEnum):
    """How the last look at a job went."""

    UNSEEN = "unseen"
    """Not looked at yet."""
    FRESH = "fresh"
    """The last look brought an answer, and it is recent or final."""
    STALE = "stale"
    """The last look brought an answer, but that is long ago."""
    THROTTLED = "throttled"
    """The last look was refused with 429."""
    UNREACHABLE = "unreachable"
    """The last look brought no answer, a 5xx, or one that cannot be read."""
    DENIED = "denied"
    """The key may not see the job (401, 402, 403)."""
    NOT_FOUND = "not_found"
    """The service knows no such job, and it was never seen."""
    EXPIRED = "expired"
    """The job was seen before and its record is gone: past the 30 days of retention."""


ENDED_UNSEEN = frozenset({Seen.NOT_FOUND, Seen.EXPIRED, Seen.DENIED})


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """The latest that is known of one watched job.

    Attributes
    ----------
    job_id : str
    job : Job or None
        The last answer that could be read; None where there never was one.
    seen : Seen
        How the last look went.
    ended : bool
        Nothing more will be asked about this job.
    observed_at : datetime or None
        When ``job`` was answered, UTC; None where there never was an answer.
    looked_at : datetime or None
        When the last look was made, successful or not, UTC.
    looks : int
        Requests made for this job by this watch.
    reason : str
        Why the last look failed; empty after a good one. May hold text from the API: untrusted.
    """

    job_id: str
    job: Job | None = None
    seen: Seen = Seen.UNSEEN
    ended: bool = False
    observed_at: datetime | None = None
    looked_at: datetime | None = None
    looks: int = 0
    reason: str = ""

    @property
    def state(self) -> str:
        """One word for tables and counts: the job's status, or why there is none.

        The service's word wins; ``not_found``, ``expired``, ``denied`` and ``unseen`` stand only where the
        service never said, or will not say any more, how the job ended.
        """
        gone = self.ended and self.seen in ENDED_UNSEEN
        if self.job is not None and (self.job.status in FINAL_STATUSES or not gone):
            return self.job.status
        return str(self.seen) if gone else str(Seen.UNSEEN)

    def __repr__(self) -> str:
        return f"<Observation {shorten(self.job_id, 80)!r}: {shorten(self.state, 40)}, {self.seen}>"
