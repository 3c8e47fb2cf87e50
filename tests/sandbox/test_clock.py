"""The clock that can be moved and held."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.sandbox.clock import Clock, seeded


class Ticks:
    """A source of seconds that moves when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def read(self) -> float:
        """Tell the seconds so far."""
        return self.seconds


def test_clock_runs_with_its_source() -> None:
    """The clock shows its start plus what the source counted since."""
    ticks = Ticks()
    clock = Clock(start=datetime(2024, 1, 27, tzinfo=UTC), source=ticks.read)
    ticks.seconds += 90
    assert clock.now() == datetime(2024, 1, 27, 0, 1, 30, tzinfo=UTC).timestamp()


def test_held_clock_moves_only_when_advanced() -> None:
    """A held clock ignores its source, follows advance, and goes on from there."""
    ticks = Ticks()
    clock = Clock(source=ticks.read)
    clock.hold()
    held_at = clock.now()
    ticks.seconds += 10
    clock.advance(3)
    assert clock.now() == held_at + 3
    clock.run()
    ticks.seconds += 1
    assert clock.now() == held_at + 4


def test_hold_and_run_are_idempotent() -> None:
    """Holding a held clock and running a running one change nothing."""
    ticks = Ticks()
    clock = Clock(source=ticks.read)
    clock.run()
    clock.hold()
    ticks.seconds += 5
    clock.hold()
    began = clock.now()
    clock.run()
    clock.run()
    assert clock.now() == began


@given(st.lists(st.tuples(st.sampled_from(["tick", "advance", "hold", "run"]), st.floats(0, 1e6))))
def test_clock_never_goes_back(steps: list[tuple[str, float]]) -> None:
    """Whatever is done to a clock, it never shows less than before."""
    ticks = Ticks()
    clock = Clock(source=ticks.read)
    shown = [clock.now()]
    for name, seconds in steps:
        if name == "tick":
            ticks.seconds += seconds
        elif name == "advance":
            clock.advance(seconds)
        else:
            getattr(clock, name)()
        shown.append(clock.now())
    assert shown == sorted(shown)


def test_clock_refuses_to_go_back() -> None:
    """A negative advance is an error that says what is expected."""
    with pytest.raises(ValueError, match=r"only moves forwards: expected seconds >= 0, got -1"):
        Clock().advance(-1)


def test_clock_refuses_a_naive_start() -> None:
    """A start without a time zone is an error that says what to add."""
    with pytest.raises(ValueError, match=r"tzinfo=datetime\.UTC"):
        Clock(start=datetime(2024, 1, 1))  # noqa: DTZ001 -- the mistake under test


def test_seeded_depends_on_its_parts_alone() -> None:
    """Equal parts give equal sequences, different parts different ones."""
    assert seeded(1, "a").random() == seeded(1, "a").random()
    assert seeded(1, "a").random() != seeded(1, "b").random()
