"""Watches onto a disk that is full after a while, checks what then holds, gets space, and goes on to the end.

A limit on the size of files stands for the full disk.

Run: ``python full_disk_child.py ARCHIVE URL KEY BYTES`` with one id a line on standard input.
"""

import contextlib
import resource
import sys

from docurift_nb import Backoff, Client, Observation, Watch
from docurift_nb.archive import Archive, open_reader
from docurift_nb.errors import ArchiveWriteError
from docurift_nb.schedule import ErrorBackoff
from docurift_nb.watcher import Engine, Phase


def main(path: str, url: str, key: str, size: str) -> None:
    """Print how many jobs had ended when the disk was full, and how many in the end."""
    ids, told = sys.stdin.read().split(), set[str]()
    with Client(key, url) as client:
        schedule, retry = Backoff(start=0.05, cap=0.2), ErrorBackoff(scale=0.05)
        fleet = Watch(Engine(client, Archive(path), schedule=schedule, retry=retry), display="off")
        limit(int(size))

        def note(o: Observation) -> None:
            if o.ended:
                told.add(o.job_id)

        fleet.on_change(note)
        fleet.add(ids)
        say(await_refusal(fleet, path, told))
        limit(resource.RLIM_INFINITY)
        fleet.resume()
        fleet.wait(60)
        say(len(told | shown(fleet)))


def await_refusal(fleet: Watch, path: str, told: set[str]) -> int:
    """Wait for the full disk, and check that nothing was shown that is not stored."""
    with contextlib.suppress(ArchiveWriteError):
        fleet.wait(60)
        raise AssertionError("the disk was never full")
    assert fleet.phase is Phase.BLOCKED
    assert fleet.snapshot().trouble
    with open_reader(path) as archive:
        stored = {seen.job_id for seen in archive.observations() if seen.ended}
    assert shown(fleet) <= stored
    assert set(told) <= stored
    return len(stored)


def shown(fleet: Watch) -> set[str]:
    """Return the jobs that the watch shows as ended."""
    return {seen.job_id for seen in fleet.jobs.values() if seen.ended}


def say(count: int) -> None:
    """Tell the parent."""
    sys.stdout.write(f"{count}\n")


def limit(size: int) -> None:
    """Let no file of this process grow beyond ``size`` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(*sys.argv[1:])
