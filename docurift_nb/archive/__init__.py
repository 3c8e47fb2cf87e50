"""The memory of watches: one SQLite file that outlives kernels.

It keeps which jobs are watched, every observed change, and each job's latest answer as raw JSON; what is
committed is on the disk before anybody is shown it. It knows nothing of HTTP, of schedules or of displays,
and no key ever reaches it. This package is the only place that holds SQL.

``entry`` holds the values, ``memory`` the rules by which entries become the latest state, ``batch`` writes
them, ``ledger`` is the archive itself; ``file`` and ``reader`` open files to write and to read, ``faults``
turns SQLite's errors into ours.

Never ``open()`` an archive that this process has open as an ``Archive``: closing any descriptor of a file
drops the POSIX locks the whole process holds on it, and SQLite relies on them.
"""

from docurift_nb.archive.entry import Entry, Transition
from docurift_nb.archive.ledger import Archive, open_reader

__all__ = ["Archive", "Entry", "Transition", "open_reader"]
