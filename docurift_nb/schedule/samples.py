"""What was measured before, as quantiles: bounded, cheap to add to, cheap to read."""

import math
from collections import deque
from statistics import NormalDist

N_QUANTILES = 20


def spread_evenly(ordered: list[float], n: int = N_QUANTILES) -> tuple[float, ...]:
    """Return ``n`` equally likely values for a sorted sample (the mid-point quantiles).

    >>> spread_evenly([1.0, 2.0, 3.0, 4.0], n=2)
    (2.0, 4.0)
    """
    size = len(ordered)
    return tuple(ordered[min(size - 1, int((i + 0.5) * size / n))] for i in range(n))


def normal_quantiles(sigma: float) -> tuple[float, ...]:
    """Return equally likely values of a normal distribution around 0."""
    normal = NormalDist(0.0, sigma)
    return tuple(normal.inv_cdf((i + 0.5) / N_QUANTILES) for i in range(N_QUANTILES))


class Samples:
    """The newest ``size`` values of something; older ones are forgotten, so that shifts are followed.

    The quantiles are computed anew after every eighth part has been replaced, not at each reading.
    """

    __slots__ = ("_added", "_ordered", "_quantiles", "_values", "version")

    def __init__(self, size: int = 256) -> None:
        self._values: deque[float] = deque(maxlen=size)
        self._ordered: list[float] = []
        self._quantiles: tuple[float, ...] = ()
        self._added = 0
        self.version = 0

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: float) -> None:
        """Take in one value; what is not finite is left out."""
        if math.isfinite(value):
            self._values.append(value)
            self._added += 1

    def ordered(self) -> list[float]:
        """Return the values in order, as of the last refresh."""
        if not self._ordered or self._added >= max(4, len(self._ordered) // 8):
            self._ordered = sorted(self._values)
            self._quantiles = spread_evenly(self._ordered)
            self._added = 0
            self.version += 1
        return self._ordered

    def quantiles(self) -> tuple[float, ...]:
        """Return `N_QUANTILES` equally likely values."""
        self.ordered()
        return self._quantiles
