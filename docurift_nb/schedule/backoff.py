"""The documented policy, exactly, and the documented retry after errors."""

import math
import random

from docurift_nb.errors import ConfigError
from docurift_nb.schedule.base import Sight


class Backoff:
    """The documented policy: 1 s, then x1.5 after each look, never above 10 s.

    Parameters
    ----------
    start, factor, cap : float
        First wait in seconds, growth per look, longest wait in seconds.
    jitter : float
        Each wait is drawn evenly from ``wait * (1 - jitter)`` to ``wait * (1 + jitter)``, so that jobs
        taken up together do not keep step; the mean, and so the number of requests, stays as documented.
    seed : int, optional
        Makes the draws repeatable.

    Raises
    ------
    ConfigError
        When a value is outside its range.

    Examples
    --------
    >>> exact = Backoff(jitter=0)
    >>> [exact.after(looks) for looks in (1, 2, 3, 7)]
    [1.0, 1.5, 2.25, 10.0]
    """

    def __init__(
        self,
        *,
        start: float = 1.0,
        factor: float = 1.5,
        cap: float = 10.0,
        jitter: float = 0.1,
        seed: int | None = None,
    ) -> None:
        demand(start > 0, "start", "seconds above 0", start)
        demand(1 <= factor < math.inf, "factor", "a growth of at least 1", factor)
        demand(start <= cap < math.inf, "cap", f"seconds, at least start ({start:g} s)", cap)
        demand(0 <= jitter < 1, "jitter", "a share from 0 up to but not including 1", jitter)
        self.start, self.factor, self.cap, self.jitter = start, factor, cap, jitter
        self._random = random.Random(seed)  # noqa: S311  # spreads requests, guards no secret

    def next_look(self, sight: Sight) -> float:
        """Return the jittered wait after ``sight.looks`` answers, in seconds."""
        return self.after(sight.looks) * self._random.uniform(1 - self.jitter, 1 + self.jitter)

    def after(self, looks: int) -> float:
        """Return the wait after the given number of answers, without jitter, in seconds."""
        try:
            return min(self.start * float(self.factor) ** (max(looks, 1) - 1), self.cap)
        except OverflowError:
            return self.cap

    def __repr__(self) -> str:
        return f"Backoff(start={self.start:g}, factor={self.factor:g}, cap={self.cap:g})"


class ErrorBackoff:
    """The documented retry after errors: 1 s, x2, never above 60 s, plus up to 0.5 s at random.

    Parameters
    ----------
    scale : float
        Multiplies every wait; 1 is the documented policy.
    seed : int, optional
        Makes the draws repeatable.
    """

    def __init__(self, *, scale: float = 1.0, seed: int | None = None) -> None:
        demand(0 < scale < math.inf, "scale", "a factor above 0", scale)
        self.scale = scale
        self._random = random.Random(seed)  # noqa: S311  # spreads requests, guards no secret

    def after(self, failures: int) -> float:
        """Return seconds to wait after the given number of failures in a row."""
        doublings = min(max(failures, 1) - 1, 6)
        return self.scale * (min(2.0**doublings, 60.0) + self._random.uniform(0.0, 0.5))


def demand(holds: bool, name: str, expected: str, got: float) -> None:  # noqa: FBT001  # a condition
    """Refuse a parameter that is outside its range."""
    if not holds:
        raise ConfigError(what=f"{name!r} cannot be used", expected=expected, got=repr(got))
