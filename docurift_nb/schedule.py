"""When to look at a job again: arithmetic over what was seen, with no clock and no sleep.

A schedule turns a `Sight` (what one look brought) into seconds until the next look. It knows nothing of
requests, budgets or threads, so the same object can drive a watch, a blocking wait or a simulation.
"""

import math
import random
from typing import Protocol, runtime_checkable

import msgspec

from docurift_nb.errors import ConfigError, did_you_mean, show


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule may know of a job after a look that brought an answer.

    Attributes
    ----------
    job_id : str
    status : str
        The service's word.
    progress : float or None
        Percent, 0 to 100.
    document_type : str or None
    looks : int
        Answers seen so far, this one included; at least 1.
    watched_s : float
        Seconds since the watch took the job up.
    is_final : bool
        Completed or failed: nothing is left to plan, but there is something to learn.
    """

    job_id: str
    status: str
    progress: float | None = None
    document_type: str | None = None
    looks: int = 1
    watched_s: float = 0.0
    is_final: bool = False


@runtime_checkable
class Schedule(Protocol):
    """Anything with ``next_look``; it is called from one thread only."""

    def next_look(self, sight: Sight) -> float:
        """Return seconds (> 0) until the next look; the value for a final sight is not used."""
        ...


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
        _demand(start > 0, "start", "seconds above 0", start)
        _demand(1 <= factor < math.inf, "factor", "a growth of at least 1", factor)
        _demand(start <= cap < math.inf, "cap", f"seconds, at least start ({start:g} s)", cap)
        _demand(0 <= jitter < 1, "jitter", "a share from 0 up to but not including 1", jitter)
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
        _demand(0 < scale < math.inf, "scale", "a factor above 0", scale)
        self.scale = scale
        self._random = random.Random(seed)  # noqa: S311  # spreads requests, guards no secret

    def after(self, failures: int) -> float:
        """Return seconds to wait after the given number of failures in a row."""
        doublings = min(max(failures, 1) - 1, 6)
        return self.scale * (min(2.0**doublings, 60.0) + self._random.uniform(0.0, 0.5))


_BY_NAME = {"backoff": Backoff}


def named_schedule(schedule: "str | Schedule") -> Schedule:
    """Return the schedule of that name, or the given one as it is.

    Raises
    ------
    ConfigError
        When there is no such name, or the object has no ``next_look``.
    """
    if isinstance(schedule, str):
        if schedule in _BY_NAME:
            return _BY_NAME[schedule]()
        raise ConfigError(
            what="there is no schedule of that name",
            expected=" or ".join(map(repr, _BY_NAME)),
            got=repr(schedule),
            advice=did_you_mean(schedule, _BY_NAME).rstrip("?"),
        )
    given: object = schedule
    if isinstance(given, Schedule) and not isinstance(given, type):
        return given
    raise ConfigError(
        what="the schedule cannot be used",
        expected="a name or an object with next_look(sight) -> seconds",
        got=f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__,
    )


def next_wait(schedule: Schedule, sight: Sight) -> float:
    """Return ``schedule.next_look(sight)``, seconds, once it is known to be a wait.

    Raises
    ------
    ConfigError
        When it is no number above 0: without a pause between looks, a service is flooded.
    """
    wait = schedule.next_look(sight)
    try:
        if 0 < wait < math.inf:
            return wait
    except TypeError:
        pass
    raise ConfigError(
        what="the schedule cannot be used", job_id=sight.job_id, expected="a wait above 0 s", got=show(wait)
    )


def _demand(holds: bool, name: str, expected: str, got: float) -> None:  # noqa: FBT001  # a condition
    if not holds:
        raise ConfigError(what=f"{name!r} cannot be used", expected=expected, got=repr(got))
