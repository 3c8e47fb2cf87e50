"""Job ids from a file, as people keep them: a list, an export, a column of a spreadsheet."""

import codecs
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from docurift_nb.errors import ConfigError, show

COLUMN = "job_id"
_SEPARATORS = ",;\t"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
EXPECTED = f"one job id a line, or CSV with a column {COLUMN}"


def read_ids(source: str) -> list[str]:
    """Read job ids, duplicates merged, in their order.

    Parameters
    ----------
    source : str
        A file, or ``-`` for standard input. One id a line; blank lines and lines that start with ``#`` are
        skipped. Or CSV (comma, semicolon or tab) whose first line names a column ``job_id``. A byte order
        mark and UTF-16 are recognised.

    Raises
    ------
    ConfigError
        When it cannot be read, or holds no id.
    """
    stripped = (line.strip() for line in _text(source).splitlines())
    lines = [line for line in stripped if line and not line.startswith("#")]
    separator = next((mark for mark in _SEPARATORS if lines and mark in lines[0]), None)
    header = next(csv.reader(lines, delimiter=separator or ","), [])
    if COLUMN in [name.strip() for name in header]:
        ids = list(dict.fromkeys(_column(lines, separator or ",")))
    elif separator is not None:
        raise ConfigError(
            what=f"{_name(source)} holds no job ids",
            expected=EXPECTED,
            got=f"a first line {show(lines[0])}",
            advice=f"name the column with the ids {COLUMN}",
        )
    else:
        ids = list(dict.fromkeys(lines))
    if not ids:
        raise ConfigError(what=f"{_name(source)} holds no job ids", expected=EXPECTED, got="none")
    return ids


def _column(lines: list[str], separator: str) -> Iterator[str]:
    rows = csv.reader(lines, delimiter=separator)
    at = [name.strip() for name in next(rows)].index(COLUMN)
    for row in rows:
        if len(row) > at and row[at].strip():
            yield row[at].strip()


def _text(source: str) -> str:
    try:
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(what=f"{_name(source)} cannot be read", expected=EXPECTED, got=str(error)) from None


def _name(source: str) -> str:
    return "standard input" if source == "-" else show(source)
