r"""The schedule that learns from the fleet itself.

Every finished job teaches it something, exactly, because the service dates the end. Three questions are
asked anew before each look:

**When may it be over?** Of the forecasts that apply, the narrowest (first to last tenth) is taken. A job of
age :math:`a` ends like those finished jobs of its type that took longer, :math:`\{d_k - a : d_k > a\}`. A
job with progress :math:`p` has :math:`s = a (1-p)/p` left if it moves evenly, or :math:`(1-p)` of its type's
median time in processing; true/said ratios of earlier forecasts, kept per tenth of progress, spread
:math:`s` into an empirical distribution, so that no shape is assumed and a curve that is not straight
corrects itself. A job pending in a queue ends when a line, fitted by least squares through (place, time of
start) of the newest starts, passes its place, plus the empirical error of earlier such forecasts.

**Which look costs least?** A look costs as much as ``look_cost_s`` seconds of not knowing a result. For
equally likely times to the end, the best sequence of looks is found exactly by dynamic programming, see
``lookahead``.

**Is it still right?** A planned look is only a plan: a quarter of the way on (never under a second) it is
asked again, without a request, with what is known by then (`Adaptive.hold`).

While nothing is known, it is the documented backoff; and of many jobs only some, the sentinels, follow that,
while the others wait (10 s at most) for what they bring.

Sources: R. E. Barlow, L. C. Hunter, F. Proschan, "Optimum checking procedures", J. SIAM 11 (1963), for the
policy; least squares for the queue; empirical quantiles of past errors for every interval.
"""

from collections import deque

from docurift_nb.schedule.backoff import Backoff, demand
from docurift_nb.schedule.base import Sight
from docurift_nb.schedule.clocks import Clocks, newest_time
from docurift_nb.schedule.forecasts import ENOUGH, MIDDLE, Durations, Forecast, Front, Progress
from docurift_nb.schedule.memory import PENDING, PROCESSING, STATUSES, Kinds, Memory, OpenJobs, fitting
from docurift_nb.schedule.samples import normal_quantiles

# "Most jobs complete within 30 seconds", says the documentation: a wide guess around that, for sentinels'
# elders only, and forgotten as soon as a handful of jobs has finished.
GUESSED = Durations()
for _quantile in normal_quantiles(0.9):
    GUESSED.learn(0, 12.0 * 2.718281828459045**_quantile)

SHORTEST_WAIT_S = 0.05
SHORTEST_HOLD_S = 0.01
MARGIN_S = 0.05
SENTINEL_EVERY = 8
REMEMBERED = 6
ASKED_AGAIN_S, ASKED_AGAIN_SHARE = 1.0, 0.25
ASKED_PER_S = 5_000
NOTED = 200
PROBES = 24
FREE_LOOKS = 12
LONGEST_SHARE = 0.05
QUEUED_SHARE = 0.05
GOLDEN = 0.6180339887498949


class Adaptive:
    """Looks when a job is likely to be over, as learned from the jobs before it.

    Parameters
    ----------
    look_cost_s : float
        How many seconds of lateness one request is worth: lower finds results sooner, higher asks less.
    longest_wait_s : float
        No open job goes unseen for longer, whatever the forecast; of a job that has been watched for more
        than 20 times as long, for no more than 5 % of that time.
    seed : int, optional
        Makes the jitter repeatable.

    Raises
    ------
    ConfigError
        When a value is outside its range.

    Notes
    -----
    A job is looked at no more than 12 times more often than by the documented backoff, however much it seems
    to be about to end (one that is stuck at 99 % seems so for ever).

    Jobs pending behind a queue's moving front are not looked at until the front comes near; a few
    sentinels are. Clocks may disagree, and need not run at one pace (a replay does not): ages are taken from
    each job's own times, at the pace at which these are seen to move. About 150 bytes are kept of an open
    job, nothing of one that has ended.
    """

    def __init__(
        self, *, look_cost_s: float = 1.0, longest_wait_s: float = 60.0, seed: int | None = None
    ) -> None:
        demand(0 < look_cost_s <= 1e6, "look_cost_s", "seconds above 0, at most a million", look_cost_s)
        demand(1 <= longest_wait_s <= 1e6, "longest_wait_s", "1 s to a million", longest_wait_s)
        self.look_cost_s, self.longest_wait_s = look_cost_s, longest_wait_s
        self._cold = Backoff(seed=seed)
        self._durations, self._progress, self._front = Durations(), Progress(), Front()
        self._clocks, self._kinds = Clocks(), Kinds()
        self._open = OpenJobs()
        self._held: dict[str, float] = {}
        self._said: dict[str, list[tuple[str, int, float, float]]] = {}
        self._come_after: deque[float] = deque(maxlen=50)
        self._queued = 0.0
        self._cold_looks = self._probes = 0

    # What the engine asks

    def next_look(self, sight: Sight) -> float:
        """Learn from an answer and return the seconds until the next look."""
        memory = self._open.get(sight.job_id)
        if memory is None:
            memory = Memory(sight.at - max(sight.watched_s, 0.0))
            self._held.pop(sight.job_id, None)
            self._date(sight, memory)
            self._come_after.append(memory.taken_at - memory.born(self._clocks.pace))
        else:
            self._date(sight, memory)
        if sight.is_final:
            self._learn_end(sight, memory)
            self.forget(sight.job_id)
            return SHORTEST_WAIT_S
        self._remember(sight, memory)
        self._learn_on_the_way(sight, memory)
        memory.is_firm = self._is_probe(sight)
        known = self._forecast(memory, sight.place) is not None and not memory.is_firm
        memory.guess_s = 0.0 if known else self._cold_wait(sight, memory)
        memory.least_s = SHORTEST_WAIT_S
        if sight.looks > FREE_LOOKS:
            memory.least_s = self._cold.after(sight.looks - FREE_LOOKS)
        self._open.put(sight.job_id, memory)
        wait_s = min(self._due(memory, sight.place) - sight.at, self._longest(memory))
        return max(self._for_now(wait_s), SHORTEST_WAIT_S)

    def hold(self, job_id: str, place: int, at: float) -> float:
        """Return 0 when a look that has fallen due is worth its request, or seconds to put it off."""
        memory = self._open.get(job_id)
        if memory is None:
            known_at, longest_s = self._held.setdefault(job_id, at), self.longest_wait_s
            hold_s = self._hold_first(place, known_at, at)
        else:
            known_at, longest_s = memory.at, self._longest(memory)
            hold_s = self._due(memory, place) - at
            if hold_s <= SHORTEST_HOLD_S and memory.status == PENDING and self._is_queued:
                hold_s = self._hold_queued(place, known_at, at) or 0.0
        # A clock that was set back would put everything off for as long.
        if at < known_at - 1.0:
            return 0.0
        hold_s = min(hold_s, known_at + longest_s - at)
        return self._for_now(hold_s) if hold_s > SHORTEST_HOLD_S else 0.0

    def forget(self, job_id: str) -> None:
        """Drop what is kept of a job; nothing happens when that is nothing."""
        self._open.drop(job_id)
        self._held.pop(job_id, None)
        self._said.pop(job_id, None)

    def chance(self, job_id: str, place: int, at: float) -> float:
        """Return the probability that the job has ended by ``at``, from the narrowest forecast."""
        memory = self._open.get(job_id)
        forecast = None if memory is None else self._forecast(memory, place)
        return 0.5 if memory is None or forecast is None else forecast.chance(at - memory.at)

    def expected_end(self, job_id: str, place: int) -> tuple[float, float, float] | None:
        """Return the first tenth, the middle and the last tenth of the forecast end, as Unix times."""
        memory = self._open.get(job_id)
        forecast = None if memory is None else self._forecast(memory, place)
        if memory is None or forecast is None:
            return None
        low, middle, high = (memory.at + forecast.quantile(share) for share in (0.1, 0.5, 0.9))
        return low, middle, high

    # What is learned

    def _date(self, sight: Sight, memory: Memory) -> None:
        """Tell how old the job is, and let go of what was learned while the pace was thought another."""
        newest = newest_time(sight)
        if newest is not None:
            if memory.status == PROCESSING and self._compare_clocks(sight, memory, newest):
                self._progress, self._front = Progress(), Front()
                self._said.clear()
                self._come_after.clear()
            memory.newest = newest
        memory.date(sight.at, self._clocks.span(sight), self._clocks.pace)

    def _compare_clocks(self, sight: Sight, memory: Memory, newest: float) -> bool:
        clocks, passed_s = self._clocks, sight.at - memory.at
        if sight.status == "processing":
            return clocks.compare(newest - memory.newest, passed_s)
        if sight.created_at is None or sight.ended_at is None:
            return False
        duration_s = sight.ended_at - sight.created_at
        return clocks.compare_end(memory.progress / 100, memory.span_s, duration_s, passed_s)

    def _remember(self, sight: Sight, memory: Memory) -> None:
        memory.at = sight.at
        memory.status, memory.kind = STATUSES.get(sight.status, 0), self._kinds.number(sight.document_type)
        progress = sight.progress or 0.0
        memory.progress = min(max(progress, 0.0), 100.0) if progress == progress else 0.0  # noqa: PLR0124  # NaN
        if not memory.first_progress and memory.progress > 0:
            memory.first_s, memory.first_progress = fitting(sight.at - memory.taken_at), memory.progress
        waits = memory.status == PENDING and memory.age(self._clocks.pace) > 2.0
        memory.has_waited = memory.has_waited or waits
        self._queued += 0.02 * (waits - self._queued)

    def _learn_end(self, sight: Sight, memory: Memory) -> None:
        pace, kind = self._clocks.pace, self._kinds.number(sight.document_type)
        born, end = memory.born(pace), sight.at
        if sight.created_at is not None and sight.ended_at is not None:
            end = min(sight.at, born + max(sight.ended_at - sight.created_at, 0.0) / pace)
        self._durations.learn(kind, (end - born) * pace)
        for rule, tenth, at, said_s in self._said.get(sight.job_id, ()):
            if rule == "front":
                self._front.learn_error(said_s - at, said_s, end)
            elif end > at:
                self._progress.learn_error(rule, tenth, said_s, end - at)
        if 0 < memory.progress < 100 and end > memory.at:
            service_s = (end - memory.at) / (1 - memory.progress / 100)
            self._progress.learn_service(kind, service_s)
            self._front.learn_start(sight.place, end - service_s)

    def _learn_on_the_way(self, sight: Sight, memory: Memory) -> None:
        """Hold what was said of the job before against what is said now, and keep that for its end."""
        now, place, said = memory.at, sight.place, []
        rules = self._rules(memory)
        service_s = self._progress.service_s(memory.kind) if rules else None
        if service_s is not None:
            self._front.learn_start(place, now - service_s * memory.progress / 100)
            for rule, _, left_s in rules:
                self._learn_drift(sight.job_id, rule, now, left_s)
        said = [(rule, tenth, now, left_s) for rule, tenth, left_s in rules]
        passes = self._front.passes(place) if self._is_queued else None
        if passes is not None:
            said.append(("front", 0, now, passes))
        # Of a large fleet, a part says enough.
        if said and place % (1 + len(self._open) // NOTED) == 0:
            noted = self._said.setdefault(sight.job_id, [])
            noted.extend(said)
            del noted[:-REMEMBERED]

    def _learn_drift(self, job_id: str, rule: str, now: float, left_s: float) -> None:
        for earlier, tenth, at, said_s in reversed(self._said.get(job_id, ())):
            if earlier == rule:
                if now - at > 0.2 * said_s:
                    self._progress.learn_drift(rule, tenth, said_s, now + left_s - at)
                return

    # What is forecast

    @property
    def _is_queued(self) -> bool:
        return self._queued > QUEUED_SHARE

    def _forecast(self, memory: Memory, place: int) -> Forecast | None:
        """Return the narrowest of the forecasts that apply, counted from the last look."""
        found: list[Forecast | None] = [self._progress.forecast(*rule) for rule in self._rules(memory)]
        if self._is_queued:
            found.append(self._front.remaining(place, memory.at, memory.at, self._progress.service))
        elif not memory.has_waited:
            pace = self._clocks.pace
            found.append(self._durations.remaining(memory.kind, memory.age(pace), pace))
        return min((one for one in found if one is not None), key=lambda one: one.width, default=None)

    def _rules(self, memory: Memory) -> list[tuple[str, int, float]]:
        if not 0 < memory.progress < 100 or not memory.first_progress:
            return []
        since_s = memory.at - memory.taken_at - memory.first_s
        return self._progress.rules(
            memory.kind,
            memory.progress,
            memory.age(self._clocks.pace),
            (since_s, memory.first_progress),
            has_waited=self._is_queued or memory.has_waited,
        )

    # When to look

    def _due(self, memory: Memory, place: int) -> float:
        """Return when to look, on our clock, by what is known of the job and, by now, of all others."""
        forecast = None if memory.is_firm else self._forecast(memory, place)
        if forecast is None:
            return memory.at + max(memory.guess_s or self._cold.start, memory.least_s)
        has_told = memory.status != PENDING and memory.progress >= 5
        insight = 1.0 if has_told else self._progress.insight()
        wait_s = forecast.wait_s(self.look_cost_s, insight) + MARGIN_S
        passes = self._front.passes(place) if memory.status == PENDING and self._is_queued else None
        if passes is not None and len(self._progress.service) >= ENOUGH:
            middle_s = 0.5 * self._progress.service.quantiles()[MIDDLE]
            wait_s = min(wait_s, max(passes - memory.at, 0.0) + middle_s)
        # Jobs that were taken up together shall not be asked after in the same instant.
        return memory.at + max(wait_s * (0.98 + 0.04 * (place * GOLDEN % 1.0)), memory.least_s)

    def _for_now(self, wait_s: float) -> float:
        """Return when to think again at the latest: that costs no request, and by then more is known."""
        again_s = max(ASKED_AGAIN_S, (len(self._open) + len(self._held)) / ASKED_PER_S)
        # A forecast is worth little while the pace of their clock is not known, and soon it is.
        is_near = not self._clocks.is_measured and 0 < self._probes < PROBES
        return min(wait_s, again_s if is_near else max(again_s, ASKED_AGAIN_SHARE * wait_s))

    def _longest(self, memory: Memory) -> float:
        return max(self.longest_wait_s, LONGEST_SHARE * (memory.at - memory.taken_at))

    # What to do while little is known

    def _is_probe(self, sight: Sight) -> bool:
        """Tell whether to look again soon whatever is forecast: their clock's pace is not known yet."""
        few = len(self._open) < 2 * SENTINEL_EVERY or sight.place % SENTINEL_EVERY == 0
        if not few or self._clocks.is_measured or self._probes >= PROBES or sight.status != "processing":
            return False
        self._probes += 1
        return True

    def _cold_wait(self, sight: Sight, memory: Memory) -> float:
        self._cold_looks += 1
        documented = self._cold.next_look(sight)
        if memory.is_firm or self._cold_looks % SENTINEL_EVERY == 0 or len(self._open) < 2 * SENTINEL_EVERY:
            return documented
        if self._is_queued and memory.status == PENDING:
            return self._cold.cap
        return max(documented, self._guess(memory.age(self._clocks.pace)))

    def _guess(self, age_s: float) -> float:
        forecast = GUESSED.remaining(None, age_s)
        guess = 0.5 * age_s if forecast is None else forecast.wait_s(self.look_cost_s, 0.6)
        return min(guess, self._cold.cap)

    def _hold_first(self, place: int, known_at: float, at: float) -> float:
        """Put the first look at a job off when jobs are known to come in new, with their time before them."""
        if self._is_queued:
            hold_s = self._hold_queued(place, known_at, at)
            if hold_s is not None:
                return hold_s
            is_sentinel = len(self._open) < 8 * SENTINEL_EVERY or place % SENTINEL_EVERY == 0
            return 0.0 if is_sentinel else known_at + self._cold.cap - at
        if not self._come_in_new():
            return 0.0
        forecast = self._durations.remaining(None, 0.0, self._clocks.pace)
        if forecast is not None:
            wait_s = forecast.wait_s(self.look_cost_s, self._progress.insight())
        else:
            wait_s = self._guess(0.0) if place % (2 * SENTINEL_EVERY) else 0.0
        return known_at + wait_s - at

    def _come_in_new(self) -> bool:
        late = sorted(self._come_after)
        return len(late) >= 2 * SENTINEL_EVERY and late[int(0.9 * len(late))] < 2.0

    def _hold_queued(self, place: int, known_at: float, at: float) -> float | None:
        """Plan again from when the job was last known to wait, with what the front has done since."""
        forecast = self._front.remaining(place, known_at, at, self._progress.service)
        if forecast is None:
            return None
        ahead_s = known_at + forecast.wait_s(self.look_cost_s, self._progress.insight()) - at
        # Half the way only: the front is better known the nearer it is.
        return ahead_s / 2 if ahead_s > 2.0 and not self._front.is_past(place, at) else 0.0

    def __repr__(self) -> str:
        return f"Adaptive(look_cost_s={self.look_cost_s:g}, longest_wait_s={self.longest_wait_s:g})"
