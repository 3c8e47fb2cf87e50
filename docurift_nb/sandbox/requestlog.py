"""What was asked of the sandbox: the evidence for "a finished job is never asked again".

Counts only. It stores ids, HTTP statuses and fault names; no keys, no bodies.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requests:
    """What had been asked when the snapshot was taken.

    Parameters
    ----------
    total
        All HTTP requests, lists and uploads included.
    by_status
        Answers by HTTP status; 0 counts requests that got none (reset, hang).
    by_job
        Requests per job id, unknown ids included.
    delivered
        Ids whose final answer went out in full.
    after_end
        Requests per job id that came after its final answer had gone out in full.
    faults
        Spoiled answers by kind of fault.
    """

    total: int
    by_status: Mapping[int, int]
    by_job: Mapping[str, int]
    delivered: frozenset[str]
    after_end: Mapping[str, int]
    faults: Mapping[str, int]


class RequestLog:
    """Counts requests while the sandbox runs; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._delivered: set[str] = set()
        self._clear()

    def reset(self, *, keep_delivered: bool = False) -> None:
        """Count from zero; with `keep_delivered` still knowing which jobs have been handed over."""
        with self._lock:
            self._clear()
            if not keep_delivered:
                self._delivered.clear()

    def snapshot(self) -> Requests:
        """Copy the counts as they are now."""
        with self._lock:
            return Requests(
                total=self._total,
                by_status=dict(self._by_status),
                by_job=dict(self._by_job),
                delivered=frozenset(self._delivered),
                after_end=dict(self._after_end),
                faults=dict(self._faults),
            )

    def asked(self, job_id: str | None = None) -> None:
        """Note that a request came in, for one job or for another route."""
        with self._lock:
            self._total += 1
            if job_id is not None:
                self._by_job[job_id] += 1
                if job_id in self._delivered:
                    self._after_end[job_id] += 1

    def answered(self, status: int, *, final_of: str | None = None) -> None:
        """Note an answer by its HTTP status, and whose final answer it is."""
        with self._lock:
            self._by_status[status] += 1
            if final_of is not None:
                self._delivered.add(final_of)

    def faulted(self, kind: str) -> None:
        """Note that an answer was spoiled by a fault."""
        with self._lock:
            self._faults[kind] += 1

    def _clear(self) -> None:
        self._total = 0
        self._by_status: Counter[int] = Counter()
        self._by_job: Counter[str] = Counter()
        self._after_end: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
