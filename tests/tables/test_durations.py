from datetime import UTC, datetime
from fractions import Fraction
from math import ceil

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docurift_nb.errors import ConfigError
from docurift_nb.tables import durations
from tests.tables.frames import (
    NO_JOBS,
    START,
    at,
    completed,
    failed,
    frame,
    jobs_frames,
    pending,
    with_lost,
)


def _product_limit(ended: list[float], censored: list[float], q: float) -> float | None:
    # Kaplan and Meier with exact arithmetic; None where the curve does not get there.
    survival = Fraction(1)
    for time in sorted(set(ended)):
        at_risk = sum(other >= time for other in [*ended, *censored])
        survival *= 1 - Fraction(ended.count(time), at_risk)
        if survival <= 1 - Fraction(str(q)):
            return time
    return None


def test_without_open_jobs_the_quantiles_are_the_observed_ones() -> None:
    """Completed and failed jobs both end; a quantile is the shortest time that covers its share."""
    times = list(range(1, 21))
    records = [completed(n, seconds=n) if n % 3 else failed(n, seconds=n) for n in times]
    row = durations(frame(*records)).iloc[0]
    assert row[["n", "n_completed", "n_failed", "n_open", "n_excluded"]].tolist() == [20, 14, 6, 0, 0]
    assert (row["p50_s"], row["p95_s"]) == (times[ceil(20 * 0.5) - 1], times[ceil(20 * 0.95) - 1])
    assert row["p50_ci_low_s"] < row["p50_s"] < row["p50_ci_high_s"]


def test_open_jobs_make_a_fleet_slower_not_faster() -> None:
    """Jobs open for longer than the ended ones took raise the median; ignoring them would not."""
    ended = [completed(n, seconds=n) for n in range(1, 6)]
    still_open = [pending(n, seconds=100) for n in range(6, 10)]
    assert durations(frame(*ended), by=None).loc[0, "p50_s"] == 3
    row = durations(frame(*ended, *still_open), by=None).iloc[0]
    assert (row["n"], row["n_open"], row["p50_s"]) == (9, 4, 5)
    assert pd.isna(row["p95_s"])


def test_what_is_not_reached_is_missing() -> None:
    """All jobs open: they are counted, and there is not enough for a quantile."""
    row = durations(frame(pending(1), pending(2, seconds=5)), by=None).iloc[0]
    assert (row["n"], row["n_open"]) == (2, 2)
    assert row[["p50_s", "p95_s", "p50_ci_low_s"]].isna().all()


def test_negative_unknown_and_lost_durations_are_excluded_and_counted() -> None:
    """A job that ended before it began, one without an end time and a lost one are in no estimate."""
    jobs = with_lost(frame(completed(1), completed(2, seconds=-1), completed(3, seconds=None)))
    row = durations(jobs, by=None).iloc[0]
    assert (row["n"], row["n_excluded"], row["p50_s"]) == (1, 3, 10.0)


def test_now_is_the_latest_time_in_the_frame_unless_given() -> None:
    """Open jobs are as old as the last time anything was seen, so the table can be repeated."""
    jobs = frame(completed(1, seconds=10), pending(2, seconds=4), completed(3, seconds=30, kind="receipt"))
    latest = durations(jobs, now=datetime(2024, 1, 27, 10, 0, 30, tzinfo=UTC))
    pd.testing.assert_frame_equal(durations(jobs), latest)
    before = durations(jobs, now=START - pd.Timedelta(seconds=1)).iloc[0]
    assert (before["n_open"], before["n_excluded"]) == (0, 1)


@pytest.mark.parametrize("now", [datetime(2024, 1, 27), "2024-01-27", 5, pd.NaT])  # noqa: DTZ001  # refused
def test_a_now_without_zone_is_refused(now: object) -> None:
    """A time that could mean several moments is refused at the call."""
    with pytest.raises(ConfigError, match="expected a datetime with a zone"):
        durations(NO_JOBS, now=now)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("by", [None, "document_type"])
def test_durations_of_no_jobs_keep_their_dtypes(by: str | None) -> None:
    """One row of missing estimates overall, no row by group."""
    empty, full = durations(NO_JOBS, by=by), durations(frame(completed(1)), by=by)
    assert empty.dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()
    assert len(empty) == (by is None)


_times = st.lists(st.integers(0, 12).map(float), max_size=25)


@given(_times, _times)
def test_quantiles_are_those_of_the__product_limit(ended: list[float], open_for: list[float]) -> None:
    """With ties and censoring, the quantiles equal those of exact fractions."""
    records = [completed(n, seconds=time) for n, time in enumerate(ended)]
    records += [
        pending(len(ended) + n, seconds=20) | {"createdAt": at(20 - time)} for n, time in enumerate(open_for)
    ]
    row = durations(frame(*records), by=None, now=START + pd.Timedelta(seconds=20)).iloc[0]
    for q, name in ((0.5, "p50_s"), (0.95, "p95_s")):
        expected = _product_limit(ended, open_for, q)
        assert pd.isna(row[name]) if expected is None else row[name] == expected


@settings(max_examples=40)
@given(jobs_frames())
def test_every_job_is_used_or_excluded(jobs: pd.DataFrame) -> None:
    """Used and excluded jobs sum to all, and an interval holds its quantile."""
    table = durations(jobs)
    assert table[["n", "n_excluded"]].to_numpy().sum() == len(jobs)
    assert (table[["n_completed", "n_failed", "n_open"]].sum(axis="columns") == table["n"]).all()
    assert (table["p50_ci_low_s"] <= table["p50_s"]).fillna(value=True).all()
    assert (table["p50_s"] <= table["p50_ci_high_s"]).fillna(value=True).all()


@settings(max_examples=40)
@given(jobs_frames())
def test_the_order_of_jobs_does_not_matter(jobs: pd.DataFrame) -> None:
    """Reversed rows give the same table, to the last bit."""
    pd.testing.assert_frame_equal(durations(jobs[::-1]), durations(jobs), check_exact=True)
