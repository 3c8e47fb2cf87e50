"""The front door: ``dn.watch`` and the `Watch` it returns.

It wires an engine to an archive, results and a display, and holds no logic of its own about jobs. It is
the only module that knows both the threads below and the tables and displays above them.
"""

import asyncio
import copy
import os
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from docurift_nb.archive import Archive
from docurift_nb.client import Client
from docurift_nb.errors import ConfigError, WaitTimeoutError, WatchStoppedError, did_you_mean
from docurift_nb.models import Job, Observation
from docurift_nb.schedule import Schedule, named_schedule
from docurift_nb.watcher import Engine, Phase, Receipt, Snapshot
from docurift_nb.watcher.board import IDLE_PHASES

if TYPE_CHECKING:
    from docurift_nb.results import Results

WAIT_SLICE_S = 0.2
DISPLAYS = ("auto", "core", "html", "text", "off")
DETACHED = "interrupted: waiting ended, the jobs and the watch go on; wait() attaches again, stop() ends it"


def watch(
    job_ids: str | Iterable[str],
    *,
    client: Client | None = None,
    archive: str | os.PathLike[str] | None = None,
    schedule: str | Schedule = "backoff",
    timeout: float | None = None,
    display: str | None = None,
) -> "Watch":
    """Keep many jobs fresh in the background; returns at once.

    Starts a scheduler thread and a few workers, all daemons; they end when every job has ended, or at
    ``stop``. Run again with the same arguments while the first watch is alive, it returns that watch: no
    second thread, no second request. With an archive, finished jobs cost no request after a restart either.

    Parameters
    ----------
    job_ids : str or iterable of str
        Duplicates are merged.
    client : Client, optional
        Default: one from ``DOCURIFT_API_KEY`` and ``DOCURIFT_API_URL``.
    archive : path, optional
        The SQLite file that keeps every answer; made where no file is. Without one, answers are kept in
        a private temporary file that goes away with the watch.
    schedule : "backoff", "adaptive" or Schedule
        When to look at each job again: as documented, or as learned from the jobs before it.
    timeout : float, optional
        Seconds after which the watch stops looking by itself. The jobs go on.
    display : {"auto", "core", "html", "text", "off"}, optional
        How the watch shows itself as the last expression of a cell. None means "auto".

    Raises
    ------
    ConfigError
        When an id or another argument cannot be used.
    ArchiveError
        When the archive cannot be opened.

    Examples
    --------
    >>> watch([], client=Client("frc_example"))
    <Watch of 0 jobs, finished: none>
    """
    ids = [job_ids] if isinstance(job_ids, str) else list(dict.fromkeys(job_ids))
    plan = named_schedule(schedule)
    chosen = _checked_display(display)
    _check_timeout(timeout)
    client = client or Client()
    with _lock:
        known = _same_watch(ids, client, archive, schedule, timeout)
        if known is not None:
            return known
        engine = Engine(client, Archive(archive), schedule=plan, timeout=timeout)
        new = Watch(engine, display=chosen)
        new.add(ids)
        _alive[new] = _recipe(ids, client, archive, schedule, timeout)
        return new


class Watch:
    """Many jobs, kept fresh in the background; made by ``watch``.

    ``stop`` ends the looking, not the jobs, and is idempotent; as a context manager it stops on leaving.
    Results stay readable after ``stop``. A watch that nobody holds any more stops by itself.
    """

    def __init__(self, engine: Engine, *, display: str = "auto") -> None:
        self._engine = engine
        self._display = display
        weakref.finalize(self, engine.let_go).atexit = False
        self.jobs: Mapping[str, Observation] = _Jobs(engine)
        """Job id to its latest `Observation`; answers are read from the archive when asked for."""

    @property
    def client(self) -> Client:
        """The client that asks; ``client.renew_key`` lets a denied watch go on."""
        return self._engine.client

    @property
    def counts(self) -> Mapping[str, int]:
        """Jobs by state: the service's words, or ``unseen``, ``not_found``, ``expired``, ``denied``."""
        return self.snapshot().counts

    @property
    def phase(self) -> Phase:
        """What the watch as a whole is doing."""
        return self._engine.board.phase

    @property
    def receipt(self) -> Receipt:
        """What was spent: requests, refusals, losses, the next look."""
        return self._engine.receipt()

    def snapshot(self) -> Snapshot:
        """Return the whole watch at this moment, immutable."""
        return self._engine.snapshot()

    def add(self, job_ids: str | Iterable[str]) -> int:
        """Watch these as well; returns how many are new.

        Raises
        ------
        ConfigError
            When an id cannot be one; nothing is added then.
        """
        return self._engine.add([job_ids] if isinstance(job_ids, str) else job_ids)

    def pause(self) -> None:
        """Ask nothing until ``resume``."""
        self._engine.pause()

    def resume(self) -> None:
        """Go on after a pause, a denied key, or an archive that could not be written."""
        self._engine.resume()

    def stop(self) -> None:
        """Stop looking for good. Idempotent; the jobs go on at DocuRift."""
        self._engine.stop()

    def on_change(self, function: Callable[[Observation], object]) -> Callable[[], None]:
        """Call ``function`` with an `Observation` on each change, exactly once at each job's end.

        It runs on a thread of its own and may take its time: only the newest change of each job waits for
        it. Its errors are logged and touch nothing else. Returns a function that takes it off again.
        """
        return self._engine.on_change(function)

    def results(self) -> "Results":
        """Return what is known now as tables, unfinished jobs included."""
        from docurift_nb.results import Results  # noqa: PLC0415  # pandas loads on first use

        return Results.from_observations(self._engine.board.observations())

    def wait(self, timeout: float | None = None) -> "Results":
        """Block until every job has ended, and return the results.

        An interrupt ends the waiting only: the jobs and the watch go on.

        Parameters
        ----------
        timeout : float, optional
            Seconds; None waits for ever.

        Raises
        ------
        WaitTimeoutError
            When time is up, here or for the watch. Nothing was cancelled.
        AuthError, ForbiddenError, CreditsError, ArchiveError
            When nothing will happen until somebody acts.
        WatchStoppedError
            When it was stopped before its jobs ended.
        """
        started = time.monotonic()
        try:
            while not (self._engine.board.join(_slice(started, timeout)) and self._is_concluded(started)):
                self._check_patience(started, timeout)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(DETACHED)
            raise
        return self.results()

    def __await__(self) -> Generator[Any, None, "Results"]:
        return self._awaited().__await__()

    async def _awaited(self) -> "Results":
        started = time.monotonic()
        # A short sleep again and again rather than one future: an idle loop hears of an interrupt only
        # when something wakes it.
        while not (self._engine.board.is_idle and self._is_concluded(started)):  # noqa: ASYNC110  # see above
            await asyncio.sleep(WAIT_SLICE_S / 2)
        return self.results()

    def as_completed(self, timeout: float | None = None) -> Iterator[Job]:
        """Yield each job as it completes or fails, those that already have first.

        Jobs that end without an answer (not found, expired, denied) are not yielded; ``jobs`` tells of
        them.

        Parameters
        ----------
        timeout : float, optional
            Seconds for the whole iteration.

        Raises
        ------
        WaitTimeoutError, AuthError, ForbiddenError, CreditsError, ArchiveError, WatchStoppedError
            As `wait`.
        """
        started, board = time.monotonic(), self._engine.board
        position, yielded = 0, set[str]()
        while True:
            # Read before the endings: what ends in between must not be taken for nothing left.
            was_idle = board.is_idle
            ended = board.ended_after(position, _slice(started, timeout))
            for job_id in ended:
                job = board.observation(job_id).job
                if job is not None and job.is_final and job_id not in yielded:
                    yielded.add(job_id)
                    yield job
            position += len(ended)
            if not ended and was_idle and self._is_concluded(started):
                return
            if not ended:
                self._check_patience(started, timeout)

    def _check_patience(self, started: float, timeout: float | None) -> None:
        waited = time.monotonic() - started
        if timeout is not None and waited >= timeout:
            raise WaitTimeoutError(waited_s=waited, n_open=self._engine.board.fleet.n_open)

    def _is_concluded(self, started: float) -> bool:
        """Tell whether every job has ended, False when it goes on after all; raise when it will not."""
        board = self._engine.board
        with board.changed:
            phase, crash, trouble = board.phase, board.crash, board.trouble
        if phase not in IDLE_PHASES or phase is Phase.FINISHED:
            return phase is Phase.FINISHED
        if phase is Phase.TIMED_OUT:
            raise WaitTimeoutError(
                what="the watch's own timeout is over",
                waited_s=time.monotonic() - started,
                n_open=board.fleet.n_open,
            )
        if crash is not None:
            raise crash
        if trouble is not None:
            # A copy: the traceback of what is raised holds this frame, and with it the watch.
            raise copy.copy(trouble)
        raise WatchStoppedError(n_open=board.fleet.n_open)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __len__(self) -> int:
        return len(self._engine.board.fleet)

    def __repr__(self) -> str:
        shot = self.snapshot()
        counts = ", ".join(f"{n:,} {word}" for word, n in sorted(shot.counts.items()))
        return f"<Watch of {shot.total:,} jobs, {shot.phase}: {counts or 'none'}>"

    def _ipython_display_(self) -> None:
        from docurift_nb import displays  # noqa: PLC0415  # the widget stack loads on first use

        displays.show(self, self._display)


class _Jobs(Mapping[str, Observation]):
    """A view of the engine's jobs that reads answers when they are asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getitem__(self, job_id: str) -> Observation:
        return self._engine.board.observation(job_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._engine.board.job_ids())

    def __len__(self) -> int:
        return len(self._engine.board.fleet)

    def __contains__(self, job_id: object) -> bool:
        return isinstance(job_id, str) and self._engine.board.fleet.get(job_id) is not None

    def __repr__(self) -> str:
        return f"<latest observations of {len(self):,} jobs>"


_lock = threading.Lock()
_alive: "weakref.WeakKeyDictionary[Watch, tuple[object, ...]]" = weakref.WeakKeyDictionary()


def _recipe(
    ids: list[str],
    client: Client,
    archive: str | os.PathLike[str] | None,
    schedule: str | Schedule,
    timeout: float | None,
) -> tuple[object, ...]:
    path = None if archive is None else os.path.realpath(archive)
    return frozenset(ids), client.budget, client.base_url, path, schedule, timeout


def _same_watch(
    ids: list[str],
    client: Client,
    archive: str | os.PathLike[str] | None,
    schedule: str | Schedule,
    timeout: float | None,
) -> "Watch | None":
    """Return the living watch that the same call has made before."""
    wanted = _recipe(ids, client, archive, schedule, timeout)
    for known, recipe in _alive.items():
        if recipe == wanted and known.phase not in {Phase.STOPPED, Phase.TIMED_OUT}:
            return known
    return None


def _slice(started: float, timeout: float | None) -> float:
    """Return how long to block at once: briefly, so that an interrupt is heard on every platform."""
    if timeout is None:
        return WAIT_SLICE_S
    return max(0.0, min(WAIT_SLICE_S, timeout - (time.monotonic() - started)))


def _checked_display(display: str | None) -> str:
    if display is None:
        return "auto"
    if display not in DISPLAYS:
        advice = did_you_mean(str(display), DISPLAYS).rstrip("?")
        raise ConfigError(
            what="display cannot be used",
            expected=" or ".join(map(repr, DISPLAYS)),
            got=repr(display),
            advice=advice,
        )
    return display


def _check_timeout(timeout: float | None) -> None:
    if timeout is not None and not timeout > 0:
        raise ConfigError(what="timeout cannot be used", expected="seconds above 0", got=repr(timeout))
