"""What fails, and how often."""

import numpy as np
import pandas as pd

from docurift_nb.tables.columns import Counts, estimates, flags, fractions, outcomes_of, require
from docurift_nb.tables.groups import By, Groups, group_rows
from docurift_nb.tables.intervals import check_level, wilson

_ABOUT_FAILURES = ("job_id", "status", "is_open", "ended_at", "error_message", "retryable")
_FAILURES = ("n", "share", "cum_share", "ci_low", "ci_high", "example_job_id", "example_message")
_RATES = ("n", "k", "rate", "ci_low", "ci_high", "n_open", "n_lost")


def failures(
    jobs: pd.DataFrame,
    *,
    by: By = ("error_code", "error_step"),
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """List the kinds of failure, most frequent first: a Pareto table.

    Parameters
    ----------
    jobs : pandas.DataFrame
        A frame as ``Results.jobs``; rows with another status than ``failed`` are not looked at.
    by : str, sequence of str or None
        What makes a kind. A failure without code is a kind of its own, with a missing key.
    confidence_level : float
        Of the Wilson interval of each share.

    Returns
    -------
    pandas.DataFrame
        The ``by`` columns, ``n``, ``share`` of all failed jobs (their number is the sum of ``n``),
        ``cum_share`` (ends at 1), ``ci_low`` and ``ci_high`` of ``share``, ``retryable`` (what the service
        says of every job of the kind; missing where it contradicts itself or leaves one unsaid),
        ``example_job_id`` and ``example_message`` (of the job that ended first, by id where equal). Ties in
        ``n`` stand by key. No failed job, no row.

    Raises
    ------
    ConfigError
        When a column is not there, or ``confidence_level`` is not between 0 and 1.
    """
    require(jobs, _ABOUT_FAILURES)
    check_level(confidence_level)
    failed = jobs[outcomes_of(jobs).failed].reset_index(drop=True)
    groups = group_rows(failed, by, results=_FAILURES)
    n = groups.count()
    total = np.full_like(n, len(failed))
    low, high = wilson(n, total, confidence_level)
    examples = failed.iloc[_examples(failed, groups)].reset_index(drop=True)
    table = groups.table(
        {
            "n": n,
            "share": fractions(n, total),
            "ci_low": estimates(low),
            "ci_high": estimates(high),
            **({} if "retryable" in groups.keys else {"retryable": _agreed(failed, groups)}),
            "example_job_id": examples["job_id"],
            "example_message": examples["error_message"],
        }
    )
    table = table[table["n"] > 0].sort_values("n", ascending=False, kind="stable", ignore_index=True)
    cumulated = table["n"].cumsum().to_numpy()
    table.insert(list(table).index("ci_low"), "cum_share", fractions(cumulated, total[: len(table)]))
    return table


def _examples(failed: pd.DataFrame, groups: Groups) -> Counts:
    order = failed.sort_values(["ended_at", "job_id"], na_position="last").index.to_numpy()
    _, first = np.unique(groups.codes[order], return_index=True)
    return np.asarray(order[first], dtype=np.int64)


def _agreed(failed: pd.DataFrame, groups: Groups) -> pd.Series:
    n = groups.count()
    yes = groups.count(flags(failed["retryable"], missing=False)) == n
    no = groups.count(~flags(failed["retryable"], missing=True)) == n
    return pd.Series(pd.arrays.BooleanArray(yes, ~(yes | no)))


def failure_rates(
    jobs: pd.DataFrame, *, by: By = "document_type", confidence_level: float = 0.95
) -> pd.DataFrame:
    """Give the failure rate of each group among its jobs that ended.

    Parameters
    ----------
    jobs : pandas.DataFrame
        A frame as ``Results.jobs``.
    by : str, sequence of str or None
        Columns to group by; None gives one row.
    confidence_level : float
        Of the Wilson interval of each rate.

    Returns
    -------
    pandas.DataFrame
        The ``by`` columns, ``n`` (completed or failed), ``k`` (failed), ``rate``, ``ci_low``, ``ci_high``
        (missing where ``n`` is 0), and beside them what is not in ``n``: ``n_open`` and ``n_lost`` (no end
        was seen and none will be). In the order of the keys.

    Raises
    ------
    ConfigError
        When a column is not there, or ``confidence_level`` is not between 0 and 1.
    """
    require(jobs, ("status", "is_open"))
    groups = group_rows(jobs, by, results=_RATES)
    outcomes = outcomes_of(jobs)
    n, k = groups.count(outcomes.ended), groups.count(outcomes.failed)
    low, high = wilson(k, n, confidence_level)
    return groups.table(
        {
            "n": n,
            "k": k,
            "rate": fractions(k, n),
            "ci_low": estimates(low),
            "ci_high": estimates(high),
            "n_open": groups.count(outcomes.open),
            "n_lost": groups.count(outcomes.lost),
        }
    )
