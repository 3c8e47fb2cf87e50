import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from scipy.stats import binomtest

from docurift_nb.errors import ConfigError
from docurift_nb.tables import failure_rates, failures
from tests.tables.frames import NO_JOBS, completed, failed, frame, jobs_frames, pending, with_lost

COLUMNS = [
    *("n", "share", "cum_share", "ci_low", "ci_high", "retryable", "example_job_id", "example_message"),
]


def test_failures_rank_kinds_of_failure() -> None:
    """Shares are of failed jobs only, ranked by count, with Wilson intervals and a running sum."""
    records = [*(failed(n) for n in range(3)), failed(3, "TIMEOUT"), completed(4), pending(5)]
    table = failures(frame(*records))
    assert list(table) == ["error_code", "error_step", *COLUMNS]
    assert list(table["error_code"]) == ["OCR_FAILED", "TIMEOUT"]
    assert list(table["n"]) == [3, 1]
    assert list(table["share"]) == [0.75, 0.25]
    assert list(table["cum_share"]) == [0.75, 1.0]
    expected = binomtest(3, 4).proportion_ci(0.95, method="wilson")
    assert tuple(table.loc[0, ["ci_low", "ci_high"]]) == (expected.low, expected.high)


def test_equal_counts_stand_by_key_and_a_missing_code_last() -> None:
    """A failure without code is a kind of its own, after named ones of the same count."""
    table = failures(frame(failed(1, None), failed(2, "B"), failed(3, "A")), by="error_code")
    assert list(table["error_code"].fillna("missing")) == ["A", "B", "missing"]


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ([True, True], True),
        ([False, False], False),
        ([True, False], None),
        ([True, None], None),
        ([None, None], None),
    ],
)
def test_retryable_is_told_only_where_all_jobs_agree(said: list[bool | None], verdict: object) -> None:
    """One job that says otherwise, or nothing, makes the answer missing."""
    table = failures(frame(*(failed(n, retryable=word) for n, word in enumerate(said))))
    assert table["retryable"].dtype == "boolean"
    assert table["retryable"].tolist() == [pd.NA if verdict is None else verdict]


def test_retryable_may_be_a_key() -> None:
    """Grouped by retryable, the column stands once, as a key."""
    table = failures(frame(failed(1, retryable=True), failed(2, retryable=None)), by="retryable")
    assert list(table) == ["retryable", *(name for name in COLUMNS if name != "retryable")]


def test_the_example_is_the_job_that_ended_first() -> None:
    """Of equal ends the smaller id is shown, and jobs without an end come last."""
    endless = {key: value for key, value in failed(0).items() if key != "failedAt"}
    late, tied, first = failed(1, seconds=20), failed(3), failed(2)
    row = failures(frame(endless, late, tied, first)).iloc[0]
    assert (row["example_job_id"], row["example_message"]) == ("job_002", "message 2")


@pytest.mark.parametrize("by", [None, "error_code", ("error_code", "document_type")])
@pytest.mark.parametrize("jobs", [NO_JOBS, frame(completed(1))], ids=["none", "none failed"])
def test_without_failures_there_is_no_row(jobs: pd.DataFrame, by: str | None) -> None:
    """Columns and dtypes are those of a full table."""
    full = failures(frame(failed(1)), by=by)
    assert failures(jobs, by=by).dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()
    assert failures(jobs, by=by).empty


def test_by_none_makes_one_kind() -> None:
    """Without keys there is one row over all failed jobs."""
    table = failures(frame(failed(1), failed(2, "TIMEOUT")), by=None)
    assert (list(table), table.loc[0, "n"], table.loc[0, "share"]) == (COLUMNS, 2, 1.0)


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("eror_code", "did you mean 'error_code'"),
        (["status", "typ"], "no column 'typ'"),
        (["n"], "expected a name that the table itself does not use"),
        ([], "a column name, several, or None"),
        (3, "a column name, several, or None"),
        ([3], "a column name, several, or None; got 3"),
    ],
)
def test_unusable_keys_are_refused(by: object, message: str) -> None:
    """A column that is not there, or would collide with a result, is refused at the call."""
    jobs = frame(failed(1)).assign(n=1)
    with pytest.raises(ConfigError, match=message):
        failures(jobs, by=by)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("level", [0, 1, 95, -0.1])
def test_levels_outside_the_unit_interval_are_refused(level: float) -> None:
    """A percent is answered with the fraction it may have meant."""
    for table in (failures, failure_rates):
        with pytest.raises(ConfigError, match=r"To try: 0.95\."):
            table(frame(failed(1)), confidence_level=level)


def test_failure_rates_name_their_denominator() -> None:
    """A rate is of jobs that ended; open and lost ones stand beside it."""
    records = [completed(1), completed(2), failed(3), pending(4), pending(5, kind="receipt")]
    table = failure_rates(with_lost(frame(*records)))
    assert list(table["document_type"].fillna("missing")) == ["invoice", "receipt", "missing"]
    assert table[["n", "k", "n_open", "n_lost"]].to_numpy().tolist() == [
        [3, 1, 1, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
    ]
    interval = binomtest(1, 3).proportion_ci(0.95, method="wilson")
    assert tuple(table.loc[0, ["rate", "ci_low", "ci_high"]]) == (1 / 3, interval.low, interval.high)
    assert table.loc[1:, ["rate", "ci_low", "ci_high"]].isna().all(axis=None)


def test_failure_rates_of_no_jobs() -> None:
    """Without keys there is one row, and its rate is missing."""
    row = failure_rates(NO_JOBS, by=None).iloc[0]
    assert (row["n"], row["k"]) == (0, 0)
    assert pd.isna(row["rate"])
    assert failure_rates(NO_JOBS).empty


def test_own_frames_need_no_nullable_dtypes() -> None:
    """Plain object, bool and NaN columns, categories and any index give the same tables."""
    jobs = frame(failed(1), failed(2, None), completed(3), pending(4, kind=None))
    plain = jobs.astype({"status": object, "error_code": "category", "retryable": object, "is_open": bool})
    plain.index = pd.Index([7, 7, 3, 1])
    for table in (failures, failure_rates):
        own, ours = (table(rows).astype(object).fillna("missing") for rows in (plain, jobs))
        pd.testing.assert_frame_equal(own, ours)


@settings(max_examples=40)
@given(jobs_frames())
def test_shares_of_failures_add_up(jobs: pd.DataFrame) -> None:
    """Counts sum to the failed jobs, the running share rises to exactly 1, intervals hold their share."""
    table = failures(jobs)
    n_failed = int((jobs["status"] == "failed").sum())
    assert table["n"].sum() == n_failed
    assert table["n"].is_monotonic_decreasing
    assert table["cum_share"].is_monotonic_increasing
    assert not n_failed or table["cum_share"].iloc[-1] == 1
    assert ((table["ci_low"] <= table["share"] + 1e-12) & (table["share"] <= table["ci_high"] + 1e-12)).all()


@settings(max_examples=40)
@given(jobs_frames())
def test_the_order_of_jobs_does_not_matter(jobs: pd.DataFrame) -> None:
    """Reversed rows give the same tables, to the last bit."""
    pd.testing.assert_frame_equal(failures(jobs[::-1]), failures(jobs), check_exact=True)
    pd.testing.assert_frame_equal(failure_rates(jobs[::-1]), failure_rates(jobs), check_exact=True)


@settings(max_examples=40)
@given(jobs_frames())
def test_rates_add_up_to_all_jobs(jobs: pd.DataFrame) -> None:
    """Every job is in exactly one of the counts of its group."""
    table = failure_rates(jobs)
    assert table[["n", "n_open", "n_lost"]].to_numpy().sum() == len(jobs)
    assert np.all(table["k"] <= table["n"])
