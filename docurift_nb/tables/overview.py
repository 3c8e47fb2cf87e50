"""How far the jobs are, and whether their records can be trusted."""

import numpy as np
import pandas as pd

from docurift_nb.tables.columns import floats, outcomes_of, require
from docurift_nb.tables.groups import By, Groups, group_rows

_NEEDED = (
    "job_id",
    "status",
    "is_open",
    "confidence",
    "n_fields",
    "created_at",
    "updated_at",
    "ended_at",
)
_RESULTS = (
    "n",
    "n_completed",
    "n_failed",
    "n_open",
    "n_lost",
    "n_scored",
    "n_fields",
    "n_jobs_with_problems",
    "n_problems",
    "n_records_without_job",
    "first_created_at",
    "last_updated_at",
    "last_ended_at",
)


def overview(jobs: pd.DataFrame, problems: pd.DataFrame | None = None, *, by: By = None) -> pd.DataFrame:
    """Count jobs by outcome, with their span in time and the problems of their records.

    Parameters
    ----------
    jobs, problems : pandas.DataFrame
        Frames as ``Results.jobs`` and ``Results.problems``; without ``problems`` their counts are missing.
    by : str, sequence of str or None
        Columns to group by; None gives one row.

    Returns
    -------
    pandas.DataFrame
        The ``by`` columns, then ``n = n_completed + n_failed + n_open + n_lost`` (``n_lost``: looking ended
        before an end was seen), ``n_scored`` (with a confidence), ``n_fields`` (sum over jobs),
        ``n_jobs_with_problems``, ``n_problems`` (theirs), ``n_records_without_job`` (records that could not
        be read or have no id; missing under ``by``, as they belong to no group), ``first_created_at``,
        ``last_updated_at``, ``last_ended_at``.

    Raises
    ------
    ConfigError
        When a column is not there.
    """
    require(jobs, _NEEDED)
    groups = group_rows(jobs, by, results=_RESULTS)
    outcomes = outcomes_of(jobs)
    fields = np.nan_to_num(floats(jobs["n_fields"]))
    columns: dict[str, object] = {
        "n": groups.count(),
        "n_completed": groups.count(outcomes.completed),
        "n_failed": groups.count(outcomes.failed),
        "n_open": groups.count(outcomes.open),
        "n_lost": groups.count(outcomes.lost),
        "n_scored": groups.count(~np.isnan(floats(jobs["confidence"]))),
        "n_fields": groups.total(fields),
        **_problem_counts(jobs, problems, groups, whole=by is None),
        "first_created_at": _extreme(jobs, "created_at", groups, "min"),
        "last_updated_at": _extreme(jobs, "updated_at", groups, "max"),
        "last_ended_at": _extreme(jobs, "ended_at", groups, "max"),
    }
    return groups.table(columns)


def _problem_counts(
    jobs: pd.DataFrame, problems: pd.DataFrame | None, groups: Groups, *, whole: bool
) -> dict[str, object]:
    names = ("n_jobs_with_problems", "n_problems", "n_records_without_job")
    if problems is None:
        return {name: pd.Series(pd.NA, groups.keys.index, "Int64") for name in names}
    require(problems, ("job_id", "record"), argument="problems")
    per_job = problems["job_id"].value_counts()
    # Few jobs have problems, and looking up each of the others costs more than all the rest of the table.
    concerned = jobs["job_id"].isin(per_job.index).to_numpy(dtype=bool)
    of_jobs = np.zeros(len(jobs))
    of_jobs[concerned] = floats(jobs.loc[concerned, "job_id"].map(per_job))
    homeless = problems.loc[problems["job_id"].isna(), "record"].nunique() if whole else pd.NA
    counts = (groups.count(of_jobs > 0), groups.total(of_jobs), [homeless] * len(groups.keys))
    columns = (pd.Series(count, groups.keys.index, "Int64") for count in counts)
    return dict(zip(names, columns, strict=True))


def _extreme(jobs: pd.DataFrame, column: str, groups: Groups, which: str) -> pd.Series:
    times = jobs[column].reset_index(drop=True)
    found = times.groupby(groups.codes).agg(which).reindex(groups.keys.index)
    return found.astype(times.dtype)
