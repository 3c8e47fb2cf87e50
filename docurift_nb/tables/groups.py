"""Rows to groups: which rows belong together, and under which keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from docurift_nb.errors import ConfigError, show
from docurift_nb.tables.columns import Bools, Counts, Floats, require

By: TypeAlias = str | Sequence[str] | None


@dataclass(frozen=True, eq=False)
class Groups:
    """A partition of the rows of a frame.

    Attributes
    ----------
    keys : pandas.DataFrame
        One row per group, ascending, missing keys last; the dtypes of the frame.
    codes : ndarray of int64
        For each row of the frame the row of ``keys``.
    """

    keys: pd.DataFrame
    codes: Counts

    def count(self, rows: Bools | None = None) -> Counts:
        """Count rows per group: all, or those where ``rows`` holds."""
        codes = self.codes if rows is None else self.codes[rows]
        return np.bincount(codes, minlength=len(self.keys)).astype(np.int64)

    def total(self, counts: Counts | Floats) -> Counts:
        """Add up counts per group."""
        return np.bincount(self.codes, counts, len(self.keys)).astype(np.int64)

    def pieces(self, values: Floats) -> list[Floats]:
        """Split values by group, each piece sorted, NaN left out."""
        if len(self.keys) == 0:
            return []
        kept = ~np.isnan(values)
        order = np.argsort(self.codes[kept], kind="stable")
        return [np.sort(piece) for piece in np.split(values[kept][order], np.cumsum(self.count(kept))[:-1])]

    def table(self, columns: dict[str, object]) -> pd.DataFrame:
        """Put the keys before the columns of a result."""
        return pd.concat([self.keys, pd.DataFrame(columns, index=self.keys.index)], axis="columns")


def group_rows(
    frame: pd.DataFrame, by: By, *, rows: Bools | None = None, results: Iterable[str] = ()
) -> Groups:
    """Group rows by one or more columns; ``None`` makes one group of all rows, even of none.

    Parameters
    ----------
    rows : ndarray of bool, optional
        Group only the rows where it holds; ``codes`` then has one entry for each of those.
    results : iterable of str
        Columns that the table adds; a key may not have the name of one.

    Raises
    ------
    ConfigError
        When a column is not there, or bears the name of a result.
    """
    names = _names(by)
    require(frame, names, argument="by: the frame")
    for name in set(names) & set(results):
        raise ConfigError(
            what=f"by={show(name)} cannot be used",
            expected="a name that the table itself does not use",
            advice="rename the column first",
        )
    frame = frame[names] if rows is None else frame.loc[rows, names]
    if not names:
        return Groups(pd.DataFrame(index=pd.RangeIndex(1)), np.zeros(len(frame), dtype=np.int64))
    codes, values = pd.factorize(_codes(frame, names), sort=True)
    first = np.zeros(len(values), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return Groups(frame.iloc[first].reset_index(drop=True), codes.astype(np.int64))


def _names(by: object) -> list[str]:
    if by is None:
        return []
    names: list[object] = list(by) if isinstance(by, Iterable) and not isinstance(by, str) else [by]
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong or not names:
        got = show(wrong[0] if wrong else by)
        raise ConfigError(what="by cannot be used", expected="a column name, several, or None", got=got)
    return list(dict.fromkeys(map(str, names)))


def _codes(frame: pd.DataFrame, names: Sequence[str]) -> Counts:
    codes = np.zeros(len(frame), dtype=np.int64)
    for name in names:
        found, values = pd.factorize(frame[name], sort=True)
        ranks = np.where(found < 0, len(values), found)
        # Renumbered after each column, so that the product of many columns cannot overflow.
        codes = pd.factorize(codes * (len(values) + 1) + ranks, sort=True)[0].astype(np.int64)
    return codes
