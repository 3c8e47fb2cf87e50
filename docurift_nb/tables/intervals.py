"""Intervals for what tables estimate; the methods are SciPy's."""

import numpy as np
import scipy

from docurift_nb.errors import ConfigError, show
from docurift_nb.tables.columns import Counts, Floats


def check_level(confidence_level: float) -> None:
    """Refuse a confidence level outside the open interval 0..1.

    Raises
    ------
    ConfigError
        When it is none.
    """
    if not 0 < confidence_level < 1:
        raise ConfigError(
            what="confidence_level cannot be used",
            expected="a fraction between 0 and 1",
            got=show(confidence_level),
            advice=f"{confidence_level / 100:g}" if 1 < confidence_level < 100 else "0.95",
        )


def wilson(k: Counts, n: Counts, confidence_level: float) -> tuple[Floats, Floats]:
    """Return Wilson score intervals for ``k`` of ``n``; NaN where ``n`` is 0.

    The rows are taken as independent. Source: E. B. Wilson, JASA 22 (1927), by ``scipy.stats.binomtest``.

    Raises
    ------
    ConfigError
        When ``confidence_level`` is not between 0 and 1.
    """
    check_level(confidence_level)
    pairs, places = np.unique(np.column_stack([k, n]), axis=0, return_inverse=True)
    bounds = np.full((len(pairs), 2), np.nan)
    for row, (hits, tries) in enumerate(pairs.tolist()):
        if tries:
            test = scipy.stats.binomtest(hits, tries)
            bounds[row] = test.proportion_ci(confidence_level, method="wilson")
    found = bounds[places.reshape(-1)]
    return found[:, 0], found[:, 1]
