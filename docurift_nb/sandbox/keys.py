"""Who may ask, and how often: keys, credits, rate and concurrency limits.

Knows the documented refusals; nothing of jobs. Limits are counted on the sandbox's clock.
"""

import math
import string
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

from docurift_nb.sandbox.clock import Clock, seeded
from docurift_nb.sandbox.wire import Refusal

KeyState = Literal["active", "expired", "disabled", "revoked"]
RateLimit = float | tuple[float, float]

_REFUSED_STATES = {
    "expired": ("API_KEY_EXPIRED", "The provided API key has expired"),
    "disabled": ("API_KEY_DISABLED", "The provided API key is disabled"),
    "revoked": ("INVALID_API_KEY", "The provided API key is invalid"),
}


@dataclass(slots=True)
class _Key:
    state: KeyState = "active"
    asked_at: deque[float] = field(default_factory=deque)
    under_way: int = 0


class Keys:
    """The keys of one sandbox and what they may do.

    Parameters
    ----------
    clock
        Counts the rate limit's window.
    seed
        Decides the generated keys.
    first
        The first key; generated when None.
    rate_limit
        Requests per second and key, or ``(requests, seconds)``; None for no limit.
    max_concurrency
        Requests of one key that may be under way at once; None for no limit.
    retry_after
        Whether 429 answers carry the header ``Retry-After``.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: object = 0,
        first: str | None = None,
        rate_limit: RateLimit | None = None,
        max_concurrency: int | None = None,
        retry_after: bool = False,
    ) -> None:
        self._clock = clock
        self._rng = seeded(seed, "keys")
        self._keys: dict[str, _Key] = {}
        self._rate = _rate(rate_limit)
        self._max_concurrency = max_concurrency
        self._retry_after = retry_after
        self._out_of_credits: tuple[str, ...] = ()
        self.first = self.add(first)

    def add(self, key: str | None = None) -> str:
        """Accept one more key and return it; generated in the documented format when None."""
        if key is None:
            key = "frc_" + "".join(self._rng.choices(string.ascii_letters + string.digits, k=32))
        if not key:
            raise ValueError("api_key: expected a non-empty text, got ''")
        self._keys[key] = _Key()
        return key

    def knows(self, key: str) -> bool:
        """Say whether this key was added."""
        return key in self._keys

    def set_state(self, state: KeyState, *, key: str | None = None) -> None:
        """Change what becomes of requests with a key, the first one unless told.

        Raises
        ------
        ValueError
            If there is no such state.
        LookupError
            If the key was never added.
        """
        if state not in get_args(KeyState):
            raise ValueError(f"key state: expected one of {', '.join(get_args(KeyState))}, got {state!r}")
        self._known(key).state = state

    def set_credits(self, *, exhausted: bool, reads: bool = True) -> None:
        """Switch the answer 402 on or off, for submissions and (if `reads`) for job requests too."""
        methods = ("POST", "GET") if reads else ("POST",)
        self._out_of_credits = methods if exhausted else ()

    def admit(self, headers: Iterable[tuple[bytes, bytes]], method: str = "GET") -> str:
        """Return the key a request was made with, counting it against the limits.

        Raises
        ------
        Refusal
            401 without a usable key, 402 without credits, 429 over the rate limit.
        """
        owner = _credentials(headers)
        if owner is None:
            raise Refusal(401, "UNAUTHORIZED", "Missing authentication credentials")
        key = self._keys.get(owner)
        if key is None:
            details = {"keyPrefix": owner[:12]}
            raise Refusal(401, "INVALID_API_KEY", "The provided API key is invalid", details=details)
        if key.state != "active":
            raise Refusal(401, *_REFUSED_STATES[key.state])
        if method in self._out_of_credits:
            raise Refusal(402, "INSUFFICIENT_CREDITS", "Not enough credits to process this request")
        self._count(key)
        return owner

    def enter(self, owner: str) -> None:
        """Take one of the places for requests under way; give it back with `leave`.

        Raises
        ------
        Refusal
            429 if all places are taken.
        """
        key = self._keys[owner]
        if self._max_concurrency is not None and key.under_way >= self._max_concurrency:
            raise self._too_many("Too many concurrent requests, please slow down", 1.0)
        key.under_way += 1

    def leave(self, owner: str) -> None:
        """Give back the place taken with `enter`."""
        self._keys[owner].under_way -= 1

    def _count(self, key: _Key) -> None:
        if self._rate is None:
            return
        limit, per_s = self._rate
        now, asked_at = self._clock.now(), key.asked_at
        while asked_at and asked_at[0] <= now - per_s:
            asked_at.popleft()
        if len(asked_at) >= limit:
            raise self._too_many("Too many requests, please slow down", asked_at[0] + per_s - now)
        asked_at.append(now)

    def _too_many(self, message: str, wait_s: float) -> Refusal:
        retry_after_s = max(math.ceil(wait_s), 1) if self._retry_after else None
        return Refusal(429, "RATE_LIMIT_EXCEEDED", message, retry_after_s=retry_after_s)

    def _known(self, key: str | None) -> _Key:
        try:
            return self._keys[self.first if key is None else key]
        except KeyError:
            # The key itself stays out of the message: messages end up in logs.
            raise LookupError(
                "no such API key in this sandbox: expected sandbox.api_key or one that add_key() returned"
            ) from None


def _rate(limit: RateLimit | None) -> tuple[float, float] | None:
    if limit is None:
        return None
    count, per_s = limit if isinstance(limit, tuple) else (limit, 1.0)
    if count <= 0 or per_s <= 0:
        raise ValueError(
            f"rate_limit: expected requests per second or (requests, seconds), all above 0, got {limit!r}"
        )
    # Less than one request per window is the same rate over a longer window.
    return (count, per_s) if count >= 1 else (1.0, per_s / count)


def _credentials(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    bearer = None
    for name, value in headers:
        if name == b"x-api-key" and value:
            return value.decode("latin-1")
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            bearer = value[7:].strip().decode("latin-1") or None
    return bearer
