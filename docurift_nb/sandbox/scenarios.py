"""What shall become of submitted jobs: distributions to draw outcomes from.

Everything here is a value or a pure function of a random generator; neither clock nor HTTP.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

from docurift_nb.sandbox.documents import extracted_fields

Outcome = Literal["completed", "failed", "never"]


def _fraction(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: expected a share between 0 and 1, got {value}")


def _at_least_zero(name: str, value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{name}: expected a number >= 0, got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One way to fail.

    Parameters
    ----------
    code
        Machine-readable code under ``error.code``.
    step
        Where it failed, ``error.details.step``.
    retryable
        Flag ``error.details.retryable``.
    messages
        Texts that come with this code; one is drawn per job.
    weight
        Relative frequency among the failures of a scenario.
    progress
        Lowest and highest percentage at which such a job stops.
    """

    code: str
    step: str
    retryable: bool
    messages: tuple[str, ...]
    weight: float = 1.0
    progress: tuple[int, int] = (0, 99)

    def __post_init__(self) -> None:
        if not self.messages:
            raise ValueError(f"failure {self.code!r} needs at least one message, got none")
        low, high = self.progress
        if not 0 <= low <= high < 100:
            raise ValueError(
                f"failure {self.code!r}: expected 0 <= low <= high < 100 in progress, got {self.progress}"
            )
        _at_least_zero(f"weight of failure {self.code!r}", self.weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One type of document in the mix.

    Parameters
    ----------
    type
        Value of ``documentType``.
    weight
        Relative frequency.
    median_s, sigma
        Durations are lognormal: their median in seconds and the standard deviation of the logarithm.
    failing
        Share of failing jobs of this type; the scenario's where None.
    confidence
        Mean confidence of this type; the scenario's where None.
    """

    type: str
    weight: float = 1.0
    median_s: float = 15.0
    sigma: float = 0.5
    failing: float | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        _at_least_zero(f"weight of document type {self.type!r}", self.weight)
        _at_least_zero(f"median_s of document type {self.type!r}", self.median_s)
        _at_least_zero(f"sigma of document type {self.type!r}", self.sigma)
        for name in ("failing", "confidence"):
            if getattr(self, name) is not None:
                _fraction(f"{name} of document type {self.type!r}", getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """Confidence scores: a beta distribution, and a share of jobs where the model gave none.

    Parameters
    ----------
    mean
        Mean score, strictly between 0 and 1.
    concentration
        How tightly scores gather around the mean; larger is tighter.
    missing
        Share of completed jobs whose scores are null.
    """

    mean: float = 0.9
    concentration: float = 14.0
    missing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.mean < 1:
            raise ValueError(f"confidence mean: expected a number between 0 and 1, got {self.mean}")
        if self.concentration <= 0:
            raise ValueError(f"confidence concentration: expected > 0, got {self.concentration}")
        _fraction("confidence missing", self.missing)

    def draw(self, rng: random.Random, mean: float | None = None) -> float:
        """Draw one score, around `mean` where it is given."""
        centre = min(max(self.mean if mean is None else mean, 0.001), 0.999)
        alpha, beta = centre * self.concentration, (1 - centre) * self.concentration
        return round(rng.betavariate(alpha, beta), 6)


DOCUMENTS = (
    Document(type="invoice", weight=5, median_s=12),
    Document(type="receipt", weight=2, median_s=6, confidence=0.86),
    Document(type="bill_of_lading", weight=2, median_s=24, sigma=0.6),
    Document(type="packing_list", median_s=18),
    Document(type="customs_declaration", median_s=30, sigma=0.7, failing=0.15, confidence=0.82),
    Document(type="freight_invoice", median_s=14),
    Document(type="generic", weight=0.5, median_s=9, confidence=0.75),
)

# OCR_FAILED is the documented code; the others are invented, since the documentation lists no more.
FAILURES = (
    Failure(
        code="OCR_FAILED",
        step="text_extraction",
        retryable=True,
        messages=(
            "Unable to extract text from document. The image may be corrupted or too low quality.",
            "Text extraction gave no lines on page 1.",
            "Text extraction gave no lines on page 3.",
        ),
        weight=4,
        progress=(12, 40),
    ),
    Failure(
        code="CORRUPTED_FILE",
        step="file_validation",
        retryable=False,
        messages=("The file ends before its last page.", "The file header is damaged."),
        weight=2,
        progress=(0, 10),
    ),
    Failure(
        code="PROCESSING_TIMEOUT",
        step="field_extraction",
        retryable=True,
        messages=("Field extraction took longer than 300 s.", "Field extraction took longer than 600 s."),
        weight=2,
        progress=(50, 95),
    ),
    Failure(
        code="UNSUPPORTED_LANGUAGE",
        step="language_detection",
        retryable=False,
        messages=("Language 'ka' is not supported.", "Language 'am' is not supported."),
        progress=(30, 48),
    ),
)


@dataclass(frozen=True, slots=True)
class Script:
    """The drawn fate of one job.

    Parameters
    ----------
    document_type
        Value of ``documentType``.
    duration_s
        Seconds from the start of processing to the end, before any speed-up. A job that never ends
        still keeps its worker busy for this long.
    outcome
        How it ends.
    progress
        Percentage where it stops: 100 if completed, where it broke or got stuck otherwise.
    payload
        The members that only the final answer has (``documentId`` and ``result``, or ``error``).
    """

    document_type: str
    duration_s: float
    outcome: Outcome
    progress: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A mix of jobs to draw from; the default is an ordinary day.

    Parameters
    ----------
    documents
        The document types, with their weights and durations.
    failures
        The ways to fail.
    failing
        Share of jobs that fail.
    never_finishing
        Share of jobs that get stuck while processing and never end.
    confidence
        Distribution of scores.
    scored
        True: each field is ``{"value", "confidence"}`` and the document's confidence is their mean;
        False: plain values, as documented.
    arrivals_per_s
        Mean number of jobs that arrive per second of the sandbox's clock; 0: all at once.
    """

    documents: tuple[Document, ...] = DOCUMENTS
    failures: tuple[Failure, ...] = FAILURES
    failing: float = 0.06
    never_finishing: float = 0.0
    confidence: Confidence = field(default_factory=Confidence)
    scored: bool = False
    arrivals_per_s: float = 0.0

    def __post_init__(self) -> None:
        _some_weight("documents", self.documents)
        _fraction("failing", self.failing)
        _fraction("never_finishing", self.never_finishing)
        _at_least_zero("arrivals_per_s", self.arrivals_per_s)
        if self.failing or any(document.failing for document in self.documents):
            _some_weight("failures", self.failures)

    def draw(self, rng: random.Random, *, document_type: str | None = None) -> Script:
        """Draw the fate of one job, of the given document type if there is one."""
        document = self._document(rng, document_type)
        duration_s = round(document.median_s * rng.lognormvariate(0, document.sigma), 3)
        outcome = self._outcome(rng, document)
        if outcome == "never":
            return Script(document.type, duration_s, outcome, rng.randrange(5, 96), {})
        if outcome == "failed":
            failure = rng.choices(self.failures, [one.weight for one in self.failures])[0]
            progress = rng.randint(*failure.progress)
            return Script(document.type, duration_s, outcome, progress, _error(failure, rng))
        return Script(document.type, duration_s, outcome, 100, self._result(rng, document))

    def gap_s(self, rng: random.Random) -> float:
        """Draw the seconds until the next arrival (exponential; 0 when all arrive at once)."""
        return rng.expovariate(self.arrivals_per_s) if self.arrivals_per_s else 0.0

    def _document(self, rng: random.Random, wanted: str | None) -> Document:
        if wanted is None:
            return rng.choices(self.documents, [one.weight for one in self.documents])[0]
        known = (one for one in self.documents if one.type == wanted)
        return next(known, None) or Document(type=wanted)

    def _outcome(self, rng: random.Random, document: Document) -> Outcome:
        if rng.random() < self.never_finishing:
            return "never"
        failing = self.failing if document.failing is None else document.failing
        return "failed" if rng.random() < failing else "completed"

    def _result(self, rng: random.Random, document: Document) -> dict[str, Any]:
        fields = extracted_fields(document.type, rng)
        missing = rng.random() < self.confidence.missing
        score: float | None = self.confidence.draw(rng, document.confidence)
        if self.scored:
            scores = {name: self.confidence.draw(rng, document.confidence) for name in fields}
            fields = {
                name: {"value": value, "confidence": None if missing else scores[name]}
                for name, value in fields.items()
            }
            score = round(fmean(scores.values()), 6)
        result = {"extractedFields": fields, "confidence": None if missing else score}
        return {"documentId": f"doc_{rng.getrandbits(64):016x}", "result": result}


def _error(failure: Failure, rng: random.Random) -> dict[str, Any]:
    details = {"step": failure.step, "retryable": failure.retryable}
    message = rng.choice(failure.messages)
    return {"error": {"code": failure.code, "message": message, "details": details}}


def _some_weight(name: str, choices: tuple[Document, ...] | tuple[Failure, ...]) -> None:
    if not sum(one.weight for one in choices) > 0:
        raise ValueError(f"{name}: expected at least one with a weight above 0, got {choices!r}")
