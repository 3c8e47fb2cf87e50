"""One job on the timeline of the sandbox: what it looks like at a given moment.

A job is a pure function of its plan and the time; there is no task, thread or state behind it.
"""

import heapq
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from docurift_nb.sandbox.recordings import Recording
from docurift_nb.sandbox.scenarios import Script
from docurift_nb.sandbox.wire import Answer, data_body, dumps, time_text


class Seen(NamedTuple):
    """What a job shows at one moment.

    `changed_s` is the moment (sandbox clock, seconds) at which it came to look like this.
    """

    status: str
    progress: int
    changed_s: float


@dataclass(slots=True, kw_only=True)
class Job:
    """A job with everything that decides its answers.

    Parameters
    ----------
    id, owner
        Its id, and the key whose jobs it belongs to.
    arrival_s, start_s
        When it arrives and when a worker takes it up, on the sandbox's clock.
    span_s
        Seconds of the sandbox's clock from start to end (the speed-up is already in it).
    plan
        A drawn script or a recorded answer.
    speed
        Recorded seconds that pass per second of the sandbox's clock.
    """

    id: str
    owner: str = field(repr=False)
    arrival_s: float
    start_s: float
    span_s: float
    plan: Script | Recording = field(repr=False)
    speed: float = 1.0
    _cached: Answer | None = field(default=None, repr=False)

    @property
    def end_s(self) -> float:
        """When the job ends on the sandbox's clock; infinite if never."""
        if isinstance(self.plan, Script) and self.plan.outcome == "never":
            return math.inf
        return self.start_s + self.span_s

    @property
    def document_type(self) -> object:
        """Value of ``documentType``, whatever was recorded."""
        if isinstance(self.plan, Script):
            return self.plan.document_type
        return self.plan.data.get("documentType")

    def at(self, now: float) -> Seen:
        """Say what the job shows at `now` (sandbox clock, seconds)."""
        if now >= self.end_s:
            return Seen(*self._ending(), self.end_s)
        if now < self.start_s:
            return Seen("pending", 0, self.arrival_s)
        limit = self._limit()
        # A job that never ends is the one that gets here past its span: it stays at its limit.
        done = min((now - self.start_s) / self.span_s, 1.0) if self.span_s else 1.0
        progress = int(limit * done)
        reached_s = self.start_s + self.span_s * progress / limit if limit else self.start_s
        return Seen("processing", progress, min(reached_s, now))

    def answer(self, now: float) -> Answer:
        """Build the answer to GET at `now`; the final one is built once and kept."""
        if now < self.end_s:
            return Answer(200, data_body(dumps(self.data(now))))
        if self._cached is None:
            self._cached = self._final_answer()
        return self._cached

    def data(self, now: float, *, shift_s: float = 0.0) -> dict[str, Any]:
        """Build the job object at `now`, its sandbox-clock time stamps shifted by `shift_s`."""
        seen = self.at(now)
        if isinstance(self.plan, Recording):
            return self._recorded_data(seen, now)
        created, updated = time_text(self.arrival_s + shift_s), time_text(seen.changed_s + shift_s)
        data: dict[str, Any] = {
            "id": self.id,
            "status": seen.status,
            "progress": seen.progress,
            "documentType": self.plan.document_type,
        }
        ended = now >= self.end_s
        if ended:
            data |= self.plan.payload
        data |= {"createdAt": created, "updatedAt": updated}
        return data | ({f"{seen.status}At": updated} if ended else {})

    def last_data(self) -> dict[str, Any]:
        """Build the last object this job will ever show."""
        end_s = self.end_s
        # Well past the span, where rounding cannot leave a stuck job one percent short of its limit.
        return self.data(self.start_s + 2 * self.span_s + 1 if math.isinf(end_s) else end_s)

    def created_s(self) -> float:
        """When the job was created, as its answers tell it (seconds since 1970)."""
        if isinstance(self.plan, Recording) and self.plan.created_s is not None:
            return self.plan.created_s
        return self.arrival_s

    def updated_s(self, now: float) -> float:
        """When the job changed last, as its answer at `now` tells it (seconds since 1970)."""
        return self._told(self.at(now))

    def _told(self, seen: Seen) -> float:
        if isinstance(self.plan, Recording) and self.plan.created_s is not None:
            return self.plan.created_s + max(seen.changed_s - self.start_s, 0.0) * self.speed
        return seen.changed_s

    def _recorded_data(self, seen: Seen, now: float) -> dict[str, Any]:
        assert isinstance(self.plan, Recording)  # noqa: S101 -- narrows the type; callers checked it
        recorded = self.plan.data
        if now >= self.end_s:
            return dict(recorded)
        data = {"id": self.id, "status": seen.status, "progress": seen.progress}
        if "documentType" in recorded:
            data["documentType"] = recorded["documentType"]
        created = recorded.get("createdAt", time_text(self.arrival_s))
        updated = created if seen.status == "pending" else time_text(self._told(seen))
        return data | {"createdAt": created, "updatedAt": updated}

    def _ending(self) -> tuple[str, int]:
        if isinstance(self.plan, Script):
            return self.plan.outcome, self.plan.progress
        status, progress = self.plan.data.get("status"), self.plan.data.get("progress")
        return str(status), progress if isinstance(progress, int) else 100

    def _limit(self) -> int:
        """Percentage below which progress stays while the job is processing."""
        return max(min(self._ending()[1], 99), 0)

    def _final_answer(self) -> Answer:
        if isinstance(self.plan, Recording):
            return Answer(200, self.plan.body, final=self.plan.is_final)
        return Answer(200, data_body(dumps(self.data(self.end_s))), final=True)


class Workers:
    """First come, first served: when each job is taken up, by arithmetic alone.

    Parameters
    ----------
    count
        How many jobs run at once; None for as many as there are.
    """

    def __init__(self, count: int | None) -> None:
        if count is not None and count < 1:
            raise ValueError(f"workers: expected at least 1 or None for no limit, got {count}")
        self._free_at = None if count is None else [-math.inf] * count

    def take(self, arrival_s: float, span_s: float) -> float:
        """Reserve a worker for `span_s` seconds and return when it starts."""
        if self._free_at is None:
            return arrival_s
        start_s = max(arrival_s, self._free_at[0])
        heapq.heapreplace(self._free_at, start_s + span_s)
        return start_s
