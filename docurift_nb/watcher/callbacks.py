"""Tells users' functions of changes, from a thread of its own that never holds anything up.

Each function hears of every job's end exactly once, and of the changes before it as fast as it can take
them: while it is busy, only the newest change of each job waits, so the queue is never longer than the
fleet. An error in one function is logged and counted, and touches nobody else.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from docurift_nb.models import Observation

logger = logging.getLogger("docurift_nb")
IDLE_S = 1.0

OnChange = Callable[[Observation], object]


class Callbacks:
    """One function and its queue. The thread starts with the first change and ends when idle."""

    def __init__(self, function: OnChange) -> None:
        self._function = function
        self._ready = threading.Condition()
        self._pending: dict[str, Observation] = {}
        self._thread: threading.Thread | None = None
        self._busy = False
        self.errors = 0

    def put(self, observations: Iterable[Observation]) -> None:
        """Queue changes; returns at once."""
        with self._ready:
            for observation in observations:
                self._pending.pop(observation.job_id, None)
                self._pending[observation.job_id] = observation
            if self._pending and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="docurift-callback", daemon=True)
                self._thread.start()
            self._ready.notify_all()

    def flush(self, timeout: float) -> bool:
        """Wait until everything queued was told; False when ``timeout`` seconds did not suffice."""
        deadline = time.monotonic() + timeout
        with self._ready:
            if threading.current_thread() is self._thread:
                return False
            return self._ready.wait_for(
                lambda: not self._pending and not self._busy, max(0.0, deadline - time.monotonic())
            )

    def _run(self) -> None:
        while True:
            with self._ready:
                self._busy = False
                self._ready.notify_all()
                if not self._ready.wait_for(lambda: bool(self._pending), IDLE_S):
                    self._thread = None
                    return
                observation = self._pending.pop(next(iter(self._pending)))
                self._busy = True
            self._tell(observation)

    def _tell(self, observation: Observation) -> None:
        try:
            self._function(observation)
        except Exception:
            self.errors += 1
            logger.exception("an on_change function failed for job %r", observation.job_id)
