"""What everybody looks at: the state of a watch under one lock, written by its engine alone."""

import threading
import time
from collections import Counter
from collections.abc import Iterator

from docurift_nb.archive import Archive
from docurift_nb.budget import Budget
from docurift_nb.errors import ArchiveError, DocuriftError
from docurift_nb.models import Observation, Seen
from docurift_nb.watcher.fleet import STALE_S, Fleet, Tracked, as_datetime
from docurift_nb.watcher.snapshot import Phase, Receipt, Snapshot

IDLE_PHASES = frozenset({Phase.FINISHED, Phase.STOPPED, Phase.TIMED_OUT, Phase.DENIED, Phase.BLOCKED})
LARGE = 5_000


class Board:
    """The fleet, the flags and the counters of one watch. ``changed`` guards all of them."""

    def __init__(self, fleet: Fleet, archive: Archive) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.fleet = fleet
        self.archive = archive
        self.ended: list[Tracked] = []
        self.spent: Counter[str] = Counter()
        self.from_memory = 0
        self.paused = self.stopped = self.timed_out = self.offline = False
        self.trouble: DocuriftError | None = None
        self.crash: BaseException | None = None
        self.started_at = time.time()
        self.newest_at: float | None = None
        self._ages: tuple[float, float | None, int] = (0.0, None, 0)

    @property
    def phase(self) -> Phase:
        """What the watch as a whole is doing."""
        with self.changed:
            if self.crash is not None:
                return Phase.STOPPED
            if not self.fleet.n_open:
                return Phase.FINISHED
            if self.stopped:
                return Phase.STOPPED
            return self._hindrance()

    def _hindrance(self) -> Phase:
        if self.timed_out:
            return Phase.TIMED_OUT
        if isinstance(self.trouble, ArchiveError):
            return Phase.BLOCKED
        if self.trouble is not None:
            return Phase.DENIED
        return Phase.PAUSED if self.paused else Phase.RUNNING

    @property
    def is_idle(self) -> bool:
        """Whether nothing will change unless somebody acts."""
        return self.phase in IDLE_PHASES

    def join(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds for the watch to become idle; tell whether it is."""
        with self.changed:
            return self.changed.wait_for(lambda: self.is_idle, timeout)

    def ended_after(self, position: int, timeout: float) -> list[str]:
        """Return the ids that ended, in order of ending, from ``position`` on; wait for one if need be.

        An empty list means that none came within ``timeout`` seconds, or that none will.
        """
        with self.changed:
            self.changed.wait_for(lambda: len(self.ended) > position or self.is_idle, timeout)
            return [tracked.job_id for tracked in self.ended[position:]]

    def job_ids(self) -> list[str]:
        """Return the watched ids in the order they were added."""
        with self.changed:
            return [tracked.job_id for tracked in self.fleet]

    def observation(self, job_id: str) -> Observation:
        """Return the latest about one job.

        Raises
        ------
        KeyError
            When it is not watched.
        """
        tracked = self.fleet.get(job_id)
        if tracked is None:
            raise KeyError(job_id)
        while True:
            looked_at = tracked.looked_at
            stored = next(self.archive.observations_of([job_id]), None)
            with self.changed:
                # A look that was taken in between belongs to a newer answer than the one just read.
                if tracked.looked_at == looked_at:
                    return tracked.observation(None if stored is None else stored.job, time.time())

    def observations(self) -> Iterator[Observation]:
        """Yield the latest about every watched job, in the order of the archive."""
        now = time.time()
        for stored in self.archive.observations():
            tracked = self.fleet.get(stored.job_id)
            if tracked is None:
                continue
            is_behind = tracked.ended and not stored.ended
            yield self.observation(stored.job_id) if is_behind else tracked.observation(stored.job, now)

    def snapshot(self, budget: Budget, next_look_s: float | None) -> Snapshot:
        """Return the whole watch at this moment."""
        with self.changed:
            now = time.time()
            oldest, stale = self._open_ages(now)
            seen = Counter({str(word): n for word, n in self.fleet.seen.items()})
            seen[Seen.FRESH] -= stale
            seen[Seen.STALE] += stale
            return Snapshot(
                phase=self.phase,
                total=len(self.fleet),
                n_ended=self.fleet.n_ended,
                counts={word: n for word, n in self.fleet.counts.items() if n > 0},
                seen={str(word): n for word, n in seen.items() if n > 0},
                taken_at=as_datetime(now),
                started_at=as_datetime(self.started_at),
                newest_at=None if self.newest_at is None else as_datetime(self.newest_at),
                oldest_at=None if oldest is None else as_datetime(oldest),
                throttled_s=budget.blocked_s,
                offline=self.offline,
                trouble=str(self.crash or self.trouble or ""),
                notices=tuple(self.fleet.notices),
                receipt=self.receipt(budget, next_look_s),
            )

    def receipt(self, budget: Budget, next_look_s: float | None) -> Receipt:
        """Return what was spent so far."""
        with self.changed:
            spent = self.spent
            return Receipt(
                requests=spent.total(),
                answers=spent["answers"],
                refused=spent["refused"],
                lost=spent["lost"],
                denied=spent["denied"],
                not_found=spent["not_found"],
                ended=self.fleet.n_ended,
                from_memory=self.from_memory,
                rate=budget.rate,
                next_look_s=next_look_s,
            )

    def _open_ages(self, now: float) -> tuple[float | None, int]:
        """Return the oldest answer among open jobs and how many of them are stale.

        A large fleet is not walked more than once a second: a display asks several times.
        """
        at, oldest, stale = self._ages
        if now - at < (1.0 if len(self.fleet) > LARGE else 0.0):
            return oldest, stale
        times = [t.observed_at for t in self.fleet if not t.ended and t.observed_at is not None]
        fresh = [
            t.observed_at
            for t in self.fleet
            if not t.ended and t.seen is Seen.FRESH and t.observed_at is not None
        ]
        oldest, stale = min(times, default=None), sum(now - t > STALE_S for t in fresh)
        self._ages = (now, oldest, stale)
        return oldest, stale
