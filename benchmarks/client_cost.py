"""What one poll costs through the client, against a bare ``requests.Session`` and ``.json()``.

The sandbox runs in a process of its own with jobs that have all ended. Both loops ask for the same jobs in
this process, one request after the other on a kept connection, in alternating order, round by round. The
client moreover quotes the id, draws on the budget, bounds the answer, checks it against the contract and
keeps the key out of sight. CPU time is this thread's; medians over the rounds are shown.

    python benchmarks/client_cost.py [--jobs 200] [--rounds 31]
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import requests

from docurift_nb.client import Client

GOAL = 1.25


class Ready(NamedTuple):
    """What the sandbox said when it was up."""

    url: str
    api_key: str
    job_ids: list[str]


class Cost(NamedTuple):
    """Microseconds per poll."""

    cpu: float
    wall: float


def main() -> int:
    options = _options()
    with (
        _sandbox(options.jobs) as ready,
        Client(ready.api_key, ready.url) as client,
        requests.Session() as session,
    ):
        ways = {"client.job": _through(client, ready), "requests": _bare(session, ready)}
        costs = _measured(ways, options.rounds, options.jobs)
    ratio = costs["client.job"].cpu / costs["requests"].cpu
    print(f"{'per poll':<12}{'CPU us':>10}{'wall us':>10}")
    for name, cost in costs.items():
        print(f"{name:<12}{cost.cpu:>10.0f}{cost.wall:>10.0f}")
    print(f"ratio of CPU {ratio:.2f} (goal: at most {GOAL}), of wall time {_walls(costs):.2f}")
    return 0 if ratio <= GOAL else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=31)
    return parser.parse_args()


@contextlib.contextmanager
def _sandbox(jobs: int) -> Iterator[Ready]:
    command = [sys.executable, "-m", "docurift_nb.sandbox", "--json", f"--submit={jobs}", "--speed=1e9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 -- narrows the type; it was asked for above
            yield Ready(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


def _through(client: Client, ready: Ready) -> Callable[[], None]:
    def poll() -> None:
        for job_id in ready.job_ids:
            client.job(job_id)

    return poll


def _bare(session: requests.Session, ready: Ready) -> Callable[[], None]:
    headers = {"X-API-Key": ready.api_key}

    def poll() -> None:
        for job_id in ready.job_ids:
            session.get(f"{ready.url}/jobs/{job_id}", headers=headers, timeout=10).json()

    return poll


def _measured(ways: dict[str, Callable[[], None]], rounds: int, polls: int) -> dict[str, Cost]:
    spent: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(2):
        for poll in ways.values():
            poll()
    for number in range(rounds):
        for name in sorted(ways, reverse=bool(number % 2)):
            spent[name].append(_cost(ways[name], polls))
    return {
        name: Cost(statistics.median(c.cpu for c in costs), statistics.median(c.wall for c in costs))
        for name, costs in spent.items()
    }


def _cost(poll: Callable[[], None], polls: int) -> Cost:
    cpu, wall = time.thread_time(), time.perf_counter()
    poll()
    return Cost((time.thread_time() - cpu) * 1e6 / polls, (time.perf_counter() - wall) * 1e6 / polls)


def _walls(costs: dict[str, Cost]) -> float:
    return costs["client.job"].wall / costs["requests"].wall


if __name__ == "__main__":
    sys.exit(main())
