import json
import signal
from pathlib import Path

import pytest

import docurift_nb as dn
from docurift_nb.cli.app import app
from tests.cli.conftest import Command
from tests.cli.processes import running


def test_the_sandbox_serves_until_interrupted(tmp_path: Path) -> None:
    """It prints one JSON document, answers with jobs, and ends with 0 at Ctrl+C."""
    with running("sandbox", "--submit", "3", "--json", "--ids-file", tmp_path / "ids") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        with dn.Client(told["api_key"], told["url"]) as client:
            assert client.job(told["job_ids"][0]).job_id == told["job_ids"][0]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (0, "", "")
    assert (tmp_path / "ids").read_text(encoding="utf-8").split() == told["job_ids"]
    assert told["url"].startswith("http://127.0.0.1:")


def test_listening_beyond_this_machine_is_warned_of() -> None:
    """And happens only when asked for."""
    with running("sandbox", "--host", "0.0.0.0") as process:  # noqa: S104  # what is warned of
        assert process.stderr is not None
        assert "warning: listening on 0.0.0.0" in process.stderr.readline()
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--speed", "-1"),
        ("--fault", "nosuch"),
        ("--fault", "500=x"),
        ("--rate-limit", "0"),
        ("--replay", "nosuch"),
        ("--host", "203.0.113.1"),
        ("--arrivals", "never"),
    ],
)
def test_a_sandbox_that_cannot_be_ends_with_2(command: Command, arguments: tuple[str, str]) -> None:
    """The reason is one sentence, and one JSON document."""
    ended = command("sandbox", *arguments, "--json")
    assert ended.code == ended.document["exit_code"] == 2
    assert "Traceback" not in ended.err


def test_every_command_has_help() -> None:
    """Nothing is listed without a word about what it does."""
    assert all((one.callback or object).__doc__ for one in app.registered_commands)
