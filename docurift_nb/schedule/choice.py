"""A schedule by its name, and the check of what a schedule answers."""

import math
from collections.abc import Callable

from docurift_nb.errors import ConfigError, did_you_mean, show
from docurift_nb.schedule.adaptive import Adaptive
from docurift_nb.schedule.backoff import Backoff
from docurift_nb.schedule.base import Schedule, Sight

BY_NAME: dict[str, Callable[[], Schedule]] = {"adaptive": Adaptive, "backoff": Backoff}


def named_schedule(schedule: "str | Schedule") -> Schedule:
    """Return the schedule of that name, or the given one as it is.

    Raises
    ------
    ConfigError
        When there is no such name, or the object has no ``next_look``.
    """
    if isinstance(schedule, str):
        if schedule in BY_NAME:
            return BY_NAME[schedule]()
        raise ConfigError(
            what="there is no schedule of that name",
            expected=" or ".join(map(repr, BY_NAME)),
            got=repr(schedule),
            advice=did_you_mean(schedule, BY_NAME).rstrip("?"),
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
