"""What a table reads from a jobs frame, as plain arrays; and the columns it is made of.

Missing numbers are NaN in here and NA in frames, so the conversion stands in one place.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from docurift_nb.errors import ConfigError, did_you_mean, show

Bools: TypeAlias = npt.NDArray[np.bool_]
Counts: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]


def require(frame: pd.DataFrame, names: Iterable[str], *, argument: str = "the frame") -> None:
    """Check that a frame has the columns that a table needs.

    Raises
    ------
    ConfigError
        When one is missing; names the nearest column that is there.
    """
    for name in names:
        if name not in frame.columns:
            known = [str(column) for column in frame.columns]
            raise ConfigError(
                what=f"{argument} has no column {show(name)}",
                expected="one of " + ", ".join(known) if known else "columns as in Results.jobs",
                got=show(name),
                advice=did_you_mean(str(name), known) or "a frame like Results.jobs",
            )


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Where each job stands: exactly one of the four holds for each row."""

    completed: Bools
    failed: Bools
    open: Bools
    lost: Bools
    """Looking ended (not found, denied, expired) and how the job ended was never seen."""

    @property
    def ended(self) -> Bools:
        """Completed or failed."""
        return self.completed | self.failed


def outcomes_of(jobs: pd.DataFrame) -> Outcomes:
    """Sort jobs by outcome; an unknown status word is not an end, and a missing ``is_open`` means open."""
    codes, words = pd.factorize(jobs["status"])
    completed, failed = (_has_code(codes, np.flatnonzero(words == word)) for word in ("completed", "failed"))
    unended = ~(completed | failed)
    awaited = flags(jobs["is_open"], missing=True)
    return Outcomes(completed, failed, unended & awaited, unended & ~awaited)


def _has_code(codes: npt.NDArray[np.intp], wanted: npt.NDArray[np.intp]) -> Bools:
    return codes == wanted[0] if wanted.size else np.zeros(len(codes), dtype=bool)


def flags(column: "pd.Series[bool]", *, missing: bool) -> Bools:
    """Return a column of flags as an array, with ``missing`` where it says nothing."""
    found: Bools = column.astype("boolean").to_numpy(dtype=bool, na_value=missing)
    return found


def floats(column: "pd.Series[float]") -> Floats:
    """Return a column of numbers as an array, NaN where missing.

    Raises
    ------
    ConfigError
        When it holds something else than numbers.
    """
    try:
        numbers = np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            what=f"column {show(column.name)} cannot be used", expected="numbers", got=str(error)
        ) from None
    return numbers


def estimates(values: Floats) -> pd.Series:
    """Return estimates as a nullable column, NA for NaN."""
    empty = np.isnan(values)
    return pd.Series(pd.arrays.FloatingArray(np.where(empty, 0.0, values), empty))


def fractions(k: Counts, n: Counts) -> pd.Series:
    """Return ``k`` of ``n`` as a nullable column, NA where ``n`` is 0."""
    return estimates(np.where(n > 0, k / np.maximum(n, 1), np.nan))
