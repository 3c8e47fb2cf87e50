"""When fault scripts strike."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.sandbox.faults import Fault, FaultKind, Faults


def test_nothing_strikes_unless_switched_on() -> None:
    """Without scripts no answer is spoiled."""
    assert Faults().draw("a") is None


def test_a_switch_strikes_until_it_is_off() -> None:
    """A script strikes in its with block and no longer; switching off twice is fine."""
    faults = Faults()
    with faults.on("hang") as switch:
        assert faults.draw("a") == Fault(FaultKind.HANG)
        assert repr(switch) == "<FaultSwitch hang: probability 1, 1 hits>"
    switch.off()
    assert not faults.active
    assert faults.draw("a") is None


def test_a_counted_switch_ends_itself() -> None:
    """A limited script strikes exactly as often as it may."""
    faults = Faults()
    switch = faults.on("503", count=2)
    assert [faults.draw("a") is not None for _ in range(4)] == [True, True, False, False]
    assert switch.hits == 2
    assert faults.active == ()


def test_a_switch_knows_whether_it_is_on() -> None:
    """It is on from switching on to switching off."""
    switch = Faults().on("hang")
    states = [switch.is_on]
    switch.off()
    states.append(switch.is_on)
    assert states == [True, False]


def test_a_filtered_switch_strikes_its_jobs_only() -> None:
    """With a job filter other jobs are spared, and do not use up the count."""
    faults = Faults()
    faults.on("reset", job_ids=["a"], count=1)
    assert faults.draw("b") is None
    assert faults.draw("a") is not None


def test_scripts_are_tried_in_order() -> None:
    """With several on, the first that strikes wins; off() ends them all."""
    faults = Faults()
    faults.on("hang", count=1)
    faults.on("reset")
    assert [fault.kind for _ in range(2) if (fault := faults.draw("a"))] == ["hang", "reset"]
    faults.off()
    assert faults.draw("a") is None


def test_everything_strikes_with_its_total_probability() -> None:
    """All kinds at once strike the share asked for, each about equally often, but for the spared."""
    faults = Faults(seed=2)
    faults.everything(0.5, without=["hang"])
    drawn = Counter(str(fault.kind) if fault else None for fault in (faults.draw("a") for _ in range(4200)))
    assert drawn[None] == pytest.approx(2100, rel=0.1)
    assert drawn.keys() - {None} == set(FaultKind) - {"hang"}
    assert all(drawn[kind] == pytest.approx(100, abs=40) for kind in drawn.keys() - {None})


@given(seed=st.integers(), probability=st.floats(0, 1))
def test_the_same_seed_strikes_the_same_answers(seed: int, probability: float) -> None:
    """Draws are a function of the seed."""
    draws = []
    for _ in range(2):
        faults = Faults(seed=seed)
        faults.everything(probability)
        draws.append([faults.draw("a") for _ in range(20)])
    assert draws[0] == draws[1]


def test_faults_strike_only_where_they_make_sense() -> None:
    """An unknown status needs a running job, a wrong id a known one."""
    faults = Faults()
    faults.on("unknown-status")
    assert faults.draw("a", running=False) is None
    assert faults.draw("a", running=True) is not None
    faults.off()
    faults.on("wrong-id")
    assert faults.draw("a", known=False, running=False) is None
    assert faults.draw("a", known=True, running=False) is not None


def test_mistakes_are_refused_with_what_is_expected() -> None:
    """Unknown kinds, impossible shares, counts and a bare id fail at the call."""
    faults = Faults()
    with pytest.raises(ValueError, match=r"fault kind: expected one of 429, .* got 'hangs'"):
        faults.on("hangs")
    with pytest.raises(ValueError, match="probability: expected a share"):
        faults.on("hang", probability=2)
    with pytest.raises(ValueError, match="count: expected at least 1"):
        faults.on("hang", count=0)
    with pytest.raises(ValueError, match="at least one kind"):
        faults.on()
    with pytest.raises(TypeError, match="job_ids: expected a collection"):
        faults.on("hang", job_ids="job_1")
