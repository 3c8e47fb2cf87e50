import csv
import io
import json
import sys
from pathlib import Path

import pytest

from docurift_nb import Results
from tests.builders import as_answer, make_error, make_job_record
from tests.cli.conftest import Command

HOSTILE = "=cmd [red]red[/red] \x1b[31mred\x1b[0m \u202e"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three recorded answers, one of them with a hostile message."""
    records = [
        make_job_record(id="job_1"),
        make_job_record(id="job_2", documentType="receipt"),
        make_job_record("failed", id="job_3", error=make_error(message=HOSTILE)),
    ]
    path = tmp_path / "answers.ndjson"
    path.write_bytes(b"\n".join(map(as_answer, records)))
    return path


def test_all_tables_are_printed(command: Command, recording: Path) -> None:
    """Five tables, each with its title."""
    ended = command("report", recording)
    assert ended.code == 0
    titles = ["Overview", "Failures", "Failure rates", "Confidence", "Time to the end"]
    assert [title for title in titles if f"\n{title}" in "\n" + ended.out] == titles


def test_json_holds_the_tables_of_results(command: Command, recording: Path) -> None:
    """The numbers are those that a notebook shows."""
    tables = command("report", recording, "--json").document["tables"]
    expected = Results.from_json(recording).failure_rates()
    assert tables.keys() == {"overview", "failures", "failure_rates", "confidence", "durations"}
    assert [row["rate"] for row in tables["failure_rates"]] == expected["rate"].to_list()
    assert tables["failures"][0]["example_message"] == HOSTILE


def test_every_kind_of_source_gives_the_same(command: Command, recording: Path, tmp_path: Path) -> None:
    """What was written as Parquet is read as the same tables."""
    first = command("report", recording, "--parquet", tmp_path / "parquet", "--json").document
    second = command("report", tmp_path / "parquet", "--json").document
    assert second["tables"] == first["tables"]
    assert [Path(file).name for file in first["files"]] == [
        "jobs.parquet",
        "fields.parquet",
        "problems.parquet",
    ]


def test_a_dash_reads_standard_input(
    command: Command, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers can be piped in."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(recording.read_bytes())))
    assert command("report", "-", "--json").document["tables"]["overview"][0]["n"] == 3


def test_by_groups_every_table(command: Command, recording: Path) -> None:
    """Several columns may be named."""
    tables = command("report", recording, "--by", "status", "--by", "document_type", "--json").document[
        "tables"
    ]
    for table in tables.values():
        assert all({"status", "document_type"} <= row.keys() for row in table)
    assert len(tables["overview"]) == 3
    assert command("report", recording, "--by", "status").code == 0


def test_numbers_stay_whole_on_a_narrow_screen(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long texts are broken, and a share keeps its n and its interval."""
    record = make_job_record("failed", documentType="x" * 90, error=make_error(code="C" * 60))
    (tmp_path / "answers").write_bytes(as_answer(record))
    monkeypatch.setenv("COLUMNS", "60")
    out = command("report", "answers").out
    assert out.count("100.0% (21% to 100%)") == 2
    assert max(map(len, out.splitlines())) <= 60
    assert "example" not in out


def test_an_unknown_column_is_answered_with_the_nearest(command: Command, recording: Path) -> None:
    """It ends with 2 and a hint."""
    ended = command("report", recording, "--by", "document_typ")
    assert ended.code == 2
    assert "did you mean 'document_type'?" in ended.err


def test_hostile_text_is_shown_as_it_is(command: Command, recording: Path) -> None:
    """Markup is not interpreted, and control characters are made visible."""
    out = command("report", recording).out
    assert "=cmd [red]red[/red] \\x1b[31mred\\x1b[0m \\u202e" in out
    assert "\x1b" not in out


def test_hostile_text_is_no_formula_in_csv(command: Command, recording: Path, tmp_path: Path) -> None:
    """A spreadsheet takes it for text."""
    ended = command("report", recording, "--csv", tmp_path / "csv")
    with (tmp_path / "csv" / "jobs.csv").open(encoding="utf-8", newline="") as file:
        messages = [row["error_message"] for row in csv.DictReader(file)]
    assert messages == ["", "", "'" + HOSTILE]
    assert "jobs.csv" in ended.err


def test_hostile_names_are_shown_as_they_are(command: Command) -> None:
    """An error repeats no control character and interprets no markup."""
    ended = command("report", "[red]no\x1b[31msuch")
    assert ended.code == 2
    assert "[red]no" in ended.err
    assert "\x1b" not in ended.err


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\x00\x01\x02", b"SQLite format 3\x00" + bytes(84)])
def test_other_files_are_refused(command: Command, tmp_path: Path, content: bytes) -> None:
    """They are no archive and no recorded answers, and end with a code above 1."""
    (tmp_path / "other").write_bytes(content)
    ended = command("report", "other", "--json")
    assert ended.code == ended.document["exit_code"] in {2, 5}


def test_no_jobs_make_empty_tables(command: Command, tmp_path: Path) -> None:
    """An empty recording is a recording."""
    (tmp_path / "empty").write_bytes(b"")
    ended = command("report", "empty")
    assert ended.code == 0
    assert "jobs                      0" in ended.out
    assert json.dumps(command("report", "empty", "--json").document)


def test_a_directory_that_cannot_be_made_ends_with_2(command: Command, recording: Path) -> None:
    """A file in its place is not touched."""
    ended = command("report", recording, "--csv", recording / "csv")
    assert ended.code == 2
    assert "cannot be made" in ended.err
