"""Fault scripts: which answers go wrong, how, and how often.

Only decides; how a fault looks on the wire is in `misbehaviour`. Scripts can be switched on and off
from any thread while the sandbox runs.
"""

import random
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from docurift_nb.sandbox.clock import seeded


class FaultKind(StrEnum):
    """The ways in which an answer can go wrong."""

    RATE_LIMITED = "429"
    RATE_LIMITED_UNTIL = "429-date"
    RATE_LIMITED_BARE = "429-bare"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    RESET = "reset"
    HANG = "hang"
    DELAY = "delay"
    TRUNCATED = "truncated"
    SLOW_BODY = "slow-body"
    HUGE_BODY = "huge-body"
    HTML = "html"
    WRONG_TYPE = "wrong-type"
    REDIRECT = "redirect"
    CLOCK_SKEW = "clock-skew"
    WRONG_ID = "wrong-id"
    INVALID_UTF8 = "invalid-utf8"
    NOT_JSON = "not-json"
    UNKNOWN_STATUS = "unknown-status"
    SUCCESS_FALSE = "success-false"


_NEEDS_A_JOB = frozenset({FaultKind.CLOCK_SKEW, FaultKind.WRONG_ID, FaultKind.UNKNOWN_STATUS})


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong, with its settings; each kind reads those that concern it.

    Parameters
    ----------
    kind
        A `FaultKind` or its text.
    retry_after_s
        For "429" and "429-date": seconds until a new request is welcome.
    html
        For "502", "503", "504": True sends a proxy's HTML page, False the JSON envelope.
    location, status
        For "redirect": where to (sent as it is), and with 301, 302, 303, 307 or 308.
    shift_s
        For "clock-skew": seconds by which the ``Date`` header and the sandbox's time stamps are ahead.
    size
        For "huge-body": bytes of garbage.
    delay_s
        For "delay" and "slow-body": seconds that the answer takes.
    word
        For "unknown-status": the status shown while the job is open.
    """

    kind: FaultKind | str
    retry_after_s: float = 1.0
    html: bool = True
    location: str = "http://127.0.0.2:9/v1/jobs/elsewhere"
    status: int = 302
    shift_s: float = 3600.0
    size: int = 10 * 2**20
    delay_s: float = 1.0
    word: str = "queued"

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "kind", FaultKind(self.kind))
        except ValueError:
            raise ValueError(
                f"fault kind: expected one of {', '.join(FaultKind)}, got {self.kind!r}"
            ) from None

    def fits(self, *, known: bool, running: bool) -> bool:
        """Say whether this can happen to a job that is known, and is running or not."""
        if self.kind == FaultKind.UNKNOWN_STATUS:
            return running
        return known or self.kind not in _NEEDS_A_JOB


class FaultSwitch:
    """A fault script that is switched on, until `off`, its count, or the end of its ``with`` block."""

    def __init__(
        self,
        faults: "Faults",
        kinds: tuple[Fault, ...],
        *,
        probability: float,
        job_ids: frozenset[str] | None,
        count: int | None,
    ) -> None:
        self._faults = faults
        self._kinds = kinds
        self._probability = probability
        self._job_ids = job_ids
        self._count = count
        self._hits = 0

    @property
    def hits(self) -> int:
        """How many answers this script has spoiled."""
        return self._hits

    @property
    def is_spent(self) -> bool:
        """Whether it has struck as often as it may."""
        return self._hits == self._count

    @property
    def is_on(self) -> bool:
        """Whether it can still strike."""
        return self in self._faults.active

    def off(self) -> None:
        """Switch it off. Idempotent."""
        self._faults.discard(self)

    def strike(self, rng: random.Random, job_id: str, *, known: bool, running: bool) -> Fault | None:
        """Draw whether and how this script strikes; called with the lock of its `Faults` held."""
        if self._job_ids is not None and job_id not in self._job_ids:
            return None
        fitting = [one for one in self._kinds if one.fits(known=known, running=running)]
        if not fitting or rng.random() >= self._probability:
            return None
        self._hits += 1
        return rng.choice(fitting)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.off()

    def __repr__(self) -> str:
        kinds = ", ".join(str(one.kind) for one in self._kinds)
        return f"<FaultSwitch {kinds}: probability {self._probability:g}, {self._hits} hits>"


class Faults:
    """The fault scripts of one sandbox; all that are on at once are tried in the order of switching on.

    Parameters
    ----------
    seed
        Decides which answers are struck.
    """

    def __init__(self, *, seed: object = 0) -> None:
        self._rng = seeded(seed, "faults")
        self._lock = threading.Lock()
        self._switches: tuple[FaultSwitch, ...] = ()

    @property
    def active(self) -> tuple[FaultSwitch, ...]:
        """The scripts that are on."""
        return self._switches

    def on(
        self,
        *kinds: Fault | FaultKind | str,
        probability: float = 1.0,
        job_ids: Collection[str] | None = None,
        count: int | None = None,
    ) -> FaultSwitch:
        """Switch a fault script on at once; one of `kinds` is drawn whenever it strikes.

        Parameters
        ----------
        kinds
            One or more faults, or their kinds for the usual settings.
        probability
            Share of answers that it strikes, for all its kinds together.
        job_ids
            Strike only requests for these jobs.
        count
            Strike so many answers, then switch off.

        Returns
        -------
        FaultSwitch
            Switches it off again; also as a context manager.
        """
        if not kinds:
            raise ValueError(f"faults.on needs at least one kind: one of {', '.join(FaultKind)}")
        if isinstance(job_ids, str):
            raise TypeError(f"job_ids: expected a collection of ids, got the text {job_ids!r}; use [id]")
        if not 0 <= probability <= 1:
            raise ValueError(f"probability: expected a share between 0 and 1, got {probability}")
        if count is not None and count < 1:
            raise ValueError(f"count: expected at least 1 or None for no limit, got {count}")
        faults = tuple(kind if isinstance(kind, Fault) else Fault(kind) for kind in kinds)
        only = None if job_ids is None else frozenset(job_ids)
        switch = FaultSwitch(self, faults, probability=probability, job_ids=only, count=count)
        with self._lock:
            self._switches += (switch,)
        return switch

    def everything(self, probability: float, *, without: Iterable[FaultKind | str] = ()) -> FaultSwitch:
        """Switch all kinds on at once, striking the share `probability` of answers in total."""
        spared = {FaultKind(kind) for kind in without}
        return self.on(*(kind for kind in FaultKind if kind not in spared), probability=probability)

    def off(self) -> None:
        """Switch every fault script off. Idempotent."""
        with self._lock:
            self._switches = ()

    def discard(self, switch: FaultSwitch) -> None:
        """Switch one fault script off. Idempotent."""
        with self._lock:
            self._switches = tuple(one for one in self._switches if one is not switch)

    def draw(self, job_id: str, *, known: bool = True, running: bool = True) -> Fault | None:
        """Decide what goes wrong with the next answer for this job; None if nothing does."""
        if not self._switches:
            return None
        with self._lock:
            for switch in self._switches:
                fault = switch.strike(self._rng, job_id, known=known, running=running)
                if switch.is_spent:
                    self._switches = tuple(one for one in self._switches if one is not switch)
                if fault is not None:
                    return fault
        return None
