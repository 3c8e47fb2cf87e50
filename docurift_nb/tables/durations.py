"""How long jobs take, the unfinished ones included."""

import warnings
from datetime import datetime

import numpy as np
import pandas as pd
import scipy

from docurift_nb.errors import ConfigError, show
from docurift_nb.tables.columns import Floats, estimates, floats, outcomes_of, require
from docurift_nb.tables.groups import By, group_rows
from docurift_nb.tables.intervals import check_level

_QUANTILES = {"p50": 0.5, "p95": 0.95}
_LIMITS = ("_s", "_ci_low_s", "_ci_high_s")
_ESTIMATES = tuple(name + limit for name in _QUANTILES for limit in _LIMITS)
_RESULTS = ("n", "n_completed", "n_failed", "n_open", "n_excluded", *_ESTIMATES)
_CLOCKS = ("observed_at", "updated_at", "ended_at")
# Products of many factors may end a hair above the level that exact arithmetic meets.
_HAIR = 1e-9


def durations(
    jobs: pd.DataFrame,
    *,
    by: By = "document_type",
    now: datetime | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate the time from creation to the end, completed or failed, counting open jobs as censored.

    An open job says that its time is longer than what has passed. Leaving such jobs out would make a slow
    fleet look fast, so the quantiles are those of the Kaplan-Meier estimate: the shortest time by which at
    least that share of jobs has ended. Where the estimate does not get there, the answer is missing: not
    enough has been seen. Without open jobs these are the quantiles of the observed times.

    Parameters
    ----------
    jobs : pandas.DataFrame
        A frame as ``Results.jobs``.
    by : str, sequence of str or None
        Columns to group by; None gives one row.
    now : datetime, optional
        Aware; when open jobs were known to be open. By default the latest time in ``observed_at``,
        ``updated_at`` and ``ended_at`` of the whole frame, never the clock, so that a table can be repeated.
    confidence_level : float
        Of the intervals of the quantiles, from the log-log band of ``scipy.stats.ecdf``.

    Returns
    -------
    pandas.DataFrame
        The ``by`` columns, ``n`` (jobs used: ``n_completed + n_failed + n_open``), ``p50_s`` and ``p95_s``
        in seconds, each followed by its interval (``p50_ci_low_s``, ``p50_ci_high_s``), and ``n_excluded``:
        jobs whose duration is negative or unknown, and those with no end seen nor to come. In the order of
        the keys.

    Raises
    ------
    ConfigError
        When a column is not there, ``now`` has no zone, or ``confidence_level`` is not between 0 and 1.
    """
    require(jobs, ("status", "is_open", "created_at", "duration_s"))
    check_level(confidence_level)
    groups = group_rows(jobs, by, results=_RESULTS)
    outcomes = outcomes_of(jobs)
    elapsed = np.where(outcomes.ended, floats(jobs["duration_s"]), _ages(jobs, _now(jobs, now)))
    used = (elapsed >= 0) & ~outcomes.lost
    ended = groups.pieces(np.where(used & outcomes.ended, elapsed, np.nan))
    censored = groups.pieces(np.where(used & outcomes.open, elapsed, np.nan))
    rows = [_quantiles(*times, confidence_level) for times in zip(ended, censored, strict=True)]
    found = np.array(rows).reshape(-1, len(_ESTIMATES))
    return groups.table(
        {
            "n": groups.count(used),
            "n_completed": groups.count(used & outcomes.completed),
            "n_failed": groups.count(used & outcomes.failed),
            "n_open": groups.count(used & outcomes.open),
            **{name: estimates(found[:, at]) for at, name in enumerate(_ESTIMATES)},
            "n_excluded": groups.count(~used),
        }
    )


def _now(jobs: pd.DataFrame, now: object) -> pd.Timestamp | None:
    if now is None:
        latest = [jobs[name].max() for name in _CLOCKS if name in jobs]
        return max((time for time in latest if not pd.isna(time)), default=None)
    if not isinstance(now, datetime) or now.tzinfo is None:
        raise ConfigError(
            what="now cannot be used",
            expected="a datetime with a zone",
            got=show(now),
            advice="datetime.now(UTC)",
        )
    return pd.Timestamp(now)


def _ages(jobs: pd.DataFrame, now: pd.Timestamp | None) -> Floats:
    if now is None:
        return np.full(len(jobs), np.nan)
    return floats((now - jobs["created_at"]).dt.total_seconds())


def _quantiles(ended: Floats, censored: Floats, confidence_level: float) -> list[float]:
    if not ended.size:
        return [np.nan] * len(_ESTIMATES)
    survival = scipy.stats.ecdf(scipy.stats.CensoredData(uncensored=ended, right=censored)).sf
    with warnings.catch_warnings():
        # The band has no value where all or none survive; such places are NaN and reach no quantile.
        warnings.simplefilter("ignore", RuntimeWarning)
        band = survival.confidence_interval(confidence_level, method="log-log")
    curves = (survival.probabilities, band.low.probabilities, band.high.probabilities)
    times = survival.quantiles
    return [_first_below(1 - q, times, curve) for q in _QUANTILES.values() for curve in curves]


def _first_below(level: float, times: Floats, curve: Floats) -> float:
    below = curve <= level + _HAIR
    return float(times[below.argmax()]) if below.any() else np.nan
