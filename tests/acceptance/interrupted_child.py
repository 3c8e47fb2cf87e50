"""Waits for a watch, is interrupted, and waits again; says on standard output how each waiting ended.

Run: ``python interrupted_child.py URL KEY`` with one id a line on standard input.
"""

import sys

from docurift_nb import Backoff, Client, Watch, watch
from docurift_nb.watcher import Phase


def main(url: str, key: str) -> None:
    """Print ``waiting``, then the note and phase at the interrupt, then the final counts."""
    ids = sys.stdin.read().split()
    with Client(key, url) as client:
        fleet = watch(ids, client=client, schedule=Backoff(start=0.05, cap=0.1), display="off")
        wait(fleet)
        fleet.wait()
        say(f"{fleet.phase} {dict(fleet.counts)}")


def wait(fleet: Watch) -> None:
    """Wait until interrupted."""
    say("waiting")
    try:
        fleet.wait()
    except KeyboardInterrupt as interrupt:
        assert fleet.phase is Phase.RUNNING
        say(*interrupt.__notes__)


def say(*words: str) -> None:
    """Tell the parent at once."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
