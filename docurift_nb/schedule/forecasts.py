r"""When will it be over: forecasts that learn from every finished job how wrong they were.

Three views of one question, each as equally likely seconds until the end. `Durations` knows how long jobs
of a type take. `Progress` carries the reported percentage forward. `Front` follows the front of a queue.
None is trusted: each keeps the errors of its own past forecasts, and its next one is spread like these:
where :math:`q_1 \dots q_n` are quantiles of earlier (true / said), a forecast of :math:`s` seconds stands
for the equally likely :math:`s q_1 \dots s q_n`.
"""

import math
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import NamedTuple

from docurift_nb.schedule.lookahead import best_look
from docurift_nb.schedule.samples import N_QUANTILES, Samples, normal_quantiles, spread_evenly

ENOUGH = 6
DOUBT = tuple(math.exp(quantile) for quantile in normal_quantiles(0.5))
"""By what factor a forecast may be off, while nothing is known of its errors."""

MIDDLE = N_QUANTILES // 2


class Forecast(NamedTuple):
    """Equally likely seconds until the end: ``value * scale + shift`` for each of ``values``, ascending."""

    values: tuple[float, ...]
    scale: float = 1.0
    shift: float = 0.0

    @property
    def width(self) -> float:
        """The seconds between the first and the last tenth: how little it knows."""
        return self.scale * (self._share(0.9) - self._share(0.1))

    def quantile(self, share: float) -> float:
        """Return the seconds by which the job has ended with the probability ``share``."""
        return self._share(share) * self.scale + self.shift

    def chance(self, within_s: float) -> float:
        """Return the probability that the job ends within so many seconds."""
        return bisect_right(self.values, (within_s - self.shift) / self.scale) / len(self.values)

    def wait_s(self, look_cost_s: float, insight: float) -> float:
        """Return the seconds after which a look costs least, see ``lookahead``."""
        # In steps, so that the answer is mostly known: the best policy hardly changes within a tenth.
        cost = math.exp(0.1 * round(10 * math.log(look_cost_s / self.scale)))
        index = best_look(self.values, cost, round(insight, 1))
        return self.values[index] * self.scale + self.shift

    def _share(self, share: float) -> float:
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]


class Durations:
    """How long jobs take from creation to end, by kind of document, on the service's clock."""

    def __init__(self) -> None:
        self._by_kind: defaultdict[int | None, Samples] = defaultdict(lambda: Samples(400))
        self._rests: dict[tuple[int | None, int, int], tuple[float, ...]] = {}

    def learn(self, kind: int, duration_s: float) -> None:
        """Take in one finished job."""
        self._by_kind[kind].add(duration_s)
        self._by_kind[None].add(duration_s)

    def remaining(self, kind: int | None, age_s: float, pace: float = 1.0) -> Forecast | None:
        """Return the time left of a job of this age; None where too few comparable jobs have finished.

        ``age_s`` and the forecast are in our seconds, of which ``pace`` of the service's make up one.
        """
        own = self._by_kind.get(kind)
        if own is None or len(own) < ENOUGH:
            own, kind = None, None
        samples = own or self._by_kind[None]
        if len(samples) < ENOUGH:
            return None
        ordered = samples.ordered()
        n_passed = bisect_right(ordered, age_s * pace)
        n_left = len(ordered) - n_passed
        # What outlives most of the others' jobs is not like them: a type of which none has finished yet.
        if n_left < 4 or (own is None and n_left < 0.3 * len(ordered)):
            return None
        return Forecast(self._rest(kind, samples, n_passed), 1.0 / pace, -age_s)

    def _rest(self, kind: int | None, samples: Samples, n_passed: int) -> tuple[float, ...]:
        ordered, key = samples.ordered(), (kind, samples.version, n_passed)
        rest = self._rests.get(key)
        if rest is None:
            if len(self._rests) >= 1_000:
                self._rests.clear()
            left = ordered[n_passed:]
            rest = self._rests[key] = spread_evenly(left) if len(left) > N_QUANTILES else tuple(left)
        return rest


class Progress:
    """Carries the reported percentage forward, by three rules that are each corrected by their errors.

    ``from_creation`` assumes that progress runs evenly since the job was created, ``from_first`` since it
    was first seen above 0, ``from_service`` that the job takes as long in processing as others of its type.
    """

    def __init__(self) -> None:
        self._errors: defaultdict[tuple[str, int | None], Samples] = defaultdict(Samples)
        self._drift: defaultdict[tuple[str, int], Samples] = defaultdict(Samples)
        self._service: defaultdict[int, Samples] = defaultdict(Samples)
        self.service = Samples()
        """Seconds in processing, over all types."""

    def rules(
        self,
        kind: int,
        progress: float,
        age_s: float,
        first: tuple[float, float],
        *,
        has_waited: bool,
    ) -> list[tuple[str, int, float]]:
        """Return ``(rule, tenth, seconds left)`` for each rule that applies.

        ``first`` is how long ago progress was first seen above 0, and how high it was then. A job that
        ``has_waited`` in a queue has not been moving since its creation.
        """
        # Reports are whole per cents, mostly rounded down: half of one is missing on average.
        done, left, tenth = progress + 0.5, max(99.5 - progress, 0.25), int(progress // 10)
        found = [] if has_waited else [("from_creation", tenth, age_s * left / done)]
        since_s, first_progress = first
        if progress - first_progress >= 5 and since_s > 0:
            found.append(("from_first", tenth, since_s * left / (progress - first_progress)))
        service_s = self.service_s(kind)
        # A job that has moved for longer than its like take is not like them.
        if service_s is not None and since_s < service_s:
            found.append(("from_service", tenth, service_s * left / 100))
        return [rule for rule in found if rule[2] > 0]

    def service_s(self, kind: int) -> float | None:
        """Return the median seconds in processing of a kind; None where it is not known."""
        service = self._service.get(kind)
        return service.quantiles()[MIDDLE] if service is not None and len(service) >= ENOUGH else None

    def learn_service(self, kind: int, service_s: float) -> None:
        """Take in how long one job was in processing."""
        self._service[kind].add(service_s)
        self.service.add(service_s)

    def learn_error(self, rule: str, tenth: int, said_s: float, was_s: float) -> None:
        """Take in how far off a forecast was, once the end is known."""
        if said_s > 0 and was_s > 0:
            error = was_s / said_s
            self._errors[rule, tenth].add(error)
            self._errors[rule, None].add(error)

    def learn_drift(self, rule: str, tenth: int, said_s: float, says_s: float) -> None:
        """Take in how far a rule has corrected itself between two looks at a job that is not over yet."""
        if said_s > 0 and says_s > 0:
            self._drift[rule, tenth].add(math.log(says_s / said_s))

    def forecast(self, rule: str, tenth: int, left_s: float) -> Forecast:
        """Return what a rule says, spread like its errors."""
        return Forecast(self._error_quantiles(rule, tenth), left_s)

    def insight(self) -> float:
        """Return the share of uncertainty that is left after progress was seen; 1 while that is unknown."""
        errors = self._errors["from_creation", None]
        if len(errors) < ENOUGH:
            return 1.0
        quantiles = errors.quantiles()
        return min(1.0, math.log(quantiles[int(0.8 * N_QUANTILES)] / quantiles[int(0.2 * N_QUANTILES)]))

    def _error_quantiles(self, rule: str, tenth: int) -> tuple[float, ...]:
        for key in ((rule, tenth), (rule, None)):
            errors = self._errors.get(key)
            if errors is not None and len(errors) >= ENOUGH:
                return errors.quantiles()
        drift = self._drift.get((rule, tenth))
        if drift is None or len(drift) < ENOUGH:
            return DOUBT
        # A rule that agrees with itself may still be off: its own drift is widened, never trusted as is.
        tilt = 0.04 / N_QUANTILES
        return tuple(math.exp(1.3 * d + tilt * (i - MIDDLE)) for i, d in enumerate(drift.quantiles()))


class Front:
    """The front of a queue: which place in the fleet is being taken up, and how fast it moves.

    A straight line is fitted (least squares) through the newest jobs whose start is known or was
    estimated: place in the watch against time of start.
    """

    def __init__(self) -> None:
        self._starts: deque[tuple[int, float]] = deque(maxlen=80)
        self._errors: defaultdict[int | None, Samples] = defaultdict(Samples)
        self._line: tuple[float, float, float] | None = None
        self._is_new = False

    def learn_start(self, place: int, at: float) -> None:
        """Take in when the job at ``place`` was taken up."""
        self._starts.append((place, at))
        self._is_new = True

    def passes(self, place: int) -> float | None:
        """Return when the front passes ``place``; None while it is not known to move."""
        if self._is_new:
            self._is_new, self._line = False, _fitted(self._starts)
        if self._line is None:
            return None
        mean_place, mean_at, pace = self._line
        return mean_at + (place - mean_place) * pace

    def is_past(self, place: int, now: float) -> bool:
        """Tell whether the front has passed ``place``, as far as is known."""
        at = self.passes(place)
        return at is not None and at <= now

    def learn_error(self, distance_s: float, said: float, was: float) -> None:
        """Take in how long after the front's forecast passing a job ended, by how far off that was."""
        self._errors[_reach(distance_s)].add(was - said)
        self._errors[None].add(was - said)

    def remaining(self, place: int, since: float, now: float, service: Samples) -> Forecast | None:
        """Return the time left, counted from ``since``, of the job at ``place`` that was not over then.

        It is told with what is known ``now``. None where that is too little. While the front's own errors are
        unknown, ``service``, the times in processing, stands in for them.
        """
        at = self.passes(place)
        if at is None:
            return None
        for errors in (self._errors[_reach(at - now)], self._errors[None], service):
            if len(errors) >= ENOUGH:
                break
        else:
            return None
        quantiles = errors.quantiles()
        ahead = quantiles[bisect_right(quantiles, since - at) :]
        return Forecast(ahead, 1.0, at - since) if len(ahead) >= 3 else None


def _reach(distance_s: float) -> int:
    return sum(distance_s >= bound for bound in (3, 10, 30))


def _fitted(starts: Sequence[tuple[int, float]]) -> tuple[float, float, float] | None:
    n = len(starts)
    if n < 8:
        return None
    mean_place = sum(place for place, _ in starts) / n
    mean_at = sum(at for _, at in starts) / n
    spread = sum((place - mean_place) ** 2 for place, _ in starts)
    together = sum((place - mean_place) * (at - mean_at) for place, at in starts)
    return (mean_place, mean_at, together / spread) if spread > 0 and together > 0 else None
