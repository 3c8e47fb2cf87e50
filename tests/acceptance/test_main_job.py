"""The main job: recorded answers of real documents, watched over real HTTP to the end, as tables."""

import json
import statistics
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pandas.testing import assert_frame_equal

import docurift_nb as dn
from docurift_nb.archive import open_reader
from docurift_nb.sandbox import Sandbox
from docurift_nb.sandbox.requestlog import Requests
from docurift_nb.watcher import Receipt
from tests.conftest import RECORDED

TABLES = ("overview", "failures", "failure_rates", "confidence", "durations")


class Run(NamedTuple):
    """One watched replay: where it was kept, what came back, and what was asked for it."""

    archive: Path
    results: dn.Results
    receipt: Receipt
    requests: Requests


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, recording: Path) -> Run:
    """Watch the replay once for all tests of this module."""
    archive = tmp_path_factory.mktemp("main") / "fleet.docurift"
    with Sandbox(seed=0, speed=20.0) as sandbox, dn.Client(sandbox.api_key, sandbox.url) as client:
        ids = sandbox.replay(recording)
        with dn.watch(ids, client=client, archive=archive, display="off") as watch:
            results = watch.wait(timeout=60)
            return Run(archive, results, watch.receipt, sandbox.requests)


@pytest.fixture(scope="module")
def recording() -> Path:
    """Give what the fixture ``recorded`` gives, for the whole module."""
    path = RECORDED / "recorded_jobs.ndjson"
    if not path.exists():
        pytest.skip("the recorded jobs do not lie beside this checkout")
    return path


@pytest.fixture(scope="module")
def records(recording: Path) -> list[dict[str, Any]]:
    """Give the recorded jobs as plain parsed JSON."""
    return [json.loads(line)["data"] for line in recording.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("table", TABLES)
def test_the_watched_jobs_give_the_tables_of_the_file(run: Run, recording: Path, table: str) -> None:
    """What went over HTTP, a scheduler and an archive tabulates as the file itself does."""
    expected = getattr(dn.Results.from_json(recording), table)()

    assert_frame_equal(getattr(run.results, table)(), expected)


@pytest.mark.parametrize("table", TABLES)
def test_the_archive_gives_the_same_tables(run: Run, table: str) -> None:
    """The results can be had again from the file that the watch has left."""
    again = getattr(dn.Results.from_archive(run.archive), table)()

    assert_frame_equal(again, getattr(run.results, table)())


def test_the_counts_are_those_of_the_file(run: Run, records: list[dict[str, Any]]) -> None:
    """The overview agrees with counting the parsed lines by hand."""
    row = run.results.overview().iloc[0]
    scores = [record["result"]["confidence"] for record in records]

    assert row["n"] == row["n_completed"] == len(records) == 474
    assert row["n_open"] == row["n_failed"] == row["n_lost"] == 0
    assert row["n_scored"] == sum(score is not None for score in scores)
    assert row["n_fields"] == sum(len(record["result"]["extractedFields"]) for record in records)


def test_the_scores_are_those_of_the_file(run: Run, records: list[dict[str, Any]]) -> None:
    """Mean and median by type agree with the standard library's, out-of-range scores left out."""
    table = run.results.confidence().set_index("document_type")
    for kind in ("invoice", "receipt"):
        given = [r["result"]["confidence"] for r in records if r["documentType"] == kind]
        valid = [score for score in given if score is not None and 0 <= score <= 1]

        assert table.loc[kind, "n"] == len(valid)
        assert table.loc[kind, "n_missing"] == given.count(None)
        assert table.loc[kind, "mean"] == pytest.approx(statistics.fmean(valid))
        assert table.loc[kind, "p50"] == pytest.approx(statistics.median(valid))
        assert table.loc[kind, "ge_0.9"] == pytest.approx(sum(score >= 0.9 for score in valid) / len(valid))


def test_the_durations_are_those_of_the_file(run: Run, records: list[dict[str, Any]]) -> None:
    """Without open jobs the median is the lower one of the recorded times, in seconds."""
    times = [
        (
            datetime.fromisoformat(record["completedAt"]) - datetime.fromisoformat(record["createdAt"])
        ).total_seconds()
        for record in records
    ]
    row = run.results.durations(by=None).iloc[0]

    assert row["n"] == len(times)
    assert row["p50_s"] == pytest.approx(statistics.median_low(times))


def test_every_raw_answer_is_kept_as_it_was_recorded(run: Run, recording: Path) -> None:
    """The archive holds the recorded bytes, not a rewriting of them."""
    lines = {json.loads(line)["data"]["id"]: line for line in recording.read_bytes().splitlines()}
    with open_reader(run.archive) as archive:
        kept = {seen.job_id: seen.job.raw for seen in archive.observations() if seen.job is not None}

    assert kept == lines


def test_no_job_is_asked_about_after_its_end(run: Run) -> None:
    """Each final answer was delivered, and was the last thing asked about its job."""
    assert len(run.requests.delivered) == 474
    assert run.requests.after_end == {}


def test_the_receipt_is_what_the_service_counted(run: Run) -> None:
    """Requests of the watch are requests of the sandbox, and all of them brought an answer."""
    assert run.receipt.requests == run.receipt.answers == run.requests.total
    assert run.receipt.ended == 474
