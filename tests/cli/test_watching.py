from collections.abc import Callable
from pathlib import Path

import pytest

from docurift_nb import Results
from docurift_nb.sandbox import Sandbox
from tests.cli.conftest import Command

IdsFile = Callable[..., Path]


def test_completed_jobs_end_with_0(command: Command, account: Sandbox, ids_file: IdsFile) -> None:
    """The tables go to standard output, the rest to standard error."""
    ended = command("watch", ids_file(account, 5), "--archive", "jobs.docurift")
    assert ended.code == 0
    assert "Overview" in ended.out
    assert "completed                 5" in ended.out
    assert "5 of 5 jobs ended and are kept in jobs.docurift" in ended.err
    assert "to go on" not in ended.err


def test_failed_jobs_end_with_1(command: Command, account: Sandbox, ids_file: IdsFile) -> None:
    """Failures are listed, and nothing is left to go on with."""
    ended = command("watch", ids_file(account, 5, failing=1.0), "--archive", "jobs.docurift")
    assert ended.code == 1
    assert "error_code" in ended.out
    assert "to go on" not in ended.err


def test_json_is_one_document(command: Command, account: Sandbox, ids_file: IdsFile) -> None:
    """It tells the counts, the cost and every column of the tables."""
    document = command("watch", ids_file(account, 5), "--archive", "jobs.docurift", "--json").document
    assert document["exit_code"] == 0
    assert document["error"] is None
    assert document["jobs"] == {"total": 5, "ended": 5, "counts": {"completed": 5}}
    assert document["receipt"]["requests"] == account.requests.total
    assert document["tables"]["overview"][0]["n_completed"] == 5


def test_a_second_run_asks_nothing(command: Command, account: Sandbox, ids_file: IdsFile) -> None:
    """What the archive knows to have ended costs no request."""
    arguments = ("watch", ids_file(account, 5), "--archive", "jobs.docurift", "--json")
    first, asked = command(*arguments).document, account.requests.total
    second = command(*arguments).document
    assert account.requests.total == asked
    assert second["receipt"]["requests"] == 0
    assert second["tables"] == first["tables"]


def test_an_unknown_job_is_not_found(command: Command, account: Sandbox, tmp_path: Path) -> None:
    """It ends the watch with 1 and is counted under its own name."""
    (tmp_path / "ids").write_text("job_nosuch\n", encoding="utf-8")
    document = command("watch", "ids", "--archive", "jobs.docurift", "--json").document
    assert document["exit_code"] == 1
    assert document["jobs"]["counts"] == {"not_found": 1}
    assert account.requests.by_status[404] == document["receipt"]["requests"]


def test_a_refused_key_ends_with_3(command: Command, account: Sandbox, ids_file: IdsFile) -> None:
    """One request is enough to know, and the jobs are not called failed."""
    path = ids_file(account, 5)
    account.set_key_state("disabled")
    ended = command("watch", path, "--archive", "jobs.docurift", "--json")
    assert ended.code == ended.document["exit_code"] == 3
    assert ended.document["error"]["type"] == "AuthError"
    assert ended.document["jobs"]["counts"] == {"unseen": 5}
    assert account.api_key not in ended.out + ended.err


def test_a_timeout_ends_with_4_and_tells_how_to_go_on(
    command: Command, account: Sandbox, ids_file: IdsFile
) -> None:
    """The line to go on with is the command itself."""
    path = ids_file(account, 3, never_finishing=1.0)
    ended = command("watch", path, "--archive", "jobs.docurift", "--timeout", "0.5")
    assert ended.code == 4
    assert f"docurift-nb watch {path} --archive jobs.docurift --timeout 0.5" in ended.err
    assert len(Results.from_archive(path.with_name("jobs.docurift"))) == 3


def test_another_file_than_an_archive_ends_with_5(
    command: Command, account: Sandbox, ids_file: IdsFile
) -> None:
    """It is left as it was."""
    path = ids_file(account, 1)
    before = path.read_bytes()
    ended = command("watch", path, "--archive", path, "--json")
    assert ended.code == ended.document["exit_code"] == 5
    assert ended.document["error"]["type"] == "NotAnArchiveError"
    assert path.read_bytes() == before


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    "arguments",
    [
        ("ids",),
        ("nosuch", "--archive", "a"),
        ("ids", "--archive", "a", "--max-rate", "0"),
        ("ids", "--archve", "a"),
    ],
)
def test_wrong_arguments_end_with_2(command: Command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """In words on standard error, and as the one document on standard output."""
    (tmp_path / "ids").write_text("job_1\n", encoding="utf-8")
    ended = command("watch", *arguments, "--json")
    assert ended.code == ended.document["exit_code"] == 2
    assert ended.err
    assert "Traceback" not in ended.err


def test_a_missing_key_ends_with_2(command: Command, tmp_path: Path) -> None:
    """The sentence names the variable and makes no archive."""
    (tmp_path / "ids").write_text("job_1\n", encoding="utf-8")
    ended = command("watch", "ids", "--archive", "jobs.docurift")
    assert ended.code == 2
    assert "DOCURIFT_API_KEY" in ended.err
    assert not (tmp_path / "jobs.docurift").exists()


def test_an_address_given_beats_the_environment(
    command: Command, account: Sandbox, ids_file: IdsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--base-url decides which DocuRift is asked."""
    monkeypatch.setenv("DOCURIFT_API_URL", "http://127.0.0.1:9/v1")
    ended = command("watch", ids_file(account, 2), "--archive", "a.docurift", "--base-url", account.url)
    assert ended.code == 0
