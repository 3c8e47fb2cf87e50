import statistics
from math import nextafter

import pandas as pd
import pytest
from hypothesis import given, settings

from docurift_nb.errors import ConfigError
from docurift_nb.tables import confidence
from tests.tables.frames import NO_JOBS, completed, failed, frame, jobs_frames, pending

COLUMNS = [
    *("n", "n_missing", "mean", "p05", "p25", "p50", "p75", "p95"),
    *("ge_0.5", "ge_0.8", "ge_0.9", "ge_0.95", "ge_0.99", "n_invalid", "n_distinct", "max_tie_share"),
]


def test_confidence_describes_the_scores_of_completed_jobs() -> None:
    """Failed and open jobs do not count; quantiles interpolate as the statistics module does."""
    scores = [0.5, 0.7, 0.9, 0.9, 1.0]
    records = [completed(n, score) for n, score in enumerate(scores)]
    table = confidence(frame(*records, failed(7), pending(8)))
    assert list(table) == ["document_type", *COLUMNS]
    row = table.iloc[0]
    assert (row["n"], row["mean"]) == (5, pytest.approx(statistics.fmean(scores)))
    cuts = statistics.quantiles(scores, n=20, method="inclusive")
    assert row[["p05", "p25", "p50", "p75", "p95"]].tolist() == pytest.approx(
        [cuts[n] for n in (0, 4, 9, 14, 18)]
    )
    assert row[["ge_0.5", "ge_0.8", "ge_0.9", "ge_0.95"]].tolist() == [1, 0.6, 0.6, 0.2]
    assert (row["n_distinct"], row["max_tie_share"]) == (4, 0.4)


def test_missing_and_invalid_scores_are_counted_and_not_used() -> None:
    """A missing score and scores outside 0..1 stand in their own columns."""
    row = confidence(
        frame(*(completed(n, score) for n, score in enumerate([0.5, None, -0.1, 97]))), by=None
    ).iloc[0]
    assert row[["n", "n_missing", "n_invalid", "mean", "max_tie_share"]].tolist() == [1, 1, 2, 0.5, 1]


@pytest.mark.parametrize("score", [0.1, 0.3, 0.7, 0.9, 0.95])
def test_a_score_equal_to_a_threshold_reaches_it(score: float) -> None:
    """The comparison is inclusive and exact: the next smaller number does not reach it."""
    jobs = frame(completed(1, score), completed(2, nextafter(score, 0)))
    assert confidence(jobs, thresholds=[score]).loc[0, f"ge_{score}"] == 0.5


@pytest.mark.parametrize("thresholds", [[1.5], [-0.1], [float("nan")], [90]])
def test_thresholds_outside_the_scale_are_refused(thresholds: list[float]) -> None:
    """A threshold that no score can have is refused at the call."""
    with pytest.raises(ConfigError, match=r"expected scores in 0\.\.1"):
        confidence(frame(completed(1)), thresholds=thresholds)


def test_text_for_scores_is_refused() -> None:
    """A column of words is refused with what is expected of it."""
    with pytest.raises(ConfigError, match="column 'confidence' cannot be used; expected numbers"):
        confidence(frame(completed(1)).astype({"confidence": object}).assign(confidence="high"))


@pytest.mark.parametrize("jobs", [NO_JOBS, frame(failed(1), pending(2))], ids=["none", "none completed"])
def test_without_completed_jobs_nothing_is_estimated(jobs: pd.DataFrame) -> None:
    """One row of missing estimates overall, no row by group, and the dtypes of a full table."""
    full = confidence(frame(completed(1)))
    assert confidence(jobs).dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()
    assert confidence(jobs).empty
    row = confidence(jobs, by=None).iloc[0]
    assert row[["n", "n_missing", "n_invalid", "n_distinct"]].tolist() == [0] * 4
    assert row[["mean", "p50", "ge_0.5", "max_tie_share"]].isna().all()


@settings(max_examples=40)
@given(jobs_frames())
def test_shares_fall_as_thresholds_rise(jobs: pd.DataFrame) -> None:
    """A higher threshold is never reached by more, and every completed job is counted once."""
    table = confidence(jobs, thresholds=[0, 0.3, 0.5, 0.9, 1])
    shares = table[[name for name in table.columns if str(name).startswith("ge_")]].astype(float)
    assert (shares.diff(axis="columns").iloc[:, 1:].fillna(0) <= 0).all(axis=None)
    assert (shares["ge_0.0"].dropna() == 1).all()
    counted = table[["n", "n_missing", "n_invalid"]].to_numpy().sum()
    assert counted == (jobs["status"] == "completed").sum()


@settings(max_examples=40)
@given(jobs_frames())
def test_the_order_of_jobs_does_not_matter(jobs: pd.DataFrame) -> None:
    """Reversed rows give the same table, to the last bit."""
    pd.testing.assert_frame_equal(confidence(jobs[::-1]), confidence(jobs), check_exact=True)
