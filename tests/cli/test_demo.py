from pathlib import Path

import pytest

from docurift_nb import Results
from tests.builders import as_answer, make_job_record
from tests.cli.conftest import Command


def test_the_demo_runs_from_end_to_end(command: Command, tmp_path: Path) -> None:
    """It watches, prints its tables, and leaves an archive, CSV and Parquet behind."""
    ended = command("demo", "--jobs", "12", "--speed", "200", "--out", "out")
    assert ended.code == 0, ended.err
    assert "checked: all 12 jobs agree with the sandbox" in ended.err
    for title in ("Overview", "Failures", "Confidence", "Time to the end"):
        assert title in ended.out
    assert len(Results.from_archive(tmp_path / "out" / "demo.docurift")) == 12
    assert len(Results.from_parquet(tmp_path / "out" / "parquet")) == 12
    assert (tmp_path / "out" / "jobs.csv").read_text(encoding="utf-8").count("\njob_") == 12


def test_the_demo_resumes_from_its_archive(command: Command) -> None:
    """Run again into the same directory, it asks nothing twice."""
    arguments = ("demo", "--jobs", "5", "--speed", "200", "--json")
    first, second = command(*arguments).document, command(*arguments).document
    assert first["exit_code"] == second["exit_code"] == 0
    assert second["receipt"]["requests"] == 0
    assert second["tables"] == first["tables"]


def test_the_demo_survives_faults(command: Command) -> None:
    """Answers that go wrong fail no job."""
    document = command("demo", "--jobs", "12", "--speed", "200", "--faults", "--json").document
    assert document["exit_code"] == document["n_wrong"] == 0
    assert document["receipt"]["lost"] > 0


def test_the_demo_replays_a_recording(command: Command, tmp_path: Path) -> None:
    """The recorded jobs are what it watches."""
    records = [make_job_record(id=f"job_{n}") for n in range(3)]
    (tmp_path / "answers.ndjson").write_bytes(b"\n".join(map(as_answer, records)))
    document = command("demo", "--replay", "answers.ndjson", "--speed", "200", "--json").document
    assert document["exit_code"] == 0
    assert document["jobs"]["counts"] == {"completed": 3}


@pytest.mark.parametrize(
    "arguments", [("--replay", "nosuch"), ("--speed", "0"), ("--jobs", "0"), ("--out", "/dev/null/x")]
)
def test_a_demo_that_cannot_be_done_ends_with_2(command: Command, arguments: tuple[str, str]) -> None:
    """The reason is one sentence."""
    ended = command("demo", *arguments, "--json")
    assert ended.code == ended.document["exit_code"] == 2
    assert "Traceback" not in ended.err


def test_recorded_answers_come_back_whole(command: Command, recorded: Path) -> None:
    """Hundreds of real documents, replayed fast, agree with the recording."""
    document = command("demo", "--replay", recorded, "--speed", "1000", "--json").document
    assert document["exit_code"] == document["n_wrong"] == 0
    assert document["jobs"]["counts"] == {"completed": document["jobs"]["total"]}
