"""A process of its own that writes an archive, for tests that kill it or run two at once.

Usage: ``python writer.py acknowledge|share PATH NAME``. It says ``ready``, waits for a line on its standard
input, and only then opens the archive.
"""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from docurift_nb.archive import Archive, Entry
from docurift_nb.models import Seen

START = datetime(2026, 1, 1, tzinfo=UTC)
SHARED = 500


def completed(job_id: str, second: int = 0) -> Entry:
    """Return the final answer of a job."""
    data = f'"id":"{job_id}","status":"completed","progress":100,"completedAt":"2026-01-01T00:00:00Z"'
    return Entry(
        job_id=job_id,
        observed_at=START + timedelta(seconds=second),
        seen=Seen.FRESH,
        raw=f'{{"success":true,"data":{{{data}}}}}'.encode(),
        status="completed",
        progress=100.0,
        ended=True,
    )


def batches(name: str) -> Iterator[list[Entry]]:
    """Yield many batches of 1 to 40 final answers; job ids tell batch and size."""
    rng = random.Random(name)
    for number in range(1_000):
        size = rng.randint(1, 40)
        yield [completed(f"{name}/{number}/{size}/{place}") for place in range(size)]


def acknowledge(path: str, name: str) -> None:
    """Commit batch after batch, printing each batch's number once its commit has returned."""
    with Archive(path) as archive:
        for number, batch in enumerate(batches(name)):
            archive.commit(batch)
            print(number, flush=True)  # noqa: T201  # how the parent learns what was acknowledged


def share(path: str, name: str) -> None:
    """Commit 1,000 endings, half of them of jobs that the other process ends as well."""
    entries = [completed(f"shared/{i}", i) for i in range(SHARED)]
    entries += [completed(f"{name}/{i}", i) for i in range(SHARED)]
    random.Random(name).shuffle(entries)
    with Archive(path) as archive:
        archive.watch(entry.job_id for entry in entries)
        for at in range(0, len(entries), 2):
            archive.commit(entries[at : at + 2])


if __name__ == "__main__":
    _, role, path_given, name_given = sys.argv
    print("ready", flush=True)  # noqa: T201  # how the parent learns that imports are done
    sys.stdin.readline()
    {"acknowledge": acknowledge, "share": share}[role](path_given, name_given)
