"""Bytes of Python memory per watched job, against keeping every answer as a naive poller does.

A watch over N ids is driven by a stand-in for the client, so that nothing but the watch is measured: first
with no answer at all (ids just added), then with one look at each job (all processing), then to the end (all
completed). tracemalloc counts what is allocated by then and still alive; the id strings, which the caller
owns, are counted apart. Baselines of the same run hold the latest answer of each job in a dict, as parsed
JSON or as our decoded `Job`. SQLite's page cache is outside of Python's memory and bounded by a setting: the
growth of the process's peak is printed beside it.

Run: ``python benchmarks/watch_memory.py [N ...]``
"""

import gc
import json
import resource
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

from docurift_nb import Client, Job
from docurift_nb.archive import Archive
from docurift_nb.budget import Budget
from docurift_nb.models import decode_answer
from docurift_nb.watcher import Engine

SIZES = (10_000, 100_000)
GOAL = 600
PATIENCE_S = 300.0
STATES = ("added", "processing", "completed")
TIMES = '"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:30.125Z"'


def job_id(index: int) -> str:
    return f"job_{index:012x}"


def answer(job_id: str, status: str) -> bytes:
    """Return an answer of the documented shape: 190 bytes while processing, about 900 in the end."""
    head = f'{{"success":true,"data":{{"id":"{job_id}","status":"{status}","progress":45.5,'
    if status != "completed":
        return f'{head}"documentType":"invoice",{TIMES}}}}}'.encode()
    fields = ",".join(f'"field{n}":{{"value":"value {n} {job_id}","confidence":0.9{n}}}' for n in range(12))
    result = f'"documentId":"doc_{job_id}","result":{{"extractedFields":{{{fields}}},"confidence":0.97}}'
    times = f'{TIMES},"completedAt":"2026-01-01T00:00:30.125Z"'
    return f'{head}"documentType":"invoice",{result},{times}}}}}'.encode()


class StandIn:
    """What an engine needs of a client; answers at once with the status that is current."""

    base_url = "https://stand-in.invalid/v1"

    def __init__(self) -> None:
        self.budget = Budget()
        self.status = "processing"

    def look(self, job_id: str) -> Job:
        """Answer at once."""
        return decode_answer(answer(job_id, self.status))

    def on_renewal(self, _: Callable[[], None]) -> Callable[[], None]:
        """Ignore the listener: the key never changes."""
        return lambda: None


class Once:
    """A schedule under which a job does not fall due again by itself."""

    def next_look(self, _: object) -> float:
        """Return more seconds than this runs for."""
        return 1e6


class Row(NamedTuple):
    """Bytes alive per job after a step."""

    n: int
    what: str
    per_job: float


def alive() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def watched(ids: list[str]) -> Iterable[Row]:
    """Yield what a watch over these ids costs in its three states."""
    client, before = StandIn(), alive()
    engine = Engine(cast("Client", client), Archive(), schedule=Once())
    engine.pause()
    engine.add(ids)
    yield Row(len(ids), "watch: added", (alive() - before) / len(ids))
    engine.resume()
    settle(engine, lambda: engine.board.fleet.counts["processing"] == len(ids))
    yield Row(len(ids), "watch: processing", (alive() - before) / len(ids))
    client.status = "completed"
    look_again(engine)
    settle(engine, lambda: engine.board.fleet.n_open == 0)
    yield Row(len(ids), "watch: completed", (alive() - before) / len(ids))
    engine.stop()


def settle(engine: Engine, holds: Callable[[], bool]) -> None:
    """Wait until something holds and all threads of the watch are at rest."""
    with engine.board.changed:
        if not engine.board.changed.wait_for(holds, PATIENCE_S):
            raise TimeoutError(str(engine.snapshot()))
    for thread in threading.enumerate():
        if thread.name.startswith("docurift") and not engine.board.fleet.n_open:
            thread.join(PATIENCE_S)


def look_again(engine: Engine) -> None:
    """Make every job due, as time does."""
    fleet = engine.board.fleet
    with engine.board.changed:
        fleet._heap = [(0.0, ticket, tracked) for _, ticket, tracked in fleet._heap]  # noqa: SLF001  # in place of time
        for tracked in fleet:
            tracked.due = 0.0
        engine.board.changed.notify_all()


def naive(ids: list[str], what: str, parse: Callable[[bytes], object]) -> Iterable[Row]:
    """Yield what a dict of the latest answers costs while processing and in the end."""
    for status in STATES[1:]:
        before = alive()
        latest: dict[str, Any] = {one: parse(answer(one, status)) for one in ids}
        yield Row(len(ids), f"{what}: {status}", (alive() - before) / len(ids))
        del latest


def measure(n: int) -> None:
    """Print the rows for one size as JSON lines; in a process of its own, since peaks only grow."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    before = alive()
    ids = [job_id(index) for index in range(n)]
    rows = [Row(n, "ids", (alive() - before) / n), *watched(ids)]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
    rows += naive(ids, "dict of parsed JSON", json.loads)
    rows += naive(ids, "dict of Job", decode_answer)
    sys.stdout.write(json.dumps([rows, grown]))


def show(rows: list[Row], grown_mb: float) -> None:
    found = {row.what: row.per_job for row in rows}
    ids = found["ids"]
    print(f"\n{rows[0].n:,} jobs, bytes per job; the list of ids itself: {ids:.0f}")
    print(
        f"{'state':<12}{'watch':>8}{'with ids':>10}{'parsed':>10}{'Job':>8}{'parsed / watch':>16}{'goal':>14}"
    )
    for state in STATES:
        per_job = found[f"watch: {state}"]
        # A naive poller holds nothing before the first answer.
        parsed = found.get(f"dict of parsed JSON: {state}", 0.0)
        jobs = found.get(f"dict of Job: {state}", 0.0)
        verdict = "met" if per_job <= GOAL else "MISSED"
        print(
            f"{state:<12}{per_job:>8.0f}{per_job + ids:>10.0f}{parsed:>10.0f}{jobs:>8.0f}"
            f"{parsed / per_job:>16.1f}{f'{GOAL} {verdict}':>14}"
        )
    print(f"peak of the process (tracemalloc's own books included): +{grown_mb:.0f} MB")


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--measure"]:
        measure(int(arguments[1]))
        return
    for n in map(int, arguments or SIZES):
        command = [sys.executable, __file__, "--measure", str(n)]
        rows, grown = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        show([Row(*row) for row in rows], grown)


if __name__ == "__main__":
    main(sys.argv[1:])
