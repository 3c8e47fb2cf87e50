import csv
import gzip
import json
import pickle
import shutil
import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docurift_nb import tables
from docurift_nb.archive import Archive, Entry
from docurift_nb.errors import ConfigError, NotAnArchiveError
from docurift_nb.frames import FIELDS_SCHEMA, JOBS_SCHEMA, PROBLEMS_SCHEMA, to_frame
from docurift_nb.models import Observation, Seen, decode_records
from docurift_nb.results import Results
from tests.builders import (
    CATALOGUE,
    Record,
    as_answer,
    as_bytes,
    broken_records,
    make_error,
    make_job,
    make_job_record,
    typed_records,
)

RECORDS = [
    make_job_record(id="job_1"),
    make_job_record("failed", id="job_2"),
    make_job_record("pending", id="job_3"),
]
LINES = [as_answer(record) for record in RECORDS]


def _same(left: Results, right: Results) -> bool:
    for frames in ((left.jobs, right.jobs), (left.fields, right.fields), (left.problems, right.problems)):
        pd.testing.assert_frame_equal(*frames)
    return True


def test_repr_counts_jobs_and_problems() -> None:
    """The repr says how many jobs stand where, and mentions lost ones only where there are any."""
    results = Results.from_jobs(
        [make_job(), make_job("failed", id="b"), make_job("pending", id="c", progress=None)]
    )
    assert repr(results) == "<Results: 3 jobs, 1 completed, 1 failed, 1 open, 1 problems>"
    lost = Results.from_observations([Observation(job_id="x", seen=Seen.EXPIRED, ended=True)])
    assert repr(lost) == "<Results: 1 jobs, 0 completed, 0 failed, 0 open, 1 lost, 0 problems>"
    assert (len(results), len(lost)) == (3, 1)


@pytest.mark.parametrize(
    "form",
    [
        LINES,
        [line.decode() for line in LINES],
        [f"{line.decode()}\r\n" for line in LINES],
        [*LINES[:1], b"", b" \n", "\t", *LINES[1:]],
        [b"\xef\xbb\xbf" + LINES[0], *LINES[1:]],
        ["\ufeff" + LINES[0].decode(), *LINES[1:]],
        [bytearray(LINES[0]), memoryview(LINES[1]), LINES[2]],
        RECORDS,
        [{"success": True, "data": record} for record in RECORDS],
        [as_bytes(record) for record in RECORDS],
    ],
    ids=[
        "bytes",
        "text",
        "line ends",
        "blanks",
        "mark",
        "text mark",
        "buffers",
        "dicts",
        "envelopes",
        "bare",
    ],
)
def test_from_json_takes_records_in_any_form(form: list[Any]) -> None:
    """Lines and mappings, with or without envelope, one by one or lazily, are the same results."""
    expected = Results.from_jobs(decode_records(LINES))
    assert _same(Results.from_json(form), expected)
    assert _same(Results.from_json(iter(form)), expected)


_FILES = {
    "lines": b"\n".join(LINES) + b"\n",
    "windows": b"\r\n".join([*LINES, b""]),
    "blank lines": b"\n\n" + b"\n \n".join(LINES),
    "mark": b"\xef\xbb\xbf" + b"\n".join(LINES),
    "utf-16": b"\n".join(LINES).decode().encode("utf-16"),
    "gzip": gzip.compress(b"\n".join(LINES)),
    "array": json.dumps(RECORDS).encode(),
    "indented array": json.dumps(RECORDS, indent=2).encode(),
    "marked array": b"\xef\xbb\xbf" + json.dumps(RECORDS).encode(),
    "array of envelopes": b"[" + b",\n".join(LINES) + b"]",
}


@pytest.mark.parametrize("name", _FILES)
def test_from_json_recognises_files(name: str, tmp_path: Path) -> None:
    """Lines, arrays, marks, UTF-16 and gzip are told apart by content, by path or by text of a path."""
    path = tmp_path / "answers"
    path.write_bytes(_FILES[name])
    expected = Results.from_jobs(decode_records(LINES))
    assert _same(Results.from_json(path), expected)
    assert _same(Results.from_json(str(path)), expected)


@pytest.mark.parametrize(
    ("content", "n_jobs", "records"),
    [
        (b"", 0, []),
        (b"[]", 0, []),
        (json.dumps(RECORDS[0], indent=2).encode(), 1, []),
        (b"\n".join([LINES[0], b"{cut", LINES[1]]), 2, [1]),
        (b"\n".join([b"<html>", LINES[0]]), 1, [0]),
        (b"[1, null, " + LINES[0] + b"]", 1, [0, 1]),
        (b"[NaN, " + LINES[0] + b"]", 1, [0]),
        (LINES[0] + b"\n[]\n" + LINES[1], 2, [1]),
        (b"[" + LINES[0], 0, [0]),
        (b"\xff\xfe\xff", 0, [0]),
    ],
    ids=[
        "nothing",
        "no record",
        "one",
        "bad line",
        "page",
        "array",
        "NaN",
        "list line",
        "cut array",
        "cut UTF-16",
    ],
)
def test_from_json_keeps_what_it_cannot_read(
    content: bytes, n_jobs: int, records: list[int], tmp_path: Path
) -> None:
    """An unreadable record is listed under its index and costs no other record."""
    path = tmp_path / "answers.ndjson"
    path.write_bytes(content)
    results = Results.from_json(path)
    assert len(results) == n_jobs
    problems = results.problems
    assert list(problems.loc[problems["code"] == "record_unreadable", "record"]) == records


def test_from_json_lists_elements_that_are_no_records() -> None:
    """Numbers, lists and nothing among the lines are unreadable records, not errors."""
    odd: list[Any] = [5, None, float("nan"), [1], LINES[0]]
    results = Results.from_json(odd)
    assert (len(results), list(results.problems["record"])) == (1, [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("no/such/file.ndjson", "cannot read the file 'no/such/file.ndjson'.*No such file"),
        ('{"id": "a"}', r"To try: text\.splitlines\(\)"),
        ("nul\x00byte", "cannot read the file"),
        (b"{}", "got bytes"),
        (RECORDS[0], r"got dict.*\[record\]"),
        (5, "got int"),
        ([make_job()], "got a Job.*from_jobs"),
    ],
    ids=["no file", "text", "NUL", "bytes", "one dict", "number", "jobs"],
)
def test_from_json_refuses_what_is_no_source(given: Any, message: str) -> None:  # noqa: ANN401  # anything
    """An argument that is neither a file nor records is refused with what to try."""
    with pytest.raises(ConfigError, match=message):
        Results.from_json(given)


def test_a_damaged_gzip_file_is_refused(tmp_path: Path) -> None:
    """A packed file that is cut off is an error about the file, as its end is unknown."""
    path = tmp_path / "answers.gz"
    path.write_bytes(gzip.compress(b"\n".join(LINES))[:-12])
    with pytest.raises(ConfigError, match="cannot read the file"):
        Results.from_json(path)


def test_changing_a_frame_changes_no_table() -> None:
    """Frames handed out are copies, down to their arrays."""
    results = Results.from_json(LINES)
    before = results.overview(), results.confidence()
    for frame in (results.jobs, results.fields, results.problems):
        frame.iloc[:, 0] = pd.NA
        del frame[frame.columns[-1]]
    results.jobs["confidence"].array[0] = 0.1
    pd.testing.assert_frame_equal(results.overview(), before[0])
    pd.testing.assert_frame_equal(results.confidence(), before[1])


def test_results_cannot_be_reassigned() -> None:
    """A result is a value: its parts cannot be replaced."""
    results = Results.from_jobs([])
    with pytest.raises(AttributeError):
        results.jobs = pd.DataFrame()  # type: ignore[misc]  # the point of the test


def test_methods_are_the_free_functions() -> None:
    """Each table of the object is the function of the same name on its frames, options passed on."""
    results = Results.from_json([make_job_record(id=f"job_{n}") for n in range(3)] + RECORDS)
    jobs, now = results.jobs, datetime(2024, 1, 28, tzinfo=UTC)
    pairs = [
        (results.overview(by="status"), tables.overview(jobs, results.problems, by="status")),
        (results.failures(by="error_code"), tables.failures(jobs, by="error_code")),
        (results.failure_rates(confidence_level=0.9), tables.failure_rates(jobs, confidence_level=0.9)),
        (results.confidence(thresholds=[0.7]), tables.confidence(jobs, thresholds=[0.7])),
        (results.durations(now=now, by=None), tables.durations(jobs, now=now, by=None)),
    ]
    for method, function in pairs:
        pd.testing.assert_frame_equal(method, function)


def test_from_archive_reads_answers_and_endings(tmp_path: Path) -> None:
    """Answers come back with their fields, and a job that was not found is lost, neither failed nor open."""
    path = tmp_path / "a.docurift"
    seen_at = datetime(2026, 1, 1, tzinfo=UTC)
    entry = Entry(
        job_id="job_1", observed_at=seen_at, seen=Seen.FRESH, raw=LINES[0], status="completed", ended=True
    )
    with Archive(path) as archive:
        archive.commit([entry, Entry(job_id="gone", observed_at=seen_at, seen=Seen.NOT_FOUND, ended=True)])
    results = Results.from_archive(path)
    assert repr(results) == "<Results: 2 jobs, 1 completed, 0 failed, 0 open, 1 lost, 0 problems>"
    assert results.jobs.set_index("job_id")["observation"].to_dict() == {
        "job_1": "fresh",
        "gone": "not_found",
    }
    assert len(results.fields) == 5


def test_from_archive_refuses_other_files(tmp_path: Path) -> None:
    """A file that is no archive is refused and left as it is."""
    path = tmp_path / "a.docurift"
    path.write_text("not an archive, " * 100)
    with pytest.raises(NotAnArchiveError):
        Results.from_archive(path)


def test_results_pickle() -> None:
    """A pickled result reads the same, fields included."""
    results = Results.from_json(LINES)
    assert _same(pickle.loads(pickle.dumps(results)), results)  # noqa: S301  # our own bytes


def test_parquet_round_trip(tmp_path: Path) -> None:
    """Frames come back equal, dtypes and all, twice into the same place, and nothing else is left there."""
    results = Results.from_json([case.body for case in CATALOGUE.values()] + LINES)
    for _ in range(2):
        results.to_parquet(tmp_path / "out")
    assert _same(Results.from_parquet(tmp_path / "out"), results)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"jobs.parquet", "fields.parquet", "problems.parquet"}


@settings(max_examples=25)
@given(st.lists(typed_records() | broken_records(), max_size=4))
def test_any_records_survive_parquet_and_json(tmp_path: Path, records: list[Record]) -> None:
    """Written as lines or as Parquet and read again, any records give the same frames."""
    lines = [as_bytes(record) for record in records]
    results = Results.from_json(lines)
    (tmp_path / "lines").write_bytes(b"\n".join(lines))
    assert _same(Results.from_json(tmp_path / "lines"), results)
    results.to_parquet(tmp_path / "out")
    assert _same(Results.from_parquet(tmp_path / "out"), results)


def test_files_of_two_writes_are_not_read_as_one(tmp_path: Path) -> None:
    """After a write that did not finish, reading refuses rather than mixing old and new."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        Results.from_json(LINES).to_parquet(folder)
    reread = Results.from_parquet(two)
    shutil.copy(one / "fields.parquet", two)
    with pytest.raises(ConfigError, match="do not belong together"):
        Results.from_parquet(two)
    with pytest.raises(ConfigError, match="replaced since"):
        _ = reread.fields


@pytest.mark.parametrize("content", [None, b"", b"PAR1 but no more"], ids=["missing", "empty", "damaged"])
def test_from_parquet_refuses_other_directories(content: bytes | None, tmp_path: Path) -> None:
    """A missing or damaged file is named, with what was expected."""
    if content is not None:
        (tmp_path / "jobs.parquet").write_bytes(content)
    with pytest.raises(ConfigError, match=r"cannot be read; expected a directory with jobs\.parquet"):
        Results.from_parquet(tmp_path)


def test_places_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    """Writing where a file stands in the way leaves that file and no draft behind."""
    (tmp_path / "file").write_text("mine")
    for write in (Results.from_jobs([]).to_parquet, Results.from_jobs([]).to_csv):
        with pytest.raises(ConfigError, match="cannot be written"):
            write(tmp_path / "file" / "below")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_csv_holds_no_formula(start: str, tmp_path: Path) -> None:
    """A text that a spreadsheet would run gets an apostrophe; numbers and other texts stay."""
    record = make_job_record("failed", error=make_error(code=f"{start}1+1", message="a=b"), progress=-5)
    Results.from_json([record]).to_csv(tmp_path / "jobs.csv")
    with (tmp_path / "jobs.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["error_code"] == f"'{start}1+1"
    assert (row["error_message"], row["progress"]) == ("a=b", "-5.0")
    assert row["failed_at"] == "2024-01-27T10:30:20.000000Z"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\u2028"])
def test_csv_cells_cannot_start_a_row(end: str, tmp_path: Path) -> None:
    """A line end inside a text stays inside its cell, so that what follows is no cell of its own."""
    message = f"broken{end}=1+1"
    record = make_job_record("failed", error=make_error(message=message))
    Results.from_json([record]).to_csv(tmp_path / "jobs.csv")
    with (tmp_path / "jobs.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["error_message"] == message
    assert f'"{message}"' in (tmp_path / "jobs.csv").read_bytes().decode() or end == "\u2028"


def test_csv_of_all_awkward_records_holds_no_formula(tmp_path: Path) -> None:
    """No cell of text starts with a character that a spreadsheet takes for a formula."""
    Results.from_json([case.body for case in CATALOGUE.values()]).to_csv(tmp_path / "jobs.csv")
    with (tmp_path / "jobs.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r", "\n"))]


def test_schemas_match_the_frames_of_no_jobs() -> None:
    """Results of nothing have all columns."""
    results = Results.from_jobs([])
    for frame, schema in (
        (results.jobs, JOBS_SCHEMA),
        (results.fields, FIELDS_SCHEMA),
        (results.problems, PROBLEMS_SCHEMA),
    ):
        pd.testing.assert_frame_equal(frame, to_frame(pa.Table.from_batches([], schema)))


def _recorded_by_type(path: Path) -> dict[str, list[dict[str, Any]]]:
    jobs = [json.loads(line)["data"] for line in path.read_text(encoding="utf-8").splitlines()]
    jobs.sort(key=lambda job: job["documentType"])
    return {kind: list(group) for kind, group in groupby(jobs, key=lambda job: job["documentType"])}


def test_confidence_of_the_recorded_jobs(recorded: Path) -> None:
    """The table of 474 real documents equals what the standard library computes from the file."""
    table = Results.from_json(recorded).confidence().set_index("document_type")
    for kind, jobs in _recorded_by_type(recorded).items():
        given = [job["result"]["confidence"] for job in jobs]
        scores = [score for score in given if score is not None and 0 <= score <= 1]
        cuts = statistics.quantiles(scores, n=20, method="inclusive")
        expected = [
            len(scores),
            given.count(None),
            statistics.fmean(scores),
            *(cuts[n] for n in (0, 4, 9, 14, 18)),
        ]
        expected += [sum(score >= at for score in scores) / len(scores) for at in (0.5, 0.8, 0.9, 0.95, 0.99)]
        expected += [len(jobs) - len(scores) - given.count(None), len(set(scores))]
        expected += [max(Counter(scores).values()) / len(scores)]
        assert list(table.loc[kind]) == pytest.approx(expected, rel=1e-12)


def test_durations_of_the_recorded_jobs(recorded: Path) -> None:
    """Median and 95th percentile of real durations equal the sorted times of the file."""
    table = Results.from_json(recorded).durations().set_index("document_type")
    for kind, jobs in _recorded_by_type(recorded).items():
        ends = [
            (datetime.fromisoformat(job["completedAt"]), datetime.fromisoformat(job["createdAt"]))
            for job in jobs
        ]
        times = sorted((end - start) / timedelta(seconds=1) for end, start in ends)
        expected = [len(times), len(times), 0, 0, *(times[ceil(len(times) * q) - 1] for q in (0.5, 0.95))]
        names = ["n", "n_completed", "n_failed", "n_open", "p50_s", "p95_s"]
        assert list(table.loc[kind, names]) == pytest.approx(expected, rel=1e-12)


def test_overview_of_the_recorded_jobs(recorded: Path) -> None:
    """Counts of jobs, scores and fields equal those of the file; nothing failed, nothing is open."""
    results, jobs = Results.from_json(recorded), [*chain(*_recorded_by_type(recorded).values())]
    row = results.overview().iloc[0]
    n_fields = sum(len(job["result"]["extractedFields"]) for job in jobs)
    n_scored = sum(job["result"]["confidence"] is not None for job in jobs)
    assert row[["n", "n_completed", "n_failed", "n_open", "n_lost"]].tolist() == [
        len(jobs),
        len(jobs),
        0,
        0,
        0,
    ]
    assert (row["n_fields"], len(results.fields), row["n_scored"]) == (n_fields, n_fields, n_scored)
    assert row["first_created_at"] == min(pd.Timestamp(job["createdAt"]) for job in jobs)
    assert results.failures().empty
    assert results.failure_rates()["k"].tolist() == [0, 0]


def test_failures_of_recorded_jobs_made_to_fail(recorded: Path) -> None:
    """With known failures put in, shares and rates equal plain counts."""
    jobs = [*chain(*_recorded_by_type(recorded).values())]
    kept = [job for number, job in enumerate(jobs) if number % 5]
    failing = [job for number, job in enumerate(jobs) if number % 5 == 0]
    codes = [("OCR_FAILED", "TIMEOUT", "OCR_FAILED")[number % 3] for number in range(len(failing))]
    made = [
        make_job_record("failed", id=job["id"], documentType=job["documentType"], error=make_error(code=code))
        for job, code in zip(failing, codes, strict=True)
    ]
    results = Results.from_json([*kept, *made])
    shares = results.failures(by="error_code").set_index("error_code")["share"]
    assert shares.to_dict() == {code: n / len(codes) for code, n in Counter(codes).items()}
    rates = results.failure_rates().set_index("document_type")
    for kind, n in Counter(job["documentType"] for job in jobs).items():
        k = sum(job["documentType"] == kind for job in failing)
        assert (rates.loc[kind, "n"], rates.loc[kind, "k"], rates.loc[kind, "rate"]) == (n, k, k / n)
