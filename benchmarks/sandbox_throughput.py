"""How many job requests per second the sandbox answers on one core, asked by a process of its own.

usage: python benchmarks/sandbox_throughput.py [--jobs 5000] [--requests 20000] [--connections 16]

The sandbox runs in a second process, held to one core where the system allows it; the load comes from
this one, held to another. Prints one line per state of the jobs: still open, then finished.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from urllib.parse import urlsplit


def main() -> None:
    options = _options()
    cores = _cores()
    _pin(os.getpid(), cores[-1:])
    print(f"{'jobs':<10}{'requests':>10}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}{'not 200':>9}")
    # So slow that no job ends during the run, and so fast that all have ended before it.
    for name, speed in (("open", 0.001), ("finished", 1e9)):
        with _sandbox(options.jobs, speed, cores[:1]) as ready:
            times_ms, bad, elapsed_s = asyncio.run(_load(ready, options.requests, options.connections))
        times_ms.sort()
        p50, p99 = times_ms[len(times_ms) // 2], times_ms[int(len(times_ms) * 0.99)]
        rate = len(times_ms) / elapsed_s
        print(f"{name:<10}{len(times_ms):>10}{rate:>12.0f}{p50:>9.2f}{p99:>9.2f}{bad:>9}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=16)
    return parser.parse_args()


@contextlib.contextmanager
def _sandbox(jobs: int, speed: float, cores: list[int]) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "docurift_nb.sandbox", "--json", f"--submit={jobs}", f"--speed={speed}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            _pin(process.pid, cores)
            assert process.stdout is not None  # noqa: S101 -- narrows the type; it was asked for above
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _pin(process: int, cores: list[int]) -> None:
    if cores:
        os.sched_setaffinity(process, cores)


async def _load(ready: dict[str, str], requests: int, connections: int) -> tuple[list[float], int, float]:
    url = urlsplit(ready["url"])
    heads = [
        f"GET {url.path}/jobs/{one} HTTP/1.1\r\nHost: {url.netloc}\r\n"
        f"X-API-Key: {ready['api_key']}\r\nAccept: application/json\r\n\r\n".encode()
        for one in ready["job_ids"]
    ]
    left = iter(zip(range(requests), cycle(heads), strict=False))
    times_ms: list[float] = []
    began = time.perf_counter()
    bad = await asyncio.gather(
        *(_client(url.hostname or "", url.port or 0, left, times_ms) for _ in range(connections))
    )
    return times_ms, sum(bad), time.perf_counter() - began


async def _client(host: str, port: int, left: Iterator[tuple[int, bytes]], times_ms: list[float]) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    bad = 0
    for _, head in left:
        began = time.perf_counter()
        writer.write(head)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        times_ms.append((time.perf_counter() - began) * 1000)
        bad += not answer.startswith(b"http/1.1 200")
    writer.close()
    await writer.wait_closed()
    return bad


if __name__ == "__main__":
    main()
