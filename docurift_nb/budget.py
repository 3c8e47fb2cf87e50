"""One request budget per key and process: who may ask now, and when the next may.

Every client and watch of a process that uses the same key at the same host draws on one `Budget`. It
starts without a limit (or at ``max_rate``) and learns the allowed rate from refusals: a 429 blocks
everybody for ``Retry-After`` seconds, or for a growing wait where the server gives no hint. Afterwards
the rate follows the cubic curve that TCP CUBIC uses (RFC 9438) on a fixed time scale: it resumes at 70 %
of the rate that was refused, is back at it after 30 s, and probes beyond it from then on, so that a
steady limit costs about one refusal a minute and a raised limit is found by itself. What nobody used
proves nothing: after an idle stretch the probing starts anew from the rate that was refused.

It knows nothing of HTTP: callers report what happened.
"""

import random
import threading
import time
import weakref
from collections.abc import Callable

from docurift_nb.errors import ConfigError, show

RECOVERY_S = 30.0
CUT = 0.3
SLOWEST_RATE = 1 / 600
LONGEST_BLOCK_S = 24 * 3600.0
LONGEST_GUESS_S = 60.0
IDLE_S = 1.0


class Budget:
    """Spaces the requests of one key. Thread-safe; lives as long as somebody uses it.

    Over any window of W seconds at most ``rate * (W + burst_s) + 1`` requests are granted, with the highest
    rate that held in it.

    Parameters
    ----------
    max_rate : float, optional
        Requests per second that are never exceeded.
    burst_s : float
        How many seconds of unused allowance may be caught up, so that a late thread loses nothing.
    clock : callable
        Seconds that never run backwards.
    seed : int, optional
        Makes the waits without a server's hint repeatable.
    """

    def __init__(
        self,
        *,
        max_rate: float | None = None,
        burst_s: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
        seed: int | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311  # spreads requests, guards no secret
        self._burst_s = burst_s
        self._max_rate: float | None = None
        self._refused_rate: float | None = None
        self._curve_from = self._counted_from = clock()
        self._blocked_until = -float("inf")
        self._spent_until = clock() - burst_s
        self._answers = 0
        self._in_a_row = 0
        self._epoch = 0
        self.cap(max_rate)

    def cap(self, max_rate: float | None) -> None:
        """Never exceed ``max_rate`` requests per second from now on; the lowest cap given wins.

        Raises
        ------
        ConfigError
            When it is not a positive number.
        """
        if max_rate is None:
            return
        if not _is_above_0(max_rate):
            raise ConfigError(
                what="max_rate cannot be used", expected="requests per second above 0", got=show(max_rate)
            )
        with self._lock:
            self._max_rate = max_rate if self._max_rate is None else min(max_rate, self._max_rate)

    @property
    def rate(self) -> float:
        """Requests per second allowed now, as far as is known; ``inf`` while nothing limits them."""
        with self._lock:
            now = self._clock()
            self._settle(now)
            return self._rate(now)

    @property
    def blocked_s(self) -> float:
        """Seconds for which nobody may ask because of a refusal; 0 when not blocked."""
        with self._lock:
            return max(0.0, self._blocked_until - self._clock())

    def take(self) -> float:
        """Spend one request if one is free: return 0.0, or else seconds after which to try again."""
        with self._lock:
            now = self._clock()
            if now < self._blocked_until:
                return self._blocked_until - now
            self._settle(now)
            free_at = self._free_at(now)
            if free_at > now:
                return free_at - now
            self._spent_until = max(free_at, now - self._burst_s)
            return 0.0

    @property
    def epoch(self) -> int:
        """Which stretch between refusals this is; note it before asking, hand it to ``refused``."""
        return self._epoch

    def answered(self) -> None:
        """Report an answer that was not a 429."""
        with self._lock:
            self._answers += 1
            self._in_a_row = 0

    def refused(self, epoch: int, retry_after: float | None = None) -> None:
        """Report a 429 for a request made in ``epoch``.

        Requests that were in flight together are refused together; only the first of them counts, the
        others can merely lengthen the block.
        """
        with self._lock:
            now = self._clock()
            # While blocked nobody is granted a request: what is refused then was granted before the block.
            first = epoch == self._epoch and now >= self._blocked_until
            if first:
                self._learn(now)
            if first or retry_after is not None:
                wait = self._guess() if retry_after is None else min(max(retry_after, 0), LONGEST_BLOCK_S)
                self._blocked_until = max(self._blocked_until, now + wait)

    def _free_at(self, now: float) -> float:
        # From the rate of now, not of the last request: a wait must not outlast the slowness it came from.
        return self._spent_until + 1 / self._rate(now)

    def _settle(self, now: float) -> None:
        """After an idle stretch start counting anew: what was served before says nothing of the limit."""
        slowest = min(self._refused_rate or float("inf"), self._max_rate or float("inf"))
        used_at = max(self._spent_until + self._burst_s, self._blocked_until)
        if now - used_at > IDLE_S + 1 / slowest:
            self._counted_from = now
            self._answers = 0
            self._curve_from = max(self._curve_from, now - RECOVERY_S)

    def _learn(self, now: float) -> None:
        """Set the refused rate to what was really served since the last refusal."""
        if not self._is_stray(now):
            self._refused_rate = max(self._served(now), SLOWEST_RATE)
            self._curve_from = now
        self._counted_from = now
        self._answers = 0
        self._in_a_row += 1
        self._epoch += 1

    def _served(self, now: float) -> float:
        if self._answers:
            return self._answers / max(now - self._counted_from, 1.0)
        return (self._refused_rate if self._refused_rate is not None else 1.0) / 2

    def _is_stray(self, now: float) -> bool:
        """Tell whether a refusal says nothing of the rate: it came well below one that was served before.

        A limit that has really been lowered refuses again within two seconds' worth, and that counts.
        Without this rule refusals that come at random, whatever the rate, would push it down to nothing.
        """
        rate = self._rate(now)
        if self._refused_rate is None or rate >= 0.9 * self._refused_rate:
            return False
        return self._answers >= max(3.0, 2.0 * rate)

    def _guess(self) -> float:
        wait = min(2.0 ** min(self._in_a_row - 1, 6), LONGEST_GUESS_S)
        return wait + self._random.uniform(0.0, 0.5)

    def _rate(self, now: float) -> float:
        limit = float("inf") if self._max_rate is None else self._max_rate
        if self._refused_rate is None:
            return limit
        since = max(now - max(self._curve_from, self._blocked_until), 0.0)
        growth = 1 + CUT * ((since - RECOVERY_S) / RECOVERY_S) ** 3
        return min(limit, max(self._refused_rate * growth, SLOWEST_RATE))


def _is_above_0(value: float) -> bool:
    try:
        return value > 0
    except TypeError:
        return False


_budgets: "weakref.WeakValueDictionary[str, Budget]" = weakref.WeakValueDictionary()
_budgets_lock = threading.Lock()


def shared_budget(identity: str, max_rate: float | None = None) -> Budget:
    """Return the process's budget for ``identity``, made at first use, with ``max_rate`` applied.

    ``identity`` names a host and a key without revealing the key (a digest).
    """
    with _budgets_lock:
        budget = _budgets.get(identity)
        if budget is None:
            budget = _budgets[identity] = Budget()
    budget.cap(max_rate)
    return budget
