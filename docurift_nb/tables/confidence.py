"""What the scores look like; not whether they are right, which needs truth."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from docurift_nb.errors import ConfigError, show
from docurift_nb.tables.columns import Counts, Floats, estimates, floats, fractions, outcomes_of, require
from docurift_nb.tables.groups import By, group_rows

THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99)
_QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
_RESULTS = ("n", "n_missing", "n_invalid", "mean", *_QUANTILES, "n_distinct", "max_tie_share")


def confidence(
    jobs: pd.DataFrame, *, by: By = "document_type", thresholds: Sequence[float] = THRESHOLDS
) -> pd.DataFrame:
    """Describe the distribution of the confidence of completed jobs.

    Parameters
    ----------
    jobs : pandas.DataFrame
        A frame as ``Results.jobs``; only rows with status ``completed`` count.
    by : str, sequence of str or None
        Columns to group by; None gives one row, also where nothing is completed.
    thresholds : sequence of float
        Scores at which to give the share of jobs that reach them. A score equal to a threshold reaches
        it; the numbers are compared as they are, nothing is rounded.

    Returns
    -------
    pandas.DataFrame
        The ``by`` columns, ``n`` (scores used: the denominator of all that follows), ``n_missing``
        (completed without a score), ``mean``, ``p05`` to ``p95`` (linear interpolation), ``ge_0.5`` and so
        on for each threshold, ``n_invalid`` (scores outside 0..1: counted here and used nowhere),
        ``n_distinct`` scores and ``max_tie_share``, the share of ``n`` that the most frequent score has. In
        the order of the keys.

    Raises
    ------
    ConfigError
        When a column is not there, or a threshold is not in 0..1.
    """
    require(jobs, ("status", "is_open", "confidence"))
    levels = _levels(thresholds)
    completed = outcomes_of(jobs).completed
    groups = group_rows(jobs, by, rows=completed, results=(*_RESULTS, *levels))
    scores = floats(jobs["confidence"])[completed]
    missing = np.isnan(scores)
    valid = (scores >= 0) & (scores <= 1)
    n = groups.count(valid)
    pieces = groups.pieces(np.where(valid, scores, np.nan))
    return groups.table(
        {
            "n": n,
            "n_missing": groups.count(missing),
            **_summaries(pieces),
            **{name: fractions(groups.count(valid & (scores >= at)), n) for name, at in levels.items()},
            "n_invalid": groups.count(~missing & ~valid),
            **_ties(pieces, n),
        }
    )


def _levels(thresholds: Sequence[float]) -> dict[str, float]:
    for at in thresholds:
        if not 0 <= at <= 1:
            raise ConfigError(
                what="thresholds cannot be used",
                expected="scores in 0..1",
                got=show(at),
                advice=f"{at / 100:g}" if 1 < at <= 100 else "",
            )
    return {f"ge_{float(at)!r}": float(at) for at in thresholds}


def _summaries(pieces: Sequence[Floats]) -> dict[str, pd.Series]:
    nothing = np.full(1 + len(_QUANTILES), np.nan)
    levels = list(_QUANTILES.values())
    # Each piece is sorted, so its sum does not depend on the order of the jobs.
    rows = [np.r_[piece.mean(), np.quantile(piece, levels)] if piece.size else nothing for piece in pieces]
    found = np.array(rows).reshape(-1, len(nothing))
    return {name: estimates(found[:, at]) for at, name in enumerate(("mean", *_QUANTILES))}


def _ties(pieces: Sequence[Floats], n: Counts) -> dict[str, object]:
    # Each piece is sorted: a run of equal scores ends where the next one differs.
    ends = [np.flatnonzero(np.append(piece[1:] != piece[:-1], piece.size > 0)) for piece in pieces]
    repeats = [np.diff(places, prepend=-1) for places in ends]
    most = np.array([counts.max(initial=0) for counts in repeats], dtype=np.int64)
    distinct = np.array([counts.size for counts in repeats], dtype=np.int64)
    return {"n_distinct": distinct, "max_tie_share": fractions(most, n)}
