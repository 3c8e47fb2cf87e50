"""Watches the jobs whose ids it reads, in a process of its own, and prints each id that it was shown.

Run: ``python watching_child.py ARCHIVE URL KEY [START CAP]`` with one id a line on standard input.
"""

import sys

from docurift_nb import Backoff, Client, Watch
from docurift_nb.archive import Archive
from docurift_nb.schedule import ErrorBackoff
from docurift_nb.watcher import Engine


def main(archive: str, url: str, key: str, start: str = "0.05", cap: str = "0.2") -> None:
    """Print the ids in the order shown, each at once, and ``end`` at last."""
    ids = sys.stdin.read().split()
    schedule, retry = Backoff(start=float(start), cap=float(cap)), ErrorBackoff(scale=0.05)
    with Client(key, url) as client:
        watch = Watch(Engine(client, Archive(archive), schedule=schedule, retry=retry), display="off")
        watch.add(ids)
        for job in watch.as_completed():
            # One write for each line: what arrives of a killed process is whole.
            sys.stdout.write(f"{job.job_id}\n")
            sys.stdout.flush()
        sys.stdout.write("end\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
