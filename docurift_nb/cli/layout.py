"""How tables look on a terminal and in JSON. It computes nothing.

On a terminal a table shows the columns that people compare; JSON, CSV and Parquet carry all of them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rich import box
from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from docurift_nb.errors import shorten

if TYPE_CHECKING:
    import pandas as pd

MISSING = "-"
LONGEST_CELL = 100
GAP = 2

Row = Mapping[str, Any]


class Column(NamedTuple):
    """One column on the screen; an optional one gives way where the screen is narrow."""

    title: str
    cell: Callable[[Row], str]
    is_number: bool = True
    is_optional: bool = False


def rows_of(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return a table's rows as JSON can hold them: missing as None, times as ISO 8601."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): _plain(value) for name, value in row.items()} for row in plain.to_dict("records")]


def _plain(value: Any) -> Any:  # noqa: ANN401  # any cell of any frame
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def table(title: str, frame: "pd.DataFrame", columns: Iterable[Column], *, width: int) -> Table:
    """Lay out a table for a terminal of that width.

    Where it is narrow, optional columns are left out from the right, then texts are broken. Numbers stay
    whole: one that is cut says something else.
    """
    rows = rows_of(frame)
    shown = list(columns)
    while _width(shown, rows) > width and any(column.is_optional for column in shown):
        shown.remove([column for column in shown if column.is_optional][-1])
    laid = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for column in shown:
        justify: JustifyMethod = "right" if column.is_number else "left"
        laid.add_column(Text(column.title), justify=justify, no_wrap=column.is_number, overflow="fold")
    for row in rows:
        laid.add_row(*(Text(column.cell(row)) for column in shown))
    if not rows:
        laid.add_row(Text("none"))
    return laid


def _width(columns: Iterable[Column], rows: Iterable[Row]) -> int:
    cells = [[column.title, *(column.cell(row) for row in rows)] for column in columns]
    return sum(max(map(cell_len, column)) + GAP for column in cells)


def facts(title: str, pairs: Iterable[tuple[str, str]]) -> Text:
    """Lay out names and values below each other."""
    lines = list(pairs)
    width = max(len(name) for name, _ in lines)
    head = Text(f"{title}\n", "bold")
    return head.append_text(
        Text("".join(f"{name:<{width}}  {shorten(value)}\n" for name, value in lines), "")
    )


def text(name: str, title: str | None = None, *, is_optional: bool = False) -> Column:
    """Show a text, cut and with control characters visible."""
    return Column(title or name, lambda row: _word(row[name]), is_number=False, is_optional=is_optional)


def count(name: str, title: str | None = None) -> Column:
    """Show a count."""
    return Column(title or name, lambda row: MISSING if row[name] is None else f"{row[name]:,}")


def number(name: str, digits: int, title: str | None = None) -> Column:
    """Show a number with fixed digits."""
    return Column(title or name, lambda row: MISSING if row[name] is None else f"{row[name]:,.{digits}f}")


def share(name: str, title: str | None = None) -> Column:
    """Show a fraction in percent with its interval."""
    return Column(title or f"{name} (95 %)", lambda row: _share(row[name], row["ci_low"], row["ci_high"]))


def _share(rate: float | None, low: float | None, high: float | None) -> str:
    if rate is None:
        return MISSING
    interval = "" if low is None or high is None else f" ({low:.0%} to {high:.0%})"
    return f"{rate:.1%}{interval}"


def _word(value: Any) -> str:  # noqa: ANN401  # any cell of any frame
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shorten(str(value), LONGEST_CELL)
