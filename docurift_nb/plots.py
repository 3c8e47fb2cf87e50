"""Tables to axes: each function draws one table and returns the ``Axes``.

A plot has two halves: a spec, plain numbers and finished labels taken from a table, and the drawing of it.
Nothing here computes a statistic, shows a figure or changes matplotlib's settings. Colours are from the
palette of Okabe and Ito, and no meaning rests on colour alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from docurift_nb.errors import shorten
from docurift_nb.tables.columns import Floats, floats, require

MAX_KINDS = 12
LABEL_CHARACTERS = 36
NOTHING = "(none)"

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#595959"


@dataclass(frozen=True, eq=False)
class _Rows:
    """Labelled rows of named numbers, top down; NaN where a number is missing."""

    labels: tuple[str, ...]
    numbers: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, name: str) -> Floats:
        return self.numbers[name]


def plot_failures(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw kinds of failure as a Pareto chart: bars with intervals, and the cumulative share.

    Parameters
    ----------
    table : pandas.DataFrame
        As ``tables.failures`` returns it. Kinds beyond ``MAX_KINDS`` are drawn as one bar, without interval.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ConfigError
        When a column is missing.
    """
    rows = _failure_rows(table)
    ax = _axes(ax, len(rows))
    if not rows.labels:
        return _say(ax, "no failed jobs")
    places = np.arange(float(len(rows)))
    ax.barh(places, rows["share"], height=0.62, color=_BLUE, label="share of failed jobs, with interval")
    _whiskers(ax, places, rows["ci_low"], rows["ci_high"])
    line = ax.plot(rows["cum_share"], places, "o-", color=_ORANGE, label="cumulative share")
    plt.setp(line, markersize=4, linewidth=1)
    _label_rows(ax, rows.labels)
    ax.set_xlim(0, 1.02)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set_xlabel(f"share of failed jobs (n={int(rows['n'].sum()):,})", loc="right")
    _legend(ax)
    return ax


def plot_confidence(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw where the scores of each group lie: 5th to 95th percentile, middle half, median and mean.

    Parameters
    ----------
    table : pandas.DataFrame
        As ``tables.confidence`` returns it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ConfigError
        When a column is missing.
    """
    rows = _rows(table, ("n", "mean", "p05", "p25", "p50", "p75", "p95"))
    ax = _axes(ax, len(rows))
    if not rows["n"].any():
        return _say(ax, "no completed jobs with a confidence")
    places = np.arange(float(len(rows)))
    ax.hlines(places, rows["p05"], rows["p95"], color=_GREY, linewidth=1.5, label="5th to 95th percentile")
    ax.hlines(places, rows["p25"], rows["p75"], color=_BLUE, linewidth=7, alpha=0.55, label="middle half")
    ax.plot(rows["p50"], places, "|", color="black", markersize=14, markeredgewidth=2, label="median")
    ax.plot(rows["mean"], places, "D", color=_ORANGE, markersize=5, label="mean")
    _say_where_missing(ax, rows["p50"], "no score")
    _label_rows(ax, rows.labels)
    ax.set_xlim(max(0.0, np.floor(np.nanmin(rows["p05"]) * 20 - 0.5) / 20), 1.005)
    ax.set_xlabel("confidence of completed jobs, as the service gave it", loc="right")
    _legend(ax)
    return ax


def plot_durations(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the median and the 95th percentile of the time to the end, with their intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        As ``tables.durations`` returns it. A quantile that is missing is written as "not enough".
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ConfigError
        When a column is missing.
    """
    limits = [f"{name}_{end}" for name in ("p50", "p95") for end in ("s", "ci_low_s", "ci_high_s")]
    rows = _rows(table, ("n", "n_open", *limits))
    ax = _axes(ax, len(rows))
    if not rows["n"].any():
        return _say(ax, "no jobs with a known duration")
    places = np.arange(float(len(rows)))
    for name, marker, color, word in (
        ("p50", "o", _BLUE, "median"),
        ("p95", "D", _ORANGE, "95th percentile"),
    ):
        at = np.asarray(places + (-0.14 if name == "p50" else 0.14), dtype=np.float64)
        _whiskers(ax, at, rows[f"{name}_ci_low_s"], rows[f"{name}_ci_high_s"])
        ax.plot(rows[f"{name}_s"], at, marker, color=color, markersize=6, label=f"{word}, with interval")
        _say_where_missing(ax, rows[f"{name}_s"], f"{word}: not enough", offset=at - places)
    _label_rows(ax, rows.labels)
    ax.set_xlim(left=0)
    n_open = int(rows["n_open"].sum())
    ax.set_xlabel(f"seconds from creation to end ({n_open:,} open jobs censored)", loc="right")
    _legend(ax)
    return ax


def _rows(table: pd.DataFrame, names: Sequence[str]) -> _Rows:
    require(table, names, argument="the table")
    keys = table[list(table.columns)[: list(table.columns).index("n")]]
    numbers = {name: floats(table[name]) for name in names}
    labels = [
        f"{_plain(key)} (n={int(n):,})"
        for key, n in zip(keys.itertuples(index=False), numbers["n"], strict=True)
    ]
    return _Rows(tuple(labels), numbers)


def _failure_rows(table: pd.DataFrame) -> _Rows:
    names = ("n", "share", "cum_share", "ci_low", "ci_high")
    rows = _rows(table, names)
    if len(rows) <= MAX_KINDS:
        return rows
    top = MAX_KINDS - 1
    n, share = rows["n"][top:].sum(), rows["share"][top:].sum()
    rest = dict(zip(names, (n, share, 1.0, np.nan, np.nan), strict=True))
    label = f"{len(rows) - top:,} other kinds (n={int(n):,})"
    numbers = {name: np.append(rows[name][:top], rest[name]) for name in names}
    return _Rows((*rows.labels[:top], label), numbers)


def _plain(key: tuple[Any, ...]) -> str:
    """Return a label that is one line, short, and never read as mathematics."""
    words = [NOTHING if pd.isna(part) else str(part) for part in key]
    room = LABEL_CHARACTERS // max(len(words), 1)
    return " · ".join(_short(word, room) for word in words).replace("$", r"\$") or "all jobs"


def _short(text: str, room: int) -> str:
    # The tail stays: long codes tend to share their beginning.
    tail = "" if len(text) <= room else shorten(text[-(room // 3) :])
    return shorten(text, max(room - len(tail), 1)) + tail


def _axes(ax: Axes | None, n_rows: int) -> Axes:
    if ax is not None:
        return ax
    return plt.subplots(figsize=(8, 1.6 + 0.34 * max(n_rows, 2)), layout="constrained")[1]


def _say(ax: Axes, text: str) -> Axes:
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=_GREY)
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def _say_where_missing(ax: Axes, values: Floats, text: str, offset: Floats | None = None) -> None:
    for row in np.flatnonzero(np.isnan(values)):
        at = row + (0.0 if offset is None else float(offset[row]))
        ax.text(
            0.99,
            at,
            text,
            transform=ax.get_yaxis_transform(),
            ha="right",
            va="center",
            color=_GREY,
            fontsize="small",
        )


def _whiskers(ax: Axes, places: Floats, low: Floats, high: Floats) -> None:
    known = ~(np.isnan(low) | np.isnan(high))
    ax.hlines(places[known], low[known], high[known], color="black", linewidth=1.2)


def _label_rows(ax: Axes, labels: Sequence[str]) -> None:
    ax.set_yticks(np.arange(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color="0.9")
    ax.set_axisbelow(True)


def _legend(ax: Axes) -> None:
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, frameon=False, fontsize="small")
