"""Leaves the program while a watch is alive and asking.

Run: ``python leaving_child.py URL KEY ARCHIVE LOGGED SEEN`` with one id a line on standard input. An empty
ARCHIVE means none; LOGGED is ``logged`` where warnings shall be printed, as programs with logging switched on
do; SEEN is how many jobs to wait for.
"""

import logging
import sys
import threading

from docurift_nb import Backoff, Client, Observation, watch


def main(url: str, key: str, archive: str, logged: str, wanted: str) -> None:
    """Return as soon as the watch has seen so many jobs, and leave the rest to the interpreter."""
    if logged == "logged":
        logging.basicConfig()
    ids = sys.stdin.read().split()
    schedule, seen = Backoff(start=0.01, cap=0.01), set[str]()
    everybody = threading.Event()

    def note(o: Observation) -> None:
        seen.add(o.job_id)
        if len(seen) >= int(wanted):
            everybody.set()

    fleet = watch(ids, client=Client(key, url), archive=archive or None, schedule=schedule, display="off")
    kept.append(fleet)
    fleet.on_change(note)
    assert everybody.wait(30)


kept: list[object] = []
if __name__ == "__main__":
    main(*sys.argv[1:])
