r"""When to look, given when it may be over: the inspection policy that costs least.

With equally likely remaining times :math:`r_1 \le \dots \le r_n` and a look that costs as much as
:math:`\kappa` seconds of not knowing, looking next at :math:`r_j` and best ever after costs

.. math:: V_i = \min_{j > i} \Big[ \kappa + \frac{1}{n-i} \sum_{k=i+1}^{j} (r_j - r_k)
                + \frac{n-j}{n-i} V_j \Big], \qquad V_n = \kappa

seconds from the moment on that the first :math:`i` times are known to have passed. It is the inspection
problem of Barlow, Hunter and Proschan (1963) for a sample instead of a known distribution, solved exactly
by dynamic programming in :math:`O(n^2)`. An unfinished look may tell more than that it is not over: a
progress that predicts the end. ``insight`` says which share of the remaining uncertainty survives it.

Shifting all times changes nothing but the origin, and scaling them scales :math:`\kappa` the other way: so
`best_look` is remembered, and asking for the same shape again costs next to nothing.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate


def best_wait(offsets: Sequence[float], look_cost_s: float, insight: float = 1.0) -> float:
    """Return the seconds after which the next look costs least.

    Parameters
    ----------
    offsets : sequence of float
        Equally likely seconds until the end, ascending, at least one.
    look_cost_s : float
        How many seconds of lateness one request is worth.
    insight : float
        1 when a look tells only whether it is over; less when it also narrows down when it will be.

    Examples
    --------
    >>> best_wait([5.0, 5.1, 5.2], look_cost_s=1.0)
    5.2
    >>> best_wait([1.0, 1.1, 60.0], look_cost_s=1.0)
    1.1
    """
    return offsets[best_look(tuple(offsets), look_cost_s, insight)]


@lru_cache(maxsize=8192)
def best_look(offsets: tuple[float, ...], look_cost: float, insight: float = 1.0) -> int:
    """Return which of the ascending ``offsets`` to look at, as `best_wait` does, as an index."""
    n = len(offsets)
    sums = list(accumulate(offsets, initial=0.0))
    after = _afterwards(offsets, sums, look_cost, insight) if insight < 1.0 else [float("inf")] * (n + 1)
    value = [look_cost] * (n + 1)
    first = n
    for i in range(n - 1, -1, -1):
        best, first, passed = float("inf"), n, sums[i]
        for j in range(i + 1, n + 1):
            then = min(value[j], after[j])
            cost = (j - i) * offsets[j - 1] - sums[j] + (n - j) * then
            if cost < best:
                best, first = cost, j
        value[i] = look_cost + (best + passed) / (n - i)
    return first - 1


def _afterwards(
    offsets: Sequence[float], sums: Sequence[float], look_cost: float, insight: float
) -> list[float]:
    """Return what an unfinished look at each of the times leaves to pay, where it predicts the end."""
    n = len(offsets)
    left = [(sums[n] - sums[j]) / (n - j) - (offsets[j - 1] if j else 0.0) for j in range(n)]
    return [*(1.1 * look_cost + 0.5 * insight * mean_left for mean_left in left), float("inf")]
