"""What a schedule is told, and what it answers."""

from typing import Protocol, runtime_checkable

import msgspec


class Sight(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    place : int
        Which job of the watch it is, counted from 0 in the order they were added.
    at : float
        Unix time of the answer, on our clock.
    created_at, updated_at, ended_at : float or None
        Unix times on the service's clock, which may be another; None where it does not say.
    """

    job_id: str
    status: str
    progress: float | None = None
    document_type: str | None = None
    looks: int = 1
    watched_s: float = 0.0
    is_final: bool = False
    place: int = 0
    at: float = 0.0
    created_at: float | None = None
    updated_at: float | None = None
    ended_at: float | None = None


@runtime_checkable
class Schedule(Protocol):
    """Anything with ``next_look``; it is called from one thread only."""

    def next_look(self, sight: Sight) -> float:
        """Return seconds (> 0) until the next look; the value for a final sight is not used."""
        ...


@runtime_checkable
class Reconsiders(Protocol):
    """A schedule that is asked once more when a look falls due, before a request is spent on it."""

    def hold(self, job_id: str, place: int, at: float) -> float:
        """Return 0 to look now, or seconds after which to ask again; ``at`` is Unix time on our clock."""
        ...

    def forget(self, job_id: str) -> None:
        """Drop what is kept of a job that ended without an answer."""
        ...


@runtime_checkable
class Ranks(Protocol):
    """A schedule that can say which of several due looks is worth most."""

    def chance(self, job_id: str, place: int, at: float) -> float:
        """Return the probability, as far as is known, that the job has ended by ``at``."""
        ...
