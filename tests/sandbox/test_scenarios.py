"""Distributions of outcomes."""

import random
from collections import Counter
from statistics import fmean, median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.sandbox.scenarios import Confidence, Document, Failure, Scenario, Script

RATES = st.floats(0, 1)
ONE_FAILURE = Failure(code="X", step="s", retryable=False, messages=("a", "b"), progress=(10, 20))


def draw_many(scenario: Scenario, count: int = 2000) -> list[Script]:
    """Draw many fates with one generator."""
    rng = random.Random(3)
    return [scenario.draw(rng) for _ in range(count)]


@given(failing=RATES, stuck=RATES, missing=RATES, scored=st.booleans(), seed=st.integers(0, 99))
def test_every_script_is_sound(
    *,
    failing: float,
    stuck: float,
    missing: float,
    scored: bool,
    seed: int,
) -> None:
    """Only completed jobs have a result, only failed ones an error, and progress is a percentage."""
    scenario = Scenario(
        failing=failing, never_finishing=stuck, confidence=Confidence(missing=missing), scored=scored
    )
    script = scenario.draw(random.Random(seed))
    keys = {"completed": {"documentId", "result"}, "failed": {"error"}, "never": set()}
    assert script.payload.keys() == keys[script.outcome]
    assert (script.progress == 100) == (script.outcome == "completed")
    assert 0 <= script.progress <= 100
    assert script.duration_s >= 0


def test_shares_are_met() -> None:
    """Failing and stuck jobs come in about the shares asked for."""
    documents = (Document(type="invoice"),)
    scripts = draw_many(Scenario(documents=documents, failing=0.3, never_finishing=0.1))
    outcomes = Counter(script.outcome for script in scripts)
    assert outcomes["never"] / 2000 == pytest.approx(0.1, abs=0.03)
    assert outcomes["failed"] / 2000 == pytest.approx(0.9 * 0.3, abs=0.04)


def test_durations_have_the_median_asked_for() -> None:
    """Durations are lognormal around their median."""
    scripts = draw_many(Scenario(documents=(Document(type="invoice", median_s=20, sigma=0.4),)))
    assert median(script.duration_s for script in scripts) == pytest.approx(20, rel=0.06)


def test_weights_and_per_type_settings_count() -> None:
    """Types come by weight, and a type's own failing share overrides the scenario's."""
    documents = (Document(type="a", weight=3, failing=0.0), Document(type="b", weight=1, failing=1.0))
    scripts = draw_many(Scenario(documents=documents, failing=0.5))
    assert {script.outcome for script in scripts if script.document_type == "a"} == {"completed"}
    assert {script.outcome for script in scripts if script.document_type == "b"} == {"failed"}
    assert fmean(script.document_type == "a" for script in scripts) == pytest.approx(0.75, abs=0.03)


def test_a_failure_has_code_step_and_one_of_its_messages() -> None:
    """Failed jobs carry the documented error object and stop within the failure's range."""
    scripts = draw_many(Scenario(failing=1.0, failures=(ONE_FAILURE,), documents=(Document(type="a"),)), 50)
    errors = [script.payload["error"] for script in scripts]
    assert {error["message"] for error in errors} == {"a", "b"}
    assert all(error["details"] == {"step": "s", "retryable": False} for error in errors)
    assert all(10 <= script.progress <= 20 for script in scripts)


def results(scenario: Scenario) -> list[dict[str, Any]]:
    """Draw completed jobs and return their results."""
    return [script.payload["result"] for script in draw_many(scenario, 300)]


INVOICES = (Document(type="invoice", failing=0.0),)


def test_scored_fields_average_to_the_document() -> None:
    """In scored results each field has a value and a score, whose mean is the document's."""
    for result in results(Scenario(documents=INVOICES, scored=True)):
        scores = [field["confidence"] for field in result["extractedFields"].values()]
        assert result["confidence"] == pytest.approx(fmean(scores), abs=1e-5)


@pytest.mark.parametrize("scored", [True, False])
def test_missing_confidence_is_null(*, scored: bool) -> None:
    """A missing score is null everywhere and comes in the share asked for."""
    scenario = Scenario(documents=INVOICES, scored=scored, confidence=Confidence(missing=0.4))
    missing = [result for result in results(scenario) if result["confidence"] is None]
    assert len(missing) / 300 == pytest.approx(0.4, abs=0.1)
    if scored:
        fields = [field for result in missing for field in result["extractedFields"].values()]
        assert {field["confidence"] for field in fields} == {None}


def test_confidence_gathers_around_its_mean() -> None:
    """Scores lie in 0..1 with the mean asked for, by type where a type has its own."""
    confidence = Confidence(mean=0.8, concentration=50)
    scores = [confidence.draw(random.Random(i)) for i in range(500)]
    assert all(0 <= score <= 1 for score in scores)
    assert fmean(scores) == pytest.approx(0.8, abs=0.02)
    assert fmean(confidence.draw(random.Random(i), 0.3) for i in range(500)) == pytest.approx(0.3, abs=0.02)


def test_arrivals_have_the_rate_asked_for() -> None:
    """Gaps average to one over the rate, and are zero when all arrive at once."""
    rng = random.Random(1)
    assert fmean(Scenario(arrivals_per_s=4).gap_s(rng) for _ in range(2000)) == pytest.approx(0.25, rel=0.1)
    assert Scenario().gap_s(rng) == 0


def test_an_uploaded_type_outside_the_mix_is_drawn_too() -> None:
    """A wanted type is used whether or not the mix has it."""
    rng = random.Random(1)
    assert Scenario().draw(rng, document_type="invoice").document_type == "invoice"
    assert Scenario().draw(rng, document_type="contract").document_type == "contract"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Scenario(failing=2), "failing: expected a share between 0 and 1, got 2"),
        (lambda: Scenario(documents=()), "documents: expected at least one"),
        (lambda: Scenario(failures=()), "failures: expected at least one"),
        (lambda: Scenario(arrivals_per_s=-1), "arrivals_per_s: expected a number >= 0"),
        (lambda: Confidence(mean=1), "confidence mean"),
        (lambda: Confidence(concentration=0), "confidence concentration"),
        (lambda: Document(type="a", failing=-1), "failing of document type 'a'"),
        (lambda: Document(type="a", median_s=float("nan")), "median_s of document type 'a'"),
        (lambda: Failure(code="X", step="s", retryable=True, messages=()), "at least one message"),
        (
            lambda: Failure(code="X", step="s", retryable=True, messages=("m",), progress=(9, 100)),
            "0 <= low <= high < 100",
        ),
    ],
)
def test_impossible_settings_are_refused(make: Any, message: str) -> None:  # noqa: ANN401 -- one lambda per class
    """A setting that makes no sense fails where it is given and says what is expected."""
    with pytest.raises(ValueError, match=message):
        make()
