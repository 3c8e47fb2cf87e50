"""What the watches of one process share about one DocuRift host.

Two watches never have a request in flight for the same job, and the answer one of them gets is given to
the others. A new watch first hears what living ones already know.
"""

import threading
import weakref
from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from docurift_nb.models import Job, Observation


class Member(Protocol):
    """What takes part: an engine."""

    def offer(self, endings: Collection[tuple[Job, float]]) -> None:
        """Hear of jobs that ended, each with the Unix time at which that was observed."""
        ...

    def known_endings(self, job_ids: Collection[str]) -> Iterable[Observation]:
        """Tell what is known to have ended among ``job_ids``."""
        ...


class Exchange:
    """The meeting point for one host. Thread-safe; lives as long as a member does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_flight: set[str] = set()
        self._members: weakref.WeakSet[Member] = weakref.WeakSet()

    def join(self, member: Member) -> None:
        """Take part from now on; nobody needs to leave."""
        with self._lock:
            self._members.add(member)

    def claim(self, job_id: str) -> bool:
        """Reserve the right to ask about a job; False while somebody else is asking."""
        with self._lock:
            if job_id in self._in_flight:
                return False
            self._in_flight.add(job_id)
            return True

    def release(self, job_id: str) -> None:
        """Give the right back."""
        with self._lock:
            self._in_flight.discard(job_id)

    def _others(self, member: Member) -> list[Member]:
        with self._lock:
            return [other for other in self._members if other is not member]

    def announce(self, sender: Member, endings: Collection[tuple[Job, float]]) -> None:
        """Give answers that ended their jobs to everybody else."""
        for member in self._others(sender):
            member.offer(endings)

    def known(self, asker: Member, job_ids: Collection[str]) -> Iterator[Observation]:
        """Yield what the others know to have ended among ``job_ids``."""
        for member in self._others(asker):
            yield from member.known_endings(job_ids)


_exchanges: "weakref.WeakValueDictionary[str, Exchange]" = weakref.WeakValueDictionary()
_exchanges_lock = threading.Lock()


def exchange_for(host: str) -> Exchange:
    """Return the process's exchange for ``host``, made at first use."""
    with _exchanges_lock:
        exchange = _exchanges.get(host)
        if exchange is None:
            exchange = _exchanges[host] = Exchange()
        return exchange
