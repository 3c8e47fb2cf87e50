"""The scheduler of a watch: decides when to ask, takes in what the workers bring, and alone writes.

What the promises rest on is the order in which an outcome is handled: judge it, commit it to the archive,
show it, announce it. Nothing is visible before it is on disk.
"""

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator

from docurift_nb.archive import Archive
from docurift_nb.client import Client
from docurift_nb.client.client import quoted_id
from docurift_nb.errors import ArchiveError
from docurift_nb.models import Job, Observation, Seen
from docurift_nb.schedule import ErrorBackoff, Schedule
from docurift_nb.watcher.board import Board
from docurift_nb.watcher.callbacks import Callbacks, OnChange
from docurift_nb.watcher.crew import Crew, Outcome
from docurift_nb.watcher.exchange import exchange_for
from docurift_nb.watcher.fleet import Change, Fleet
from docurift_nb.watcher.judge import Judge
from docurift_nb.watcher.snapshot import Phase, Receipt, Snapshot

logger = logging.getLogger("docurift_nb")

NEWS_EVERY_S = 0.25
NEWS_GAP_S = 0.02
CLAIMED_RETRY_S = 0.25
ARCHIVE_RETRY_S = 5.0
STOP_GRACE_S = 2.0
LONGEST_SLEEP_S = 60.0
ASK_AGAIN = frozenset({Seen.NOT_FOUND, Seen.DENIED})


class Engine:
    """Watches jobs in the background until all have ended or it is stopped.

    Starts no thread until jobs are added, and ends its threads when all jobs have ended. They are daemons:
    they never keep the process alive, and killing it at any moment loses nothing that was shown. ``stop``
    is idempotent. The archive is closed when the engine is collected, so results stay readable until then.

    Parameters
    ----------
    client : Client
    archive : Archive
        Owned by the engine from now on.
    schedule : Schedule
        When to look at a job again.
    retry : ErrorBackoff, optional
        When to look again after a look that brought nothing.
    timeout : float, optional
        Seconds after which the watch stops looking by itself.
    workers : int
        Requests in flight at the most.
    """

    def __init__(
        self,
        client: Client,
        archive: Archive,
        *,
        schedule: Schedule,
        retry: ErrorBackoff | None = None,
        timeout: float | None = None,
        workers: int = 16,
    ) -> None:
        self.client, self.archive = client, archive
        retry = retry or ErrorBackoff()
        self._fleet = Fleet(schedule, retry)
        self.board = Board(self._fleet, archive)
        self._judge = Judge(self._fleet, self.board, retry)
        self._crew = Crew(client.look, workers, self._bring)
        self._exchange = exchange_for(client.base_url)
        self._exchange.join(self)
        self._changed = self.board.changed
        self._inbox: deque[Outcome] = deque()
        self._unsaved: list[Change] = []
        self._callbacks: list[Callbacks] = []
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._archive_retry_at = self._budget_at = self._news_at = 0.0
        self._news_seq = archive.sequence()
        self._thread: threading.Thread | None = None
        self._forget_renewal = client.on_renewal(_weakly(self))
        self._finalizer = weakref.finalize(self, archive.close)

    def add(self, job_ids: Iterable[str]) -> int:
        """Watch these as well; ids already watched are merged. Returns how many are new.

        Raises
        ------
        ConfigError
            When an id cannot be one; nothing is added then.
        ArchiveError
            When the ids cannot be stored; nothing is added then.
        """
        wanted = list(dict.fromkeys(job_ids))
        for job_id in wanted:
            quoted_id(job_id)
        with self._changed:
            new = [job_id for job_id in wanted if self._fleet.get(job_id) is None]
        self.archive.watch(new)
        stored = {seen.job_id: seen for seen in self.archive.observations_of(new)}
        rest = [job_id for job_id in new if job_id not in stored or not stored[job_id].ended]
        shared = [(o.job, _seconds(o)) for o in self._exchange.known(self, rest) if o.job is not None]
        with self._changed:
            for job_id in new:
                self._take_up(job_id, stored.get(job_id))
            self.offer(shared)
            self._ensure_running()
            self._changed.notify_all()
        return len(new)

    def _take_up(self, job_id: str, stored: Observation | None) -> None:
        if self._fleet.get(job_id) is not None:
            return
        tracked = self._fleet.add(job_id, time.monotonic())
        if stored is not None and stored.seen not in ASK_AGAIN:
            self._fleet.recall(tracked, stored)
            if tracked.ended:
                self.board.from_memory += 1
                self.board.ended.append(tracked)

    def pause(self) -> None:
        """Ask nothing until ``resume``; requests in flight are still taken in."""
        with self._changed:
            self.board.paused = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Go on after a pause, a denied key or an archive that could not be written."""
        with self._changed:
            self.board.paused = False
            self.board.trouble = None
            self._judge.forgive(time.monotonic())
            self._archive_retry_at = 0.0
            self._ensure_running()
            self._changed.notify_all()

    def renewed(self) -> None:
        """Ask again about what the old key was denied, and go on."""
        with self._changed:
            for tracked in self._fleet:
                if tracked.ended and tracked.seen is Seen.DENIED:
                    self._fleet.reopen(tracked, time.monotonic())
                elif tracked.seen is Seen.DENIED:
                    self._fleet.plan(tracked, time.monotonic())
            paused = self.board.paused
            self.resume()
            self.board.paused = paused

    def stop(self) -> None:
        """Stop looking for good. Idempotent; the jobs themselves go on at DocuRift."""
        self.let_go()
        with self._changed:
            thread, callbacks = self._thread, list(self._callbacks)
        if thread is not None and thread is not threading.current_thread():
            thread.join(STOP_GRACE_S)
        for queue in callbacks:
            queue.flush(STOP_GRACE_S)
        self._forget_renewal()

    def let_go(self) -> None:
        """Stop looking, without waiting for the threads to end."""
        with self._changed:
            self.board.stopped = True
            self._changed.notify_all()

    def on_change(self, function: OnChange) -> Callable[[], None]:
        """Call ``function`` with an `Observation` on each change, and exactly once at each job's end.

        It runs on a thread of its own. Jobs that have ended already are told at once. Returns a function
        that takes it off again.
        """
        callbacks = Callbacks(function)
        with self._changed:
            # Under the lock, so that no end falls between the past and the future ones.
            callbacks.put(self.board.observation(t.job_id) for t in self.board.ended if t.ended)
            self._callbacks.append(callbacks)

        def forget() -> None:
            with self._changed:
                if callbacks in self._callbacks:
                    self._callbacks.remove(callbacks)

        return forget

    def snapshot(self) -> Snapshot:
        """Return the whole watch at this moment."""
        return self.board.snapshot(self.client.budget, self._next_look_s())

    def receipt(self) -> Receipt:
        """Return what was spent so far."""
        return self.board.receipt(self.client.budget, self._next_look_s())

    def _next_look_s(self) -> float | None:
        with self._changed:
            due = self._fleet.next_due()
        return None if due is None else max(due, self._budget_at) - time.monotonic()

    def offer(self, endings: Collection[tuple[Job, float]]) -> None:
        """Hear of jobs that ended, from another watch of this process."""
        with self._changed:
            for job, at in endings:
                tracked = self._fleet.get(job.job_id)
                if tracked is not None and not tracked.ended:
                    self._inbox.append(Outcome(tracked, job, at, paid=False))
            self._changed.notify_all()

    def known_endings(self, job_ids: Collection[str]) -> Iterator[Observation]:
        """Tell what is known to have ended with an answer among ``job_ids``."""
        with self._changed:
            tracked = [self._fleet.get(job_id) for job_id in job_ids]
        for one in tracked:
            if one is not None and one.ended and one.seen is Seen.FRESH:
                yield self.board.observation(one.job_id)

    # The scheduler thread

    def _ensure_running(self) -> None:
        board = self.board
        if self._thread is None and self._fleet.n_open and not (board.stopped or board.crash):
            self._thread = threading.Thread(target=self._run, name="docurift-watch", daemon=True)
            self._thread.start()

    def _bring(self, outcome: Outcome) -> None:
        with self._changed:
            if self._thread is None:
                self._drop(outcome)
            else:
                self._inbox.append(outcome)
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except BaseException as crash:
            logger.exception("the watch broke down")
            with self._changed:
                self.board.crash = crash
        with self._changed:
            self._thread = None
            for outcome in self._inbox:
                self._drop(outcome)
            self._inbox.clear()
            self._changed.notify_all()
        self._crew.dismiss()

    def _drop(self, outcome: Outcome) -> None:
        """Let go of an answer that came too late to be taken in; the next watch asks again."""
        if outcome.paid:
            self._crew.returned()
            self._exchange.release(outcome.tracked.job_id)

    def _step(self) -> bool:
        """Take in what came, send out what is due, sleep until the next of either."""
        with self._changed:
            outcomes = list(self._inbox)
            self._inbox.clear()
            changes = [change for outcome in outcomes for change in self._take_in(outcome)]
        try:
            self._settle(changes)
        finally:
            # Not before the endings are announced: another watch would ask about a finished job.
            self._release(outcomes)
        self._hear_news()
        with self._changed:
            if self._is_over():
                return False
            if self._has_offers():
                return True
            sleep_s = self._send_out()
            if not self._inbox:
                self._changed.wait(sleep_s)
        return True

    def _release(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.paid:
                self._exchange.release(outcome.tracked.job_id)

    def _has_offers(self) -> bool:
        """Tell whether others have brought endings that must be heard before anything is asked."""
        return any(not outcome.paid for outcome in self._inbox)

    def _is_over(self) -> bool:
        board = self.board
        if self._deadline is not None and time.monotonic() >= self._deadline:
            board.timed_out = True
        over = board.stopped or board.timed_out or not self._fleet.n_open
        # What is in flight at the end is not waited for: nothing of it was shown, nothing is lost.
        return over and not self._inbox and (board.stopped or not self._unsaved)

    def _take_in(self, outcome: Outcome) -> Iterator[Change]:
        if outcome.paid:
            self._crew.returned()
        return self._judge.changes(outcome, time.monotonic())

    def _settle(self, changes: list[Change]) -> None:
        """Commit, then show, then announce. What cannot be committed is kept and tried again."""
        self._unsaved.extend(changes)
        if not self._unsaved or time.monotonic() < self._archive_retry_at:
            return
        try:
            self.archive.commit([c.entry for c in self._unsaved if c.entry is not None])
        except ArchiveError as error:
            with self._changed:
                self._archive_retry_at = time.monotonic() + ARCHIVE_RETRY_S
                self.board.trouble = error.with_traceback(None)
                self._changed.notify_all()
            return
        settled, self._unsaved = self._unsaved, []
        self._show(settled)

    def _show(self, changes: list[Change]) -> None:
        board, told = self.board, []
        with self._changed:
            if isinstance(board.trouble, ArchiveError):
                board.trouble = None
            now = time.monotonic()
            for change in changes:
                if change.job is not None:
                    board.newest_at = max(board.newest_at or 0.0, change.looked_at)
                if not self._fleet.apply(change, now):
                    continue
                told.append(change)
                if change.ended:
                    board.ended.append(change.tracked)
                    board.from_memory += not change.paid and not change.tracked.looks
            callbacks = list(self._callbacks)
            observations = [c.tracked.observation(c.job, time.time()) for c in told] if callbacks else []
            for queue in callbacks:
                queue.put(observations)
            self._changed.notify_all()
        paid = [(c.job, c.looked_at) for c in told if c.ended and c.job is not None and c.paid]
        if paid:
            self._exchange.announce(self, paid)

    def _hear_news(self) -> None:
        """Take over what another process has stored in the same archive."""
        now = time.monotonic()
        if self.archive.path is None or now < self._news_at:
            return
        # Far more often than news are waited for: nearly every look goes out knowing what others have stored.
        self._news_at = now + NEWS_GAP_S
        try:
            self._news_seq, endings = self.archive.news(self._news_seq)
        except ArchiveError as error:
            # News only save requests; whether the archive works is found out by the next commit.
            logger.warning("cannot read what others have stored: %s", error)
            return
        with self._changed:
            changes = [change for change in map(self._adopt, endings) if change is not None]
        if changes:
            self._show(changes)

    def _adopt(self, ending: Observation) -> Change | None:
        tracked = self._fleet.get(ending.job_id)
        if tracked is None or tracked.ended or ending.job is None or not ending.job.is_final:
            return None
        return Change(tracked, _seconds(ending), Seen.FRESH, job=ending.job, ended=True, paid=False)

    def _send_out(self) -> float:
        """Send out every look that may go now; return seconds until the next may."""
        while True:
            now = time.monotonic()
            hold_s = self._hold_s(now)
            if hold_s > 0:
                return self._sleep_s(now, hold_s)
            tracked = self._fleet.pop_due(now)
            if tracked is None:
                due = self._fleet.next_due()
                return self._sleep_s(now, LONGEST_SLEEP_S if due is None else due - now)
            put_off_s = self._fleet.hold_s(tracked, time.time())
            if put_off_s > 0:
                self._fleet.plan(tracked, now + put_off_s)
                continue
            if not self._exchange.claim(tracked.job_id):
                self._fleet.plan(tracked, now + CLAIMED_RETRY_S)
                continue
            wait_s = self.client.budget.take()
            if wait_s > 0:
                self._exchange.release(tracked.job_id)
                self._fleet.plan(tracked, tracked.due)
                self._budget_at = now + wait_s
                return self._sleep_s(now, wait_s)
            self._crew.send(tracked)

    def _hold_s(self, now: float) -> float:
        """Return seconds for which nothing may go out, whatever is due."""
        if self.board.phase is not Phase.RUNNING or self._crew.is_full:
            return LONGEST_SLEEP_S
        hold_s = self._judge.weather.hold_s(now, self._crew.in_flight)
        return LONGEST_SLEEP_S if hold_s is None else hold_s

    def _sleep_s(self, now: float, sleep_s: float) -> float:
        """Cut a sleep short for what else is due: other processes' news, the archive, the deadline."""
        sleep_s = min(sleep_s, LONGEST_SLEEP_S)
        if self.archive.path is not None:
            sleep_s = min(sleep_s, NEWS_EVERY_S)
        if self._unsaved:
            sleep_s = min(sleep_s, max(0.0, self._archive_retry_at - now))
        if self._deadline is not None:
            sleep_s = min(sleep_s, max(0.0, self._deadline - now))
        return max(sleep_s, 0.0)


def _seconds(observation: Observation) -> float:
    return time.time() if observation.observed_at is None else observation.observed_at.timestamp()


def _weakly(engine: Engine) -> Callable[[], None]:
    """Return a listener that does not keep the engine alive."""
    reference = weakref.ref(engine)

    def renewed() -> None:
        alive = reference()
        if alive is not None:
            alive.renewed()

    return renewed
