from collections.abc import Callable, Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from docurift_nb.errors import ConfigError
from docurift_nb.plots import LABEL_CHARACTERS, MAX_KINDS, plot_confidence, plot_durations, plot_failures
from docurift_nb.tables import confidence, durations, failures
from tests.tables.frames import NO_JOBS, completed, failed, frame, pending

JOBS = frame(
    *(completed(n, score, seconds=n) for n, score in enumerate([0.5, 0.7, 0.9, 0.9, 1.0], start=1)),
    *(failed(n, code, seconds=n) for n, code in enumerate(["OCR_FAILED", "OCR_FAILED", None], start=6)),
    pending(9, seconds=50, kind="receipt"),
)
PLOTS: list[tuple[Callable[..., Axes], Callable[..., pd.DataFrame]]] = [
    (plot_failures, failures),
    (plot_confidence, confidence),
    (plot_durations, durations),
]


@pytest.fixture(autouse=True)
def _without_a_screen() -> Iterator[None]:
    """Draw in memory, and close what was drawn."""
    before = mpl.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def _labels(ax: Axes) -> list[str]:
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]  # no subfigures here
    return [label.get_text() for label in ax.get_yticklabels()]


def _segments(ax: Axes) -> list[tuple[float, float]]:
    lines = [collection for collection in ax.collections if isinstance(collection, LineCollection)]
    return [
        (float(path[0, 0]), float(path[1, 0]))
        for line in lines
        for path in map(np.asarray, line.get_segments())
    ]


@pytest.mark.parametrize(("plot", "table"), PLOTS)
def test_plots_draw_on_the_axes_given(plot: Callable[..., Axes], table: Callable[..., pd.DataFrame]) -> None:
    """The axes given are drawn on and returned; without any a new figure is made."""
    given = plt.subplots()[1]
    assert plot(table(JOBS), ax=given) is given
    assert plot(table(JOBS)).figure is not given.figure


@pytest.mark.parametrize(("plot", "table"), PLOTS)
def test_plots_change_no_setting_and_show_nothing(
    plot: Callable[..., Axes], table: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Global settings are those of before, and no window is asked for."""
    shown: list[object] = []
    monkeypatch.setattr(plt, "show", lambda *args, **_: shown.append(args))
    before = mpl.rcParams.copy()
    plot(table(JOBS))
    assert (mpl.rcParams, shown) == (before, [])


@pytest.mark.parametrize(
    ("plot", "table", "text"),
    [
        (plot_failures, failures, "no failed jobs"),
        (plot_confidence, confidence, "no completed jobs with a confidence"),
        (plot_durations, durations, "no jobs with a known duration"),
    ],
)
@pytest.mark.parametrize("by", [None, "document_type"])
def test_without_data_a_plot_says_so(
    plot: Callable[..., Axes], table: Callable[..., pd.DataFrame], text: str, by: str | None
) -> None:
    """An empty table gives axes with a sentence and no marks."""
    ax = plot(table(NO_JOBS, by=by))
    assert [said.get_text() for said in ax.texts] == [text]
    assert not ax.lines
    assert not ax.patches


def test_failures_are_bars_with_intervals() -> None:
    """Bars are shares from the top down, whiskers their intervals, and labels and axis name the counts."""
    table = failures(JOBS, by="error_code")
    ax = plot_failures(table)
    assert [bar.get_width() for bar in ax.patches] == table["share"].tolist()  # type: ignore[attr-defined]  # bars
    assert _segments(ax) == list(zip(table["ci_low"], table["ci_high"], strict=True))
    assert list(np.asarray(ax.lines[0].get_xdata())) == table["cum_share"].tolist()
    assert _labels(ax) == ["OCR_FAILED (n=2)", "(none) (n=1)"]
    assert ax.get_xlabel() == "share of failed jobs (n=3)"
    assert ax.yaxis_inverted()


def test_many_kinds_end_in_one_bar_for_the_rest() -> None:
    """Kinds beyond the limit are summed, without interval, so that no failure is left out."""
    jobs = frame(*(failed(n, f"CODE_{n % 20:02}") for n in range(45)))
    ax = plot_failures(failures(jobs, by="error_code"))
    widths = [bar.get_width() for bar in ax.patches]  # type: ignore[attr-defined]  # bars
    assert len(widths) == MAX_KINDS
    assert sum(widths) == pytest.approx(1)
    assert len(_segments(ax)) == MAX_KINDS - 1
    assert _labels(ax)[-1] == "9 other kinds (n=18)"


def test_confidence_is_drawn_as_quantiles() -> None:
    """Each group has its outer and inner range, median and mean."""
    table = confidence(JOBS)
    ax = plot_confidence(table)
    row = table.iloc[0]
    assert _segments(ax) == [(row["p05"], row["p95"]), (row["p25"], row["p75"])]
    assert [line.get_xdata()[0] for line in ax.lines] == [row["p50"], row["mean"]]  # type: ignore[index]  # arrays
    assert _labels(ax) == ["invoice (n=5)"]
    low, high = ax.get_xlim()
    assert low <= row["p05"]
    assert high >= 1


def test_a_group_without_scores_says_so() -> None:
    """A group whose scores are all missing keeps its row, with words instead of marks."""
    ax = plot_confidence(confidence(frame(completed(1), completed(2, None, kind="receipt"))))
    assert _labels(ax) == ["invoice (n=1)", "receipt (n=0)"]
    assert [said.get_text() for said in ax.texts] == ["no score"]


def test_durations_that_are_not_reached_are_written() -> None:
    """A missing quantile is written as not enough; the axis names how many jobs are open."""
    ax = plot_durations(durations(JOBS))
    assert [said.get_text() for said in ax.texts] == ["median: not enough", "95th percentile: not enough"]
    assert ax.get_xlabel() == "seconds from creation to end (1 open jobs censored)"
    assert ax.get_xlim()[0] == 0


@pytest.mark.parametrize(("plot", "table"), PLOTS)
def test_hostile_labels_are_short_plain_text(
    plot: Callable[..., Axes], table: Callable[..., pd.DataFrame]
) -> None:
    """Mathematics, control characters and length in a key neither fail the drawing nor fill the figure."""
    kinds = [r"$\frac{", "a\nb\x1b[31m", "x" * 10_000, "$x$ $y$"]
    records = [*(completed(n, kind=kind) for n, kind in enumerate(kinds))]
    records += [failed(10 + n, "=1+1", kind=kind) for n, kind in enumerate(kinds)]
    ax = plot(table(frame(*records), by="document_type"))
    labels = _labels(ax)
    assert all(label.isprintable() for label in labels)
    assert max(map(len, labels)) <= LABEL_CHARACTERS + 25
    assert not any("$" in label.replace(r"\$", "") for label in labels)


@pytest.mark.parametrize(("plot", "table"), PLOTS)
def test_a_table_without_its_columns_is_refused(
    plot: Callable[..., Axes], table: Callable[..., pd.DataFrame]
) -> None:
    """Another table than the one a plot draws is refused by the column it lacks."""
    with pytest.raises(ConfigError, match="the table has no column 'n'"):
        plot(table(JOBS).drop(columns="n"))
