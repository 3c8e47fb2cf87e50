"""The state of the watched jobs: what each look means, with no thread, no request and no clock.

The caller says what happened and when; the fleet says what changed, what to store, and when to look
again. One `Tracked` costs a few hundred bytes: answers themselves live in the archive.
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from docurift_nb.archive import Entry
from docurift_nb.models import ENDED_UNSEEN, FINAL_STATUSES, KNOWN_STATUSES, Job, Observation, Seen
from docurift_nb.schedule import ErrorBackoff, Reconsiders, Schedule, Sight, next_wait

STALE_S = 60.0


class Tracked:
    """What must be at hand about one job; times in seconds, ``due`` on the caller's monotonic clock."""

    __slots__ = (
        "added",
        "answers",
        "document_type",
        "due",
        "ended",
        "failures",
        "job_id",
        "looked_at",
        "looks",
        "observed_at",
        "place",
        "progress",
        "reason",
        "seen",
        "status",
        "updated_at",
    )

    def __init__(self, job_id: str, added: float, place: int = 0) -> None:
        self.job_id = job_id
        self.place = place
        self.added = added
        self.due = added
        self.status: str | None = None
        self.progress: float | None = None
        self.document_type: str | None = None
        self.updated_at: datetime | None = None
        self.seen = Seen.UNSEEN
        self.ended = False
        self.looks = 0
        self.answers = 0
        self.failures = 0
        self.looked_at: float | None = None
        self.observed_at: float | None = None
        self.reason = ""

    @property
    def state(self) -> str:
        """As `Observation.state`."""
        if self.status is not None and (self.status in FINAL_STATUSES or not self.ended):
            return self.status
        return str(self.seen) if self.ended and self.seen in ENDED_UNSEEN else str(Seen.UNSEEN)

    def observation(self, job: Job | None, now: float) -> Observation:
        """Return the public value; ``now`` decides whether an answer has gone stale."""
        seen = self.seen
        if seen is Seen.FRESH and not self.ended and now - (self.observed_at or now) > STALE_S:
            seen = Seen.STALE
        return Observation(
            job_id=self.job_id,
            job=job,
            seen=seen,
            ended=self.ended,
            observed_at=_datetime(self.observed_at),
            looked_at=_datetime(self.looked_at),
            looks=self.looks,
            reason=self.reason,
        )


class Change(msgspec.Struct, frozen=True, gc=False):
    """One look and what it did: applied only after ``entry`` is safe in the archive."""

    tracked: Tracked
    looked_at: float
    seen: Seen
    job: Job | None = None
    ended: bool = False
    reason: str = ""
    entry: Entry | None = None
    paid: bool = True


def as_datetime(seconds: float) -> datetime:
    """Return a Unix time as aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def _datetime(seconds: float | None) -> datetime | None:
    return None if seconds is None else as_datetime(seconds)


def _seconds(time: datetime | None) -> float:
    return 0.0 if time is None else time.timestamp()


class Fleet:
    """All jobs of one watch. Not thread-safe: one writer, and readers that hold the engine's lock."""

    def __init__(self, schedule: Schedule, retry: ErrorBackoff) -> None:
        self._schedule = schedule
        self._retry = retry
        self._jobs: dict[str, Tracked] = {}
        self._heap: list[tuple[float, int, Tracked]] = []
        self._ticket = 0
        self._words: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.n_ended = 0
        self.notices: list[str] = []

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Tracked]:
        return iter(self._jobs.values())

    def get(self, job_id: str) -> Tracked | None:
        """Return the tracked job, or None."""
        return self._jobs.get(job_id)

    @property
    def n_open(self) -> int:
        """Jobs not ended."""
        return len(self._jobs) - self.n_ended

    def add(self, job_id: str, due: float) -> Tracked:
        """Take a new id up and plan its first look."""
        tracked = self._jobs[job_id] = Tracked(job_id, due, len(self._jobs))
        self.counts[tracked.state] += 1
        self.seen[tracked.seen] += 1
        self.plan(tracked, due)
        return tracked

    def plan(self, tracked: Tracked, due: float) -> None:
        """Look at the job at ``due``; an earlier plan for it is void."""
        self._ticket += 1
        tracked.due = due
        heapq.heappush(self._heap, (due, self._ticket, tracked))

    def next_due(self) -> float | None:
        """Return when the next look is due, or None when none is planned."""
        heap = self._heap
        while heap and (heap[0][2].ended or heap[0][0] != heap[0][2].due):
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop_due(self, now: float) -> Tracked | None:
        """Take out the job whose look is due first, or None when none is due yet."""
        due = self.next_due()
        if due is None or due > now:
            return None
        return heapq.heappop(self._heap)[2]

    def answered(self, tracked: Tracked, job: Job, at: float, *, paid: bool = True) -> Change:
        """Judge an answer of the service; ``paid`` tells whether this watch has asked for it."""
        news = (
            job.status != tracked.status
            or job.progress != tracked.progress
            or job.updated_at != tracked.updated_at
            or tracked.seen is not Seen.FRESH
        )
        entry = Entry(
            job_id=tracked.job_id,
            observed_at=as_datetime(at),
            seen=Seen.FRESH,
            raw=job.raw,
            status=job.status,
            progress=job.progress,
            ended=job.is_final,
        )
        return Change(
            tracked, at, Seen.FRESH, job=job, ended=job.is_final, entry=entry if news else None, paid=paid
        )

    def missing(self, tracked: Tracked, reason: str, at: float) -> Change:
        """Judge a 404 about this one job: it is the end, and not a failure."""
        seen = Seen.NOT_FOUND if tracked.status is None else Seen.EXPIRED
        return self.closed(tracked, seen, reason, at)

    def closed(self, tracked: Tracked, seen: Seen, reason: str, at: float) -> Change:
        """Judge that nothing more can be asked about the job."""
        entry = Entry(
            job_id=tracked.job_id,
            observed_at=as_datetime(at),
            seen=seen,
            status=tracked.status,
            progress=tracked.progress,
            ended=True,
        )
        return Change(tracked, at, seen, ended=True, reason=reason, entry=entry)

    def unseen(self, tracked: Tracked, seen: Seen, reason: str, at: float) -> Change:
        """Judge a look that brought nothing about the job: its state stays, its observation moves."""
        return Change(tracked, at, seen, reason=self._word(reason))

    def apply(self, change: Change, now: float) -> bool:
        """Make a stored change visible, plan the next look, and tell whether anything changed."""
        tracked = change.tracked
        if tracked.ended:
            return False
        before = (tracked.state, tracked.progress, tracked.seen, tracked.ended)
        tracked.looked_at = change.looked_at
        tracked.seen, tracked.ended, tracked.reason = change.seen, change.ended, change.reason
        if change.job is not None:
            self._take(tracked, change.job, change.looked_at)
        elif not change.ended:
            # A refusal by the rate limit is no failure of the job's: the budget alone slows it down.
            tracked.failures = 1 if change.seen is Seen.THROTTLED else tracked.failures + 1
        self._recount(before, tracked)
        wait_s = self._wait_s(tracked, change, now)
        if not tracked.ended:
            self.plan(tracked, now + wait_s)
        return before != (tracked.state, tracked.progress, tracked.seen, tracked.ended)

    def recall(self, tracked: Tracked, stored: Observation) -> None:
        """Start from what the archive knows of the job: an ended one is never planned again."""
        before = (tracked.state, tracked.progress, tracked.seen, tracked.ended)
        if stored.job is not None:
            self._take(tracked, stored.job, _seconds(stored.observed_at))
            tracked.answers = 0
        tracked.seen, tracked.ended = stored.seen, stored.ended
        tracked.looked_at = tracked.observed_at
        self._recount(before, tracked)

    def reopen(self, tracked: Tracked, due: float) -> None:
        """Take up again a job that had ended without an answer of its own."""
        before = (tracked.state, tracked.progress, tracked.seen, tracked.ended)
        tracked.ended, tracked.failures = False, 0
        self._recount(before, tracked)
        self.plan(tracked, due)

    def _take(self, tracked: Tracked, job: Job, at: float) -> None:
        tracked.status = self._word(job.status)
        tracked.progress = job.progress
        tracked.document_type = None if job.document_type is None else self._word(job.document_type)
        tracked.updated_at = job.updated_at
        tracked.observed_at = at
        tracked.answers += 1
        tracked.failures = 0

    def _recount(self, before: tuple[str, float | None, Seen, bool], tracked: Tracked) -> None:
        state, _, seen, ended = before
        self.counts[state] -= 1
        self.counts[tracked.state] += 1
        self.seen[seen] -= not ended
        self.seen[tracked.seen] += not tracked.ended
        self.n_ended += tracked.ended - ended

    def hold_s(self, tracked: Tracked, at: float) -> float:
        """Return seconds to put a look off that has fallen due, 0 to look now; ``at`` is Unix time."""
        schedule = self._schedule
        if tracked.failures or not isinstance(schedule, Reconsiders):
            return 0.0
        return schedule.hold(tracked.job_id, tracked.place, at)

    def _wait_s(self, tracked: Tracked, change: Change, now: float) -> float:
        if change.job is not None:
            return next_wait(self._schedule, _sight(tracked, change.job, now))
        if tracked.ended and isinstance(self._schedule, Reconsiders):
            self._schedule.forget(tracked.job_id)
        return self._retry.after(tracked.failures)

    def _word(self, text: str) -> str:
        """Keep one copy of words that many jobs share, and notice status words that are new."""
        if len(self._words) > 1000:
            self._words.clear()
        return self._words.setdefault(text, text)

    def note_status(self, job: Job) -> str | None:
        """Return a notice when the status is a word this version does not know, once for each word."""
        if job.status in KNOWN_STATUSES:
            return None
        notice = f"unknown status {job.status[:60]!r}: kept, shown, and counted as not finished"
        if notice in self.notices or len(self.notices) >= 20:
            return None
        self.notices.append(notice)
        return notice


def _sight(tracked: Tracked, job: Job, now: float) -> Sight:
    return Sight(
        job_id=tracked.job_id,
        status=job.status,
        progress=job.progress,
        document_type=job.document_type,
        looks=tracked.answers,
        watched_s=now - tracked.added,
        is_final=tracked.ended,
        place=tracked.place,
        at=tracked.observed_at or 0.0,
        created_at=_unix(job.created_at),
        updated_at=_unix(job.updated_at),
        ended_at=_unix(job.ended_at),
    )


def _unix(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
