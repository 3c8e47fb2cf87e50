"""Is the service reachable at all? One judgement for the whole fleet, so that an outage costs few requests.

Pure: the caller reports what happened and when, on its own clock.
"""

from docurift_nb.schedule import ErrorBackoff

OFFLINE_AFTER = 10


class Weather:
    """Counts failures in a row; after `OFFLINE_AFTER` of them, only single, spaced probes may go out."""

    def __init__(self, retry: ErrorBackoff) -> None:
        self._retry = retry
        self._in_a_row = 0
        self._probe_at = 0.0

    @property
    def offline(self) -> bool:
        """Whether nothing but failures came for some time."""
        return self._in_a_row >= OFFLINE_AFTER

    def good(self) -> None:
        """Report an answer, of whatever kind, by the API itself."""
        self._in_a_row = 0

    def bad(self, now: float) -> None:
        """Report a lost or unreadable answer."""
        self._in_a_row += 1
        if self.offline:
            self._probe_at = now + self._retry.after(self._in_a_row - OFFLINE_AFTER + 1)

    def hold_s(self, now: float, in_flight: int) -> float | None:
        """Return seconds to hold back the next request: 0 to send now, None until an answer is in."""
        if not self.offline:
            return 0.0
        return None if in_flight else max(0.0, self._probe_at - now)
