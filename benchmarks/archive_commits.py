"""Durable commits per second of the archive against the least that SQLite can do.

The baseline is one table without keys or indexes, filled by ``executemany`` INSERTs of the same values in
transactions of the same size, on the same disk with the archive's pragmas (WAL, synchronous FULL), in the
same process. The archive moreover finds each job, decides which answer stands, updates its latest state and
chains its history. Both are timed in alternation, round by round; medians are shown.

Run: ``python benchmarks/archive_commits.py [FOLDER]``
"""

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from docurift_nb.archive import Archive, Entry
from docurift_nb.archive.file import PRAGMAS
from docurift_nb.models import Seen

BATCH_SIZES = (1, 10, 100)
ROUNDS = 15
FLEET = 60_000
ENTRIES_PER_ROUND = {1: 300, 10: 1_000, 100: 4_000}
START = datetime(2026, 1, 1, tzinfo=UTC)

Commit = Callable[[Sequence[Entry]], None]


def job_id(index: int) -> str:
    return f"job_{index:012x}"


def answer(index: int, status: str) -> bytes:
    """Return a record of about 900 bytes when completed, 190 when not."""
    head = f'{{"success":true,"data":{{"id":"{job_id(index)}","status":"{status}","progress":100,'
    times = '"documentType":"invoice","createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:30Z"'
    if status != "completed":
        return (head + times + "}}").encode()
    fields = ",".join(f'"field{n}":{{"value":"value {index + n}","confidence":0.9{n}}}' for n in range(12))
    result = f',"documentId":"doc_{index:012x}","result":{{"extractedFields":{{{fields}}},"confidence":0.97}}'
    return (head + times + result + ',"completedAt":"2026-01-01T00:00:30Z"}}').encode()


def entry(index: int, status: str) -> Entry:
    return Entry(
        job_id=job_id(index),
        observed_at=START + timedelta(milliseconds=index),
        seen=Seen.FRESH,
        raw=answer(index, status),
        status=status,
        progress=100.0 if status == "completed" else 45.0,
        ended=status == "completed",
    )


def baseline(path: Path) -> tuple[sqlite3.Connection, Commit]:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    # Both start from the stored ids of the fleet, so that both logs have the same blocks to write over.
    connection.execute("CREATE TABLE watched (job_id TEXT UNIQUE)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO watched VALUES (?)", ((job_id(index),) for index in range(FLEET)))
    connection.execute("COMMIT")
    connection.execute(
        "CREATE TABLE entries (job_id TEXT, observed_at INTEGER, seen TEXT, status TEXT, progress REAL,"
        " ended INTEGER, raw BLOB)"
    )

    def commit(entries: Sequence[Entry]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    e.job_id,
                    int(e.observed_at.timestamp() * 1e6),
                    e.seen.value,
                    e.status,
                    e.progress,
                    e.ended,
                    e.raw,
                )
                for e in entries
            ),
        )
        connection.execute("COMMIT")

    return connection, commit


def seconds(commit: Commit, batches: Sequence[Sequence[Entry]]) -> float:
    start = time.perf_counter()
    for batch in batches:
        commit(batch)
    return time.perf_counter() - start


def completion_order(count: int, scatter: float) -> list[int]:
    """Return the jobs in the order in which they end, each up to ``scatter`` places from its submission."""
    rng = random.Random(0)
    keys = [index + rng.uniform(0, scatter) for index in range(count)]
    return sorted(range(count), key=keys.__getitem__)


def measure(folder: Path, size: int, scatter: float) -> tuple[float, float, float]:
    """Return the median commits per second, plain and archive, and the median of the rounds' ratios."""
    count = ENTRIES_PER_ROUND[size]
    order = completion_order(FLEET, scatter)
    took: dict[str, list[float]] = {"plain": [], "archive": []}
    connection, plain = baseline(folder / f"plain-{size}-{scatter}.db")
    with Archive(folder / f"archive-{size}-{scatter}.db") as archive:
        archive.watch(map(job_id, range(FLEET)))
        for number in range(ROUNDS):
            entries = [entry(index, "completed") for index in order[number * count : (number + 1) * count]]
            batches = [entries[at : at + size] for at in range(0, count, size)]
            turns = [("plain", plain), ("archive", archive.commit)]
            for name, commit in turns if number % 2 else reversed(turns):
                took[name].append(len(batches) / seconds(commit, batches))
    connection.close()
    ratios = [ours / plain for plain, ours in zip(took["plain"], took["archive"], strict=True)]
    return statistics.median(took["plain"]), statistics.median(took["archive"]), statistics.median(ratios)


def bytes_per_job(folder: Path, count: int = 20_000) -> dict[str, float]:
    """Return the archive's size per job after three observed changes each, and that of the raw answers."""
    path = folder / "size.db"
    order = list(range(count))
    random.Random(1).shuffle(order)
    with Archive(path) as archive:
        archive.watch(map(job_id, range(count)))
        for status in ("pending", "processing", "completed"):
            for at in range(0, count, 100):
                archive.commit([entry(index, status) for index in order[at : at + 100]])
    raw = sum(len(answer(index, "completed")) for index in order)
    return {"file": path.stat().st_size / count, "raw": raw / count}


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        folder = Path(name)
        print(
            f"Final answers of {len(answer(0, 'completed'))} bytes, fleet of {FLEET:,} watched jobs; SQLite"
        )
        print(f"{sqlite3.sqlite_version}, WAL, synchronous FULL; medians of {ROUNDS} alternating rounds.")
        print(
            f"{'jobs end':24} {'batch':>5} {'plain INSERTs/s':>16} {'archive/s':>10} {'archive : plain':>16}"
        )
        for words, scatter in (("as submitted, +-500", 1_000.0), ("in random order", 1e9)):
            for size in BATCH_SIZES:
                plain, ours, ratio = measure(folder, size, scatter)
                print(f"{words:24} {size:5} {plain:16,.0f} {ours:10,.0f} {ratio:16.2f}")
        sizes = bytes_per_job(folder)
        print(
            f"On disk: {sizes['file']:,.0f} bytes per completed job of three changes,"
            f" {sizes['raw']:,.0f} of them its raw answer."
        )


if __name__ == "__main__":
    main()
