"""Requests and lateness of schedules, side by side, on simulated fleets without a rate limit.

Event-driven and seeded: jobs are looked at in order of time, a look costs nothing but itself, and a fleet of
2,000 jobs takes about a second. Every schedule sees what the documented API shows: status, whole per cents,
the document's type, and the service's times. The floor asks once per job, at its end. ``us/look`` is what
schedule and simulator take per look, the free reconsiderations in between included.

``late`` is from the end of a job to the look that saw it; ``known`` from the end of the last job to the last
look; ``x req`` and ``x late`` are relative to the documented backoff of the same fleet.

Run: ``python benchmarks/schedules.py [--seeds N] [fleet ...]``
"""

import argparse
import heapq
import math
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from docurift_nb.models import decode_answer
from docurift_nb.schedule import Adaptive, Backoff, Reconsiders, Schedule, Sight

EPOCH = 1_700_000_000.0
RECORDED = Path(__file__).resolve().parents[2] / "shared/data/recorded_jobs.ndjson"


class Job(NamedTuple):
    """A job as it goes, in seconds: pending from ``arrival``, evenly at work from ``start`` to ``end``."""

    arrival: float
    start: float
    end: float
    kind: str = "invoice"
    tells_progress: bool = True


class Cost(NamedTuple):
    """What a schedule cost on a fleet: requests per job, seconds."""

    requests: float
    late_s: float
    p95_s: float
    known_s: float
    per_look_us: float


class Fixed:
    """Looks at an even pace."""

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s

    def next_look(self, _: Sight) -> float:
        """Return the same wait always."""
        return self.every_s


class FullJitter:
    """Exponential backoff, each wait drawn evenly from 0 to 1 s x 1.5 per look, 20 s at most."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def next_look(self, sight: Sight) -> float:
        """Return the next draw; never quite nothing."""
        return max(0.001, self._random.uniform(0.0, min(20.0, 1.5 ** min(sight.looks - 1, 30))))


# Fleets


def lognormal(draw: random.Random, median_s: float = 12.0, sigma: float = 0.6) -> float:
    return median_s * math.exp(draw.gauss(0.0, sigma))


def fleet_of(n: int, per_s: float, service: Callable[[], float], *, tells_progress: bool = True) -> list[Job]:
    """Return jobs that arrive at an even rate (0: all at once) and are taken up at once."""
    arrivals = [i / per_s if per_s else 0.0 for i in range(n)]
    return [Job(at, at, at + service(), tells_progress=tells_progress) for at in arrivals]


def queued(jobs: list[Job], workers: int) -> list[Job]:
    """Return the jobs as so many workers take them up, in order of arrival."""
    free, taken = [0.0] * workers, []
    for job in jobs:
        start = max(heapq.heappop(free), job.arrival)
        taken.append(job._replace(start=start, end=start + job.end - job.start))
        heapq.heappush(free, taken[-1].end)
    return taken


def two_types(draw: random.Random) -> list[Job]:
    def one(at: float) -> Job:
        kind, median_s = draw.choice((("quick", 3.0), ("slow", 300.0)))
        return Job(at, at, at + lognormal(draw, median_s, 0.3), kind)

    return [one(i / 5) for i in range(1_000)]


def recorded(draw: random.Random) -> list[Job]:
    """Return the recorded jobs' real durations, in random order, every 2 s."""
    jobs = []
    for line in RECORDED.read_bytes().splitlines():
        job = decode_answer(line)
        if job.created_at is not None and job.ended_at is not None:
            duration_s = (job.ended_at - job.created_at).total_seconds()
            jobs.append(Job(0.0, 0.0, duration_s, job.document_type or ""))
    draw.shuffle(jobs)
    return [Job(2.0 * i, 2.0 * i, 2.0 * i + job.end, job.kind) for i, job in enumerate(jobs)]


FLEETS: dict[str, Callable[[random.Random], list[Job]]] = {
    "steady 5/s": lambda draw: fleet_of(2_000, 5, lambda: lognormal(draw)),
    "burst of 500": lambda draw: fleet_of(500, 0, lambda: lognormal(draw)),
    "1,000 behind 50": lambda draw: queued(fleet_of(1_000, 0, lambda: lognormal(draw)), 50),
    "two types": two_types,
    "heavy tail": lambda draw: fleet_of(2_000, 5, lambda: 5.0 * draw.paretovariate(1.2)),
    "no progress": lambda draw: fleet_of(2_000, 5, lambda: lognormal(draw), tells_progress=False),
    "exponential": lambda draw: fleet_of(2_000, 5, lambda: draw.expovariate(1 / 12), tells_progress=False),
    "recorded": recorded,
}

SCHEDULES: dict[str, Callable[[int], Schedule]] = {
    "documented backoff": lambda seed: Backoff(seed=seed),
    "fixed 5 s": lambda _: Fixed(5.0),
    "fixed 30 s": lambda _: Fixed(30.0),
    "full jitter to 20 s": FullJitter,
    "adaptive": lambda seed: Adaptive(seed=seed),
}


# One run


def sight_of(job: Job, place: int, looks: int, now: float) -> Sight:
    """Return what a look shows of a job."""
    is_final, at_work = now >= job.end, job.start <= now < job.end
    done = int(100 * (now - job.start) / (job.end - job.start)) if at_work and job.tells_progress else 0
    newest = job.end if is_final else now if at_work else job.arrival
    return Sight(
        job_id=f"job_{place}",
        status="completed" if is_final else "processing" if at_work else "pending",
        progress=100.0 if is_final else float(done),
        document_type=job.kind,
        looks=looks,
        watched_s=now - job.arrival,
        is_final=is_final,
        place=place,
        at=EPOCH + now,
        created_at=EPOCH + job.arrival,
        updated_at=EPOCH + newest,
        ended_at=EPOCH + job.end if is_final else None,
    )


def run(jobs: list[Job], schedule: Schedule) -> Cost:
    """Look at all jobs as the schedule says, until each was seen to have ended."""
    due = [(job.arrival, place) for place, job in enumerate(jobs)]
    heapq.heapify(due)
    looks, late, found_at, began = [0] * len(jobs), [], 0.0, time.perf_counter()
    reconsiders = schedule if isinstance(schedule, Reconsiders) else None
    while due:
        now, place = due[0]
        held_s = reconsiders.hold(f"job_{place}", place, EPOCH + now) if reconsiders else 0.0
        if held_s > 0:
            heapq.heapreplace(due, (now + held_s, place))
            continue
        looks[place] += 1
        sight = sight_of(jobs[place], place, looks[place], now)
        wait_s = schedule.next_look(sight)
        if not sight.is_final:
            heapq.heapreplace(due, (now + wait_s, place))
            continue
        heapq.heappop(due)
        late.append(now - jobs[place].end)
        found_at = now
    took_s = time.perf_counter() - began
    return costs(looks, late, found_at - max(job.end for job in jobs), took_s)


def costs(looks: list[int], late: list[float], known_s: float, took_s: float) -> Cost:
    n, asked = len(looks), sum(looks)
    p95_s = sorted(late)[min(n - 1, int(0.95 * n))]
    return Cost(asked / n, sum(late) / n, p95_s, known_s, 1e6 * took_s / asked)


def mean_of(found: list[Cost]) -> Cost:
    return Cost(*(sum(values) / len(values) for values in zip(*found, strict=True)))


# The table


def rows(fleet: str, seeds: int) -> Iterator[tuple[str, Cost]]:
    fleets = [FLEETS[fleet](random.Random(seed)) for seed in range(seeds)]
    for name, make in SCHEDULES.items():
        yield name, mean_of([run(jobs, make(seed)) for seed, jobs in enumerate(fleets)])
    yield "floor", Cost(1.0, 0.0, 0.0, 0.0, 0.0)


def show(fleet: str, seeds: int) -> None:
    base: Cost | None = None
    for name, cost in rows(fleet, seeds):
        base = base or cost
        print(
            f"{fleet:<17}{name:<21}{cost.requests:>8.2f}{cost.late_s:>8.2f}{cost.p95_s:>8.2f}{cost.known_s:>8.1f}"
            f"{cost.requests / base.requests:>8.2f}{cost.late_s / base.late_s:>8.2f}{cost.per_look_us:>9.0f}"
        )
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare schedules on simulated fleets.")
    parser.add_argument("fleets", nargs="*", metavar="fleet", help=f"of: {', '.join(FLEETS)}")
    parser.add_argument("--seeds", type=int, default=3, help="runs per fleet and schedule, averaged")
    chosen = parser.parse_args()
    if unknown := set(chosen.fleets) - set(FLEETS):
        parser.error(f"no such fleet: {', '.join(sorted(unknown))}")
    titles = ("req/job", "late s", "p95 s", "known", "x req", "x late", "us/look")
    print(f"{'fleet':<17}{'schedule':<21}" + "".join(f"{t:>8}" for t in titles[:-1]) + f"{titles[-1]:>9}")
    for fleet in chosen.fleets or FLEETS:
        if fleet != "recorded" or RECORDED.exists():
            show(fleet, chosen.seeds)


if __name__ == "__main__":
    main()
