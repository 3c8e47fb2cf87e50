"""The service behind the sandbox's API: jobs, their queue, retention and lists.

Pure state on a clock: no HTTP, no thread of its own. Submitting may happen on any thread while the
server reads.
"""

import hashlib
import string
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from docurift_nb.sandbox.clock import Clock, seeded
from docurift_nb.sandbox.jobs import Job, Workers
from docurift_nb.sandbox.recordings import Recording
from docurift_nb.sandbox.scenarios import Scenario, Script
from docurift_nb.sandbox.wire import Refusal

Arrivals = Literal["at_once", "recorded"]

DAY_S = 86_400.0
_ID_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to list; the defaults are the documented ones. Times in seconds since 1970, inclusive."""

    page: int = 1
    limit: int = 20
    status: str | None = None
    document_type: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    sort_by: Literal["createdAt", "updatedAt"] = "createdAt"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its jobs, and how many match in all."""

    jobs: tuple[Job, ...]
    total: int


class Service:
    """All jobs of one sandbox.

    Parameters
    ----------
    clock
        Decides what "now" is.
    seed
        Decides ids, outcomes and arrivals.
    speed
        Seconds of a script or recording that pass per second of the clock.
    workers
        How many jobs are processed at once; None for no limit.
    retention_s
        Seconds after its end for which a job can still be asked for.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: object = 0,
        speed: float = 1.0,
        workers: int | None = None,
        retention_s: float = 30 * DAY_S,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed: expected a number above 0, got {speed}")
        if not retention_s >= 0:
            raise ValueError(f"retention: expected 0 or more days, got {retention_s / DAY_S}")
        self._clock, self._seed, self._speed = clock, seed, speed
        self._workers = Workers(workers)
        self._retention_s = retention_s
        self._ids = seeded(seed, "ids")
        self._batches = 0
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def submit(self, count: int, *, owner: str, scenario: Scenario) -> list[str]:
        """Queue `count` jobs with drawn outcomes and return their ids in order of arrival."""
        if count < 0:
            raise ValueError(f"submit: expected 0 or more jobs, got {count}")
        with self._lock:
            self._batches += 1
            rng, arrival_s = seeded(self._seed, "batch", self._batches), self._clock.now()
            ids = []
            for _ in range(count):
                ids.append(self._queue_script(scenario.draw(rng), arrival_s, owner).id)
                arrival_s += scenario.gap_s(rng)
            return ids

    def upload(self, content: bytes, *, owner: str, document_type: str, scenario: Scenario) -> Job:
        """Queue one job whose outcome depends on the seed, the content and its type alone."""
        digest = hashlib.sha256(content).hexdigest()
        rng = seeded(self._seed, "upload", document_type, digest)
        with self._lock:
            script = scenario.draw(rng, document_type=document_type)
            return self._queue_script(script, self._clock.now(), owner)

    def replay(
        self, recordings: Iterable[Recording], *, owner: str, arrivals: Arrivals = "at_once"
    ) -> list[str]:
        """Queue recorded jobs under their recorded ids and return those in the recorded order.

        Raises
        ------
        ValueError
            If an id is already taken; nothing is queued then.
        """
        if arrivals not in ("at_once", "recorded"):
            raise ValueError(f"arrivals: expected 'at_once' or 'recorded', got {arrivals!r}")
        recordings = list(recordings)
        with self._lock:
            self._refuse_taken([one.job_id for one in recordings])
            now = self._clock.now()
            for one, wait_s in zip(recordings, _waits(recordings, arrivals), strict=True):
                span_s = one.duration_s / self._speed
                self._queue(one.job_id, owner, now + wait_s / self._speed, span_s, one)
        return [one.job_id for one in recordings]

    def find(self, job_id: str, owner: str) -> Job:
        """Return a job that this key may see.

        Raises
        ------
        Refusal
            404 if there is none or its retention is over, 403 if it belongs to another key.
        """
        job = self._jobs.get(job_id)
        if job is None or self._is_expired(job, self._clock.now()):
            raise Refusal(404, "JOB_NOT_FOUND", f"Job with ID '{job_id}' not found")
        if job.owner != owner:
            raise Refusal(403, "FORBIDDEN", "You do not have permission to access this job")
        return job

    def job(self, job_id: str) -> Job:
        """Return a job, whoever owns it and however long ago it ended; LookupError if there is none."""
        try:
            return self._jobs[job_id]
        except KeyError:
            raise LookupError(f"no job {job_id!r} in this sandbox") from None

    def page(self, query: Query, *, owner: str, now: float) -> Page:
        """Return one page of the jobs that exist at `now` and belong to a key."""
        with self._lock:
            jobs = list(self._jobs.values())
        matching = list(self._matching(jobs, query, owner, now))
        if query.sort_by == "updatedAt":
            matching.sort(key=lambda job: job.updated_s(now), reverse=query.descending)
        else:
            matching.sort(key=Job.created_s, reverse=query.descending)
        first = (query.page - 1) * query.limit
        return Page(tuple(matching[first : first + query.limit]), len(matching))

    def _matching(self, jobs: Iterable[Job], query: Query, owner: str, now: float) -> Iterator[Job]:
        for job in jobs:
            if job.owner != owner or job.arrival_s > now or self._is_expired(job, now):
                continue
            if query.document_type is not None and job.document_type != query.document_type:
                continue
            if query.start_s is not None and job.created_s() < query.start_s:
                continue
            if query.end_s is not None and job.created_s() > query.end_s:
                continue
            if query.status is None or job.at(now).status == query.status:
                yield job

    def _is_expired(self, job: Job, now: float) -> bool:
        return now > job.end_s + self._retention_s

    def _queue_script(self, script: Script, arrival_s: float, owner: str) -> Job:
        job_id = self._new_id()
        return self._queue(job_id, owner, arrival_s, script.duration_s / self._speed, script)

    def _queue(
        self, job_id: str, owner: str, arrival_s: float, span_s: float, plan: Script | Recording
    ) -> Job:
        start_s = self._workers.take(arrival_s, span_s)
        job = Job(
            id=job_id,
            owner=owner,
            arrival_s=arrival_s,
            start_s=start_s,
            span_s=span_s,
            plan=plan,
            speed=self._speed,
        )
        self._jobs[job_id] = job
        return job

    def _new_id(self) -> str:
        while True:
            job_id = "job_" + "".join(self._ids.choices(_ID_LETTERS, k=12))
            if job_id not in self._jobs:
                return job_id

    def _refuse_taken(self, ids: Iterable[str]) -> None:
        seen = set(self._jobs)
        for job_id in ids:
            if job_id in seen:
                raise ValueError(
                    f"cannot replay job {job_id!r}: expected ids that are new to this sandbox; "
                    "replay each recording once"
                )
            seen.add(job_id)


def _waits(recordings: Iterable[Recording], arrivals: Arrivals) -> Iterator[float]:
    recordings = tuple(recordings)
    known = [one.created_s for one in recordings if one.created_s is not None]
    first_s = min(known, default=0.0)
    for one in recordings:
        recorded = arrivals == "recorded" and one.created_s is not None
        yield (one.created_s or 0.0) - first_s if recorded else 0.0
