"""Keeps many jobs fresh in the background.

An `Engine` owns one scheduler thread and a few workers. The thread is the only writer: it draws due jobs
from the `Fleet` (plain state, no I/O), hands them to workers, commits what they bring to the archive, and
only then lets anybody see it. `exchange` makes the watches of one process share answers and keeps two of
them from asking about the same job at once; `Callbacks` tells users' functions from a thread of its own.
"""

from docurift_nb.watcher.engine import Engine
from docurift_nb.watcher.snapshot import Phase, Receipt, Snapshot

__all__ = ["Engine", "Phase", "Receipt", "Snapshot"]
