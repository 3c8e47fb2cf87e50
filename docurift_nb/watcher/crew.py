"""The threads that ask: they make one request after the other and hand back what came."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from docurift_nb.errors import DocuriftError, NoAnswerError
from docurift_nb.models import Job
from docurift_nb.watcher.fleet import Tracked

logger = logging.getLogger("docurift_nb")


class Outcome(NamedTuple):
    """What one look brought, and the Unix time at which it came."""

    tracked: Tracked
    brought: Job | DocuriftError
    at: float
    paid: bool = True
    """False for an answer that somebody else has asked for."""
    asked_at: float = float("inf")
    """When it was asked for, on the monotonic clock."""


class Crew:
    """A pool of daemon threads, started as needed. ``dismiss`` is idempotent and does not wait.

    A pool of ``concurrent.futures`` is not used because the interpreter joins its threads at exit: an
    interrupted program would hang until the slowest request ends.
    """

    def __init__(self, ask: Callable[[str], Job], size: int, report: Callable[[Outcome], None]) -> None:
        self._ask = ask
        self._size = size
        self._report = report
        self._tasks: queue.SimpleQueue[Tracked | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.in_flight = 0

    @property
    def is_full(self) -> bool:
        """Whether every thread that may be has work."""
        return self.in_flight >= self._size

    def send(self, tracked: Tracked) -> None:
        """Have one of the threads ask about the job."""
        self.in_flight += 1
        if self.in_flight > len(self._threads):
            thread = threading.Thread(target=self._work, name="docurift-worker", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._tasks.put(tracked)

    def returned(self) -> None:
        """Note that one outcome was taken in."""
        self.in_flight -= 1

    def dismiss(self, grace_s: float = 0.0) -> None:
        """Let the threads end after what they are doing; wait at most ``grace_s`` seconds for all."""
        threads, self._threads = self._threads, []
        for _ in threads:
            self._tasks.put(None)
        deadline = time.monotonic() + grace_s
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        while (tracked := self._tasks.get()) is not None:
            asked_at = time.monotonic()
            self._report(Outcome(tracked, self._look(tracked.job_id), time.time(), asked_at=asked_at))
            # Keeping the last job in a local would keep its answer alive while the thread waits.
            del tracked

    def _look(self, job_id: str) -> Job | DocuriftError:
        try:
            return self._ask(job_id)
        except DocuriftError as error:
            return error.with_traceback(None)
        except Exception as error:
            logger.exception("a look at job %r failed unexpectedly", job_id)
            return NoAnswerError(job_id=job_id, cause=type(error).__name__, got=type(error).__name__)
