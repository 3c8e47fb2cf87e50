"""One thread that owns every live display of the process.

It looks at each shown watch a few times a second and draws what changed, within one message budget for all
of them: above its own limit the notebook server throws messages away, other people's included. It knows no
Jupyter; views do the drawing. Nothing is printed, and what cannot be sent is counted and tried again.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from docurift_nb.displays.picture import Picture, picture_of
from docurift_nb.displays.view import View, Watched
from docurift_nb.watcher import Snapshot

logger = logging.getLogger("docurift_nb")

TICK_S = 0.25
AGE_S = 1.0
AGAIN_S = 2.0
CEILING_PER_S = 20
KEPT = 8
CLOSING = 8
FINALS = 2
GIVE_UP_AFTER = 5


class _Shown:
    """One watch in one view. It holds the watch until that is over, so a shown watch is never collected."""

    def __init__(self, watch: Watched, view: View, drawn: Snapshot, now: float) -> None:
        self._watch = watch
        self._final: Snapshot | None = None
        self._picture = picture_of(drawn)
        self.view = view
        self.drawn_at = now
        self._finished = self._failures = 0

    @property
    def is_done(self) -> bool:
        return self._finished >= FINALS or (self._final is not None and self._failures >= GIVE_UP_AFTER)

    def serve(self, now: float) -> int:
        """Draw if there is something to draw; return the messages sent."""
        snapshot = self._final or self._watch.snapshot()
        if snapshot.is_over:
            self._final = snapshot
            return self._finish(snapshot, now)
        picture = picture_of(snapshot)
        if not self._is_worth(picture, now):
            return 0
        sent = self.view.update(snapshot)
        self._picture, self.drawn_at, self._failures = picture, now, 0
        return sent

    def failed(self, now: float) -> None:
        self._failures += 1
        # Dated ahead, so that a view that cannot be drawn is tried less often than those that can.
        self.drawn_at = now + AGE_S

    def _is_worth(self, picture: Picture, now: float) -> bool:
        happened = picture.lasting != self._picture.lasting
        wait_s = self.view.interval_s if happened else max(AGE_S, self.view.interval_s)
        return picture != self._picture and now - self.drawn_at >= wait_s

    def _finish(self, final: Snapshot, now: float) -> int:
        if self._finished and now - self.drawn_at < AGAIN_S:
            return 0
        sent = self.view.finish(final)
        self._finished, self.drawn_at, self._failures = self._finished + 1, now, 0
        return sent


class Publisher:
    """Keeps views up to date from one daemon thread, which runs only while something is shown.

    The thread holds a shown watch until it is over, draws its end twice, and lets go. Finished views are
    kept for a while, for pages that were reloaded meanwhile; the oldest are closed.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._shown: list[_Shown] = []
        self._spent: deque[tuple[float, int]] = deque()
        self._finished: deque[View] = deque()
        self._thread: threading.Thread | None = None
        self.errors = 0
        """Drawings that failed since the start of the process."""

    def add(self, watch: Watched, view: View, drawn: Snapshot) -> None:
        """Take over a view that shows ``drawn``; starts the thread where none runs."""
        with self._lock:
            self._shown.append(_Shown(watch, view, drawn, self._clock()))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="docurift-display", daemon=True)
                self._thread.start()

    def tick(self) -> bool:
        """Draw what is due and affordable, the longest waiting first; tell whether anything is left to do."""
        with self._lock:
            shown = sorted(self._shown, key=lambda one: one.drawn_at)
        for one in shown:
            if not self._can_afford(one.view.cost):
                break
            self._serve(one)
        return self._sweep()

    def _serve(self, one: _Shown) -> None:
        now = self._clock()
        try:
            self._spend(one.serve(now))
        except Exception:  # whatever a front end does, the other displays go on
            self.errors += 1
            one.failed(now)
            logger.debug("a display could not be drawn", exc_info=True)

    def _can_afford(self, messages: int) -> bool:
        second_ago = self._clock() - 1.0
        while self._spent and self._spent[0][0] <= second_ago:
            self._spent.popleft()
        return sum(sent for _, sent in self._spent) + messages <= CEILING_PER_S

    def _spend(self, messages: int) -> None:
        if messages:
            self._spent.append((self._clock(), messages))

    def _sweep(self) -> bool:
        """Let go of what is done, and tell whether anything is left; if not, the thread may end."""
        if len(self._finished) > KEPT and self._can_afford(CLOSING):
            self._close(self._finished.popleft())
        with self._lock:
            self._finished.extend(one.view for one in self._shown if one.is_done)
            self._shown = [one for one in self._shown if not one.is_done]
            # Still under the lock: whoever adds a display next must see that no thread will serve it.
            if self._shown or len(self._finished) > KEPT:
                return True
            self._thread = None
            return False

    def _close(self, view: View) -> None:
        try:
            self._spend(view.close())
        except Exception:  # as in `_serve`
            self.errors += 1
            logger.debug("a display could not be closed", exc_info=True)

    def _run(self) -> None:
        pause = threading.Event()
        while self.tick():
            pause.wait(TICK_S)
