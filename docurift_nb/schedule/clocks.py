"""Two clocks: ours, and the service's, which may be off and need not run at our pace (a replay does not).

Only differences between the service's own times are used. How fast these pass here is measured on jobs
that are seen twice at work: the median over a few groups of looks of (seconds moved there) / (seconds
passed here), so that neither coarse steps of ``updatedAt`` nor a single wild time mislead it.
"""

import math
from collections import deque
from statistics import median

from docurift_nb.schedule.base import Sight

PAIRS, GROUPS, ENOUGH_PAIRS = 90, 3, 6
SHORTEST_GAP_S = 0.3
NOTICEABLE = math.log(1.25)


class Clocks:
    """What is known of the service's clock."""

    def __init__(self) -> None:
        self.pace = 1.0
        """Seconds that pass there while one passes here."""
        self._pairs: deque[tuple[float, float]] = deque(maxlen=PAIRS)
        self._lags: deque[float] = deque(maxlen=200)
        self._stands_still = False

    @property
    def is_measured(self) -> bool:
        """Tell whether the pace is more than an assumption."""
        return len(self._pairs) >= ENOUGH_PAIRS

    def compare(self, moved_s: float, passed_s: float) -> bool:
        """Take in how far a job at work has moved its times between looks; tell whether the pace changed."""
        if not (SHORTEST_GAP_S <= passed_s < math.inf and 0 <= moved_s < math.inf):
            return False
        self._pairs.append((moved_s, passed_s))
        measured = self._measured()
        self._stands_still = measured is not None and measured < 0.05
        if measured is None or self._stands_still:
            return False
        pace = 1.0 if abs(math.log(measured)) < NOTICEABLE else measured
        if abs(math.log(pace / self.pace)) < NOTICEABLE:
            return False
        self.pace = pace
        return True

    def compare_end(self, share: float, span_s: float, duration_s: float, passed_s: float) -> bool:
        """Take in that a job, at work ``passed_s`` ago, has ended since; tell whether the pace changed.

        It was reported to be done to a ``share`` when ``span_s`` of its ``duration_s`` had passed there.
        Where these two agree, its times move with the work, and the rest of them has passed there in
        ``passed_s`` or less.
        """
        agrees = duration_s > 0 and 0 < share < 0.8 and abs(span_s / duration_s - share) < 0.05
        if not agrees or duration_s - span_s < 1.8 * self.pace * passed_s:
            return False
        return self.compare(duration_s - span_s, passed_s)

    def span(self, sight: Sight) -> float:
        """Return how old the job was at a look by the service's own times, in its seconds; 0 if untold.

        Only where ``updatedAt`` does not move with the work do the clocks themselves have to be compared.
        """
        newest = newest_time(sight)
        if newest is None or sight.created_at is None:
            return 0.0
        self._lags.append(sight.at - newest)
        if self._stands_still:
            newest = max(newest, sight.at - min(self._lags))
        return max(newest - sight.created_at, 0.0)

    def _measured(self) -> float | None:
        pairs = list(self._pairs)
        if len(pairs) < ENOUGH_PAIRS:
            return None
        groups = [pairs[i::GROUPS] for i in range(GROUPS)]
        pace = median(sum(m for m, _ in group) / sum(p for _, p in group) for group in groups)
        # A few looks at times that move in steps are easily off by half: only much more is believed at once.
        return 1.0 if len(pairs) < PAIRS // 2 and 0.55 < pace < 1.8 else pace


def newest_time(sight: Sight) -> float | None:
    """Return the latest of the service's times in an answer."""
    times = (sight.created_at, sight.updated_at, sight.ended_at)
    return max((time for time in times if time is not None), default=None)
