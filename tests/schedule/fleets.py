"""Simulated jobs and the looks at them: events in order of time, no clock, no sleep."""

import heapq
import math
import random
from collections.abc import Callable, Iterable
from typing import NamedTuple

from docurift_nb.schedule import Reconsiders, Schedule, Sight

EPOCH = 1_700_000_000.0


class Job(NamedTuple):
    """A job that moves evenly from ``start`` to ``end``; all in seconds."""

    place: int
    arrival: float
    start: float
    end: float
    kind: str = "invoice"


class Cost(NamedTuple):
    """What a schedule cost on a fleet."""

    requests: float
    late_s: float
    p95_s: float


def lognormal(n: int, every_s: float, *, seed: int, median_s: float = 12.0, sigma: float = 0.6) -> list[Job]:
    """Return jobs that arrive evenly and take as long as a lognormal distribution says."""
    draw = random.Random(seed)  # a simulation
    services = [median_s * math.exp(draw.gauss(0, sigma)) for _ in range(n)]
    return [Job(i, i * every_s, i * every_s, i * every_s + s) for i, s in enumerate(services)]


def queued(jobs: Iterable[Job], workers: int) -> list[Job]:
    """Return the jobs as so many workers take them up, in order."""
    free, taken = [0.0] * workers, []
    for job in jobs:
        start = max(heapq.heappop(free), job.arrival)
        taken.append(job._replace(start=start, end=start + job.end - job.start))
        heapq.heappush(free, taken[-1].end)
    return taken


def sight_of(
    job: Job, at: float, looks: int = 1, *, shift_s: float = 0.0, has_progress: bool = True, pace: float = 1.0
) -> Sight:
    """Return what a look at a job brings, from a service whose clock is off and runs at another pace."""
    status = "completed" if at >= job.end else "processing" if at >= job.start else "pending"
    progress = 100.0 * (at - job.start) / (job.end - job.start) if status == "processing" else 0.0
    newest = {"completed": job.end, "processing": at, "pending": job.arrival}[status]
    final = status == "completed"

    def there(time: float) -> float:
        return EPOCH + shift_s + pace * time

    return Sight(
        job_id=f"job_{job.place}",
        status=status,
        progress=(100.0 if final else float(int(progress))) if has_progress else None,
        document_type=job.kind,
        looks=looks,
        watched_s=at - job.arrival,
        is_final=final,
        place=job.place,
        at=EPOCH + at,
        created_at=there(job.arrival),
        updated_at=there(newest),
        ended_at=there(job.end) if final else None,
    )


def watched(
    jobs: list[Job],
    schedule: Schedule,
    see: Callable[[Job, float, int], Sight] = sight_of,
    until_s: float = 1e9,
) -> Cost:
    """Look at all jobs as the schedule says, until all have been seen to end."""
    due = [(job.arrival, job.place) for job in jobs]
    looks, late = [0] * len(jobs), []
    heapq.heapify(due)
    while due and due[0][0] < until_s:
        now, place = heapq.heappop(due)
        job = jobs[place]
        held = schedule.hold(f"job_{place}", place, EPOCH + now) if isinstance(schedule, Reconsiders) else 0.0
        if held > 0:
            heapq.heappush(due, (now + held, place))
            continue
        looks[place] += 1
        sight = see(job, now, looks[place])
        wait = schedule.next_look(sight)
        if sight.is_final:
            late.append(now - job.end)
        else:
            heapq.heappush(due, (now + wait, place))
    late.sort()
    return Cost(sum(looks) / len(jobs), sum(late) / len(late), late[int(0.95 * len(late))])
