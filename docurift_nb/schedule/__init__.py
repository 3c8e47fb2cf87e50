"""When to look at a job again: arithmetic over what was seen, with no clock and no sleep.

A schedule turns a `Sight` (what one look brought) into seconds until the next look. It knows nothing of
requests, budgets or threads, so the same object can drive a watch, a blocking wait or a simulation of a
million looks. `Backoff` is the documented policy. `Adaptive` learns from the fleet (its method:
``adaptive``): ``samples`` hold what was measured, ``forecasts`` say from it when a job may be over,
``lookahead`` finds the look that costs least, ``clocks`` reconcile the service's clock with ours.
"""

from docurift_nb.schedule.adaptive import Adaptive
from docurift_nb.schedule.backoff import Backoff, ErrorBackoff
from docurift_nb.schedule.base import Ranks, Reconsiders, Schedule, Sight
from docurift_nb.schedule.choice import named_schedule, next_wait

__all__ = [
    "Adaptive",
    "Backoff",
    "ErrorBackoff",
    "Ranks",
    "Reconsiders",
    "Schedule",
    "Sight",
    "named_schedule",
    "next_wait",
]
