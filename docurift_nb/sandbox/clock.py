"""The one clock of the sandbox, which tests and demos may move or hold.

It knows nothing of jobs: whoever needs "now" is handed a clock and asks.
"""

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime


class Clock:
    """Seconds since 1970 (UTC) that run at the pace of the wall clock and can be moved forwards.

    It is anchored on a monotonic source, so a correction of the machine's clock never moves jobs
    backwards. Every method may be called from any thread.

    Parameters
    ----------
    start
        What the clock shows at first; the machine's time unless given. Must be aware of its zone.
    source
        A never-decreasing count of seconds that drives the clock.
    """

    def __init__(
        self, *, start: datetime | None = None, source: Callable[[], float] = time.monotonic
    ) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError(
                f"Clock start must be aware of its time zone, got {start!r}; add tzinfo=datetime.UTC"
            )
        self._source = source
        self._lock = threading.Lock()
        self._epoch = time.time() if start is None else start.timestamp()
        self._anchor = source()
        self._held_at: float | None = None

    def now(self) -> float:
        """Read the clock in seconds since 1970 (UTC)."""
        with self._lock:
            return self._now()

    def advance(self, seconds: float) -> None:
        """Move the clock forwards at once, whether it runs or is held.

        Parameters
        ----------
        seconds
            How far, in seconds; zero or more.

        Raises
        ------
        ValueError
            If `seconds` is negative: jobs must never be seen going backwards.
        """
        if seconds < 0:
            raise ValueError(f"a sandbox clock only moves forwards: expected seconds >= 0, got {seconds}")
        with self._lock:
            self._epoch += seconds
            if self._held_at is not None:
                self._held_at += seconds

    def hold(self) -> None:
        """Stop the clock where it is; only `advance` moves it until `run` is called. Idempotent."""
        with self._lock:
            if self._held_at is None:
                self._held_at = self._now()

    def run(self) -> None:
        """Let a held clock go on from where it stands. Idempotent."""
        with self._lock:
            if self._held_at is not None:
                self._epoch, self._anchor = self._held_at, self._source()
                self._held_at = None

    def _now(self) -> float:
        if self._held_at is not None:
            return self._held_at
        return self._epoch + (self._source() - self._anchor)


def seeded(*parts: object) -> random.Random:
    """Make a random generator whose sequence depends on nothing but `parts`."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311 -- outcomes must repeat, not be secret
