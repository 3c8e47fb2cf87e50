import math
from typing import Any

import pytest

from docurift_nb.errors import ConfigError
from docurift_nb.schedule import Adaptive, Backoff, Schedule, Sight, named_schedule, next_wait

SIGHT = Sight(job_id="job_1", status="processing")


class Fixed:
    """A schedule of somebody's own."""

    def __init__(self, wait: object) -> None:
        self.wait = wait

    def next_look(self, _: Sight) -> Any:  # noqa: ANN401  # wrong types are part of the point
        """Return what it was given."""
        return self.wait


def test_a_schedule_goes_by_name() -> None:
    """Each call makes a fresh one."""
    one, other = named_schedule("backoff"), named_schedule("backoff")

    assert isinstance(one, Backoff)
    assert one is not other
    assert isinstance(named_schedule("adaptive"), Adaptive)


def test_a_schedule_of_one_s_own_is_taken_as_it_is() -> None:
    """Anything with next_look will do."""
    own = Fixed(3.0)

    assert isinstance(own, Schedule)
    assert named_schedule(own) is own
    assert next_wait(own, SIGHT) == 3.0


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """Names are few; the error lists them too."""
    with pytest.raises(ConfigError, match=r"expected 'adaptive' or 'backoff'.*got 'backof'.*mean 'backoff'"):
        named_schedule("backof")


@pytest.mark.parametrize(
    ("schedule", "got"), [(3, "int"), (None, "NoneType"), (Backoff, "the class Backoff"), (max, "builtin")]
)
def test_what_is_no_schedule_is_refused(schedule: Any, got: str) -> None:  # noqa: ANN401  # wrong types are the point
    """A class is not an object of it."""
    with pytest.raises(ConfigError, match=f"next_look.*got {got}"):
        named_schedule(schedule)


@pytest.mark.parametrize("wait", [0, -1.0, math.nan, math.inf, None, "1", [1]])
def test_what_is_no_wait_is_refused(wait: object) -> None:
    """The error names the job and shows what came."""
    with pytest.raises(ConfigError, match=r"job_1.*expected a wait above 0 s") as caught:
        next_wait(Fixed(wait), SIGHT)

    assert caught.value.got == repr(wait)
