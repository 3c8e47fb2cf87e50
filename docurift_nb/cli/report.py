"""``docurift-nb report``: the tables of jobs that were kept, on the screen, as JSON, CSV or Parquet."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docurift_nb as dn
from docurift_nb.cli import layout
from docurift_nb.cli.layout import Column, count, number, rows_of, share, text
from docurift_nb.cli.screen import Screen
from docurift_nb.errors import ConfigError, show

if TYPE_CHECKING:
    import pandas as pd

    from docurift_nb.results import Results

SQLITE_MAGIC = b"SQLite format 3\x00"
DEFAULT_BY = ("document_type",)
FAILURE_BY = ("error_code", "error_step")

TITLES = {
    "overview": "Overview",
    "failures": "Failures",
    "failure_rates": "Failure rates, of the jobs that ended",
    "confidence": "Confidence, of the completed jobs",
    "durations": "Time to the end, open jobs counted as open",
}
_COLUMNS: Mapping[str, Sequence[Column]] = {
    "overview": [
        count("n"),
        count("n_completed", "completed"),
        count("n_failed", "failed"),
        count("n_open", "open"),
        count("n_lost", "lost"),
        count("n_scored", "scored"),
    ],
    "failures": [
        count("n"),
        share("share"),
        text("retryable"),
        text("example_job_id", "example", is_optional=True),
        text("example_message", "message", is_optional=True),
    ],
    "failure_rates": [count("n"), count("k", "failed"), share("rate"), count("n_open", "open")],
    "confidence": [
        count("n"),
        count("n_missing", "missing"),
        number("mean", 3),
        number("p05", 3),
        number("p50", 3),
        number("p95", 3),
        Column(">= 0.9", lambda row: "-" if row["ge_0.9"] is None else f"{row['ge_0.9']:.1%}"),
    ],
    "durations": [
        count("n"),
        count("n_open", "open"),
        number("p50_s", 1, "p50 (s)"),
        number("p95_s", 1, "p95 (s)"),
    ],
}


def report(
    screen: Screen,
    source: str,
    *,
    by: Sequence[str] = (),
    csv: Path | None = None,
    parquet: Path | None = None,
) -> None:
    """Print all tables of what ``source`` holds, and write it to directories where asked to.

    Raises
    ------
    ConfigError
        When the source cannot be read, a column is not there, or a directory cannot be written.
    ArchiveError
        When it is an archive and cannot be used.
    """
    results = read_results(source)
    tables = make_tables(results, by=by)
    files = write_files(results, csv=csv, parquet=parquet)
    print_tables(screen, tables, by=by)
    for file in files:
        screen.say(f"wrote {file}")
    screen.answer(
        {"exit_code": 0, "error": None, "source": source, "tables": as_json(tables), "files": files}
    )


def read_results(source: str) -> "Results":
    """Read an archive, a Parquet directory, or JSON (``-``: from standard input), whichever it is.

    Raises
    ------
    ConfigError, ArchiveError
        When it cannot be read, or nothing in it is a job.
    """
    if source == "-":
        results = dn.Results.from_json(sys.stdin.buffer)
    elif Path(source).is_dir():
        results = dn.Results.from_parquet(source)
    elif _is_sqlite(source):
        results = dn.Results.from_archive(source)
    else:
        results = dn.Results.from_json(source)
    if not len(results) and len(results.problems):
        raise ConfigError(
            what=f"nothing in {show(source)} can be read as a job",
            expected="an archive, recorded answers (NDJSON or JSON), or a directory of to_parquet",
            got=f"{len(results.problems):,} unreadable records",
        )
    return results


def _is_sqlite(source: str) -> bool:
    try:
        with Path(source).open("rb") as file:
            return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except (OSError, ValueError) as error:
        raise ConfigError(
            what=f"{show(source)} cannot be read", expected="an archive or recorded answers", got=str(error)
        ) from None


def make_tables(results: "Results", *, by: Sequence[str] = ()) -> "dict[str, pd.DataFrame]":
    """Make every table, grouped by ``by``, or as each is by default."""
    groups = tuple(by) or DEFAULT_BY
    return {
        "overview": results.overview(by=tuple(by) or None),
        "failures": results.failures(by=tuple(by) or FAILURE_BY),
        "failure_rates": results.failure_rates(by=groups),
        "confidence": results.confidence(by=groups),
        "durations": results.durations(by=groups),
    }


def print_tables(
    screen: Screen, tables: "Mapping[str, pd.DataFrame]", *, by: Sequence[str] = (), names: Sequence[str] = ()
) -> None:
    """Print the tables with these names; all of them where none is named."""
    for name in names or tables:
        if name == "overview" and not by:
            screen.show(layout.facts(TITLES[name], _overview(tables[name])))
            continue
        keys = tuple(by) or (FAILURE_BY if name == "failures" else DEFAULT_BY)
        rest = [column for column in _COLUMNS[name] if column.title not in keys]
        columns = [*map(text, keys), *rest]
        screen.show(layout.table(TITLES[name], tables[name], columns, width=screen.width))


def _overview(frame: "pd.DataFrame") -> list[tuple[str, str]]:
    row = rows_of(frame)[0]
    counts = ("n", "n_completed", "n_failed", "n_open", "n_lost", "n_scored", "n_fields", "n_problems")
    names = (
        "jobs",
        "completed",
        "failed",
        "open",
        "lost",
        "with a score",
        "fields",
        "breaches of the contract",
    )
    times = ("first_created_at", "last_ended_at")
    return [
        *((name, count(column).cell(row)) for name, column in zip(names, counts, strict=True)),
        *((name.replace("_", " "), _minute(row[name])) for name in times),
    ]


def _minute(moment: str | None) -> str:
    return layout.MISSING if moment is None else moment[:16].replace("T", " ") + " UTC"


def as_json(tables: "Mapping[str, pd.DataFrame]") -> dict[str, list[dict[str, Any]]]:
    """Return the tables as JSON can hold them, every column of them."""
    return {name: rows_of(frame) for name, frame in tables.items()}


def write_files(results: "Results", *, csv: Path | None = None, parquet: Path | None = None) -> list[str]:
    """Write ``jobs.csv`` and the three Parquet files into their directories, made where missing.

    Raises
    ------
    ConfigError
        When one cannot be written.
    """
    files = []
    if csv is not None:
        make_folder(csv)
        results.to_csv(csv / "jobs.csv")
        files.append(str(csv / "jobs.csv"))
    if parquet is not None:
        results.to_parquet(parquet)
        files += [str(parquet / f"{name}.parquet") for name in ("jobs", "fields", "problems")]
    return files


def make_folder(folder: Path) -> None:
    """Make a directory where there is none.

    Raises
    ------
    ConfigError
        When that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise ConfigError(
            what=f"{show(str(folder))} cannot be made", expected="a place for a directory", got=str(error)
        ) from None
