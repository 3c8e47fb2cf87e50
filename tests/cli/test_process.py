import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

import docurift_nb as dn
from docurift_nb.archive import open_reader
from docurift_nb.cli.app import app
from docurift_nb.cli.exits import MEANINGS
from docurift_nb.errors import ArchiveError
from docurift_nb.sandbox import Sandbox, Scenario
from tests.acceptance.stage import until
from tests.cli.conftest import Command
from tests.cli.processes import on_terminal, running

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"
CTRL_C = b"\x03"


def _half_never_ends(sandbox: Sandbox, path: Path) -> tuple[set[str], set[str]]:
    """Submit jobs; return those that have ended and those that never will."""
    done = sandbox.submit(6, scenario=Scenario(failing=0.0))
    sandbox.clock.advance(24 * 3600)
    never = sandbox.submit(6, scenario=Scenario(never_finishing=1.0))
    path.write_text("\n".join([*done, *never]), encoding="utf-8")
    return set(done), set(never)


def _n_ended(archive: Path) -> int:
    try:
        with open_reader(archive) as reader:
            return sum(seen.ended for seen in reader.observations())
    except ArchiveError:
        return 0  # it is being made


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_watch_in_good_order(
    account: Sandbox, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """The archive is sound and settled, no trace is printed, and the last line goes on."""
    archive = tmp_path / "jobs.docurift"
    done, _ = _half_never_ends(account, tmp_path / "ids")
    with running("watch", tmp_path / "ids", "--archive", archive, "--json") as process:
        until(lambda: _n_ended(archive) == len(done))
        process.send_signal(number)
        out, err = process.communicate()
    assert process.returncode == code
    assert f'"exit_code": {code}' in out
    assert "Traceback" not in err
    assert f"docurift-nb watch {tmp_path / 'ids'} --archive {archive}" in err.splitlines()[-1]
    assert not archive.with_name(archive.name + "-wal").exists()


def test_what_was_interrupted_goes_on_with_the_open_jobs(
    account: Sandbox, command: Command, tmp_path: Path
) -> None:
    """The resumed watch asks about no job that had ended."""
    archive = tmp_path / "jobs.docurift"
    done, never = _half_never_ends(account, tmp_path / "ids")
    with running("watch", tmp_path / "ids", "--archive", archive) as process:
        until(lambda: _n_ended(archive) == len(done))
        process.send_signal(signal.SIGINT)
        process.communicate()
    account.log.reset(keep_delivered=True)
    resumed = command("watch", "ids", "--archive", archive, "--timeout", "0.5", "--json").document
    assert account.requests.by_job.keys() == never
    assert account.requests.after_end == {}
    assert resumed["exit_code"] == 4
    assert resumed["jobs"]["counts"]["completed"] == len(done)


def test_a_second_signal_does_not_disturb_the_tidying(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An impatient user gets the same good order."""
    tidied = []

    def interrupted(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            tidied.append(True)

    monkeypatch.setattr("docurift_nb.cli.app.run_report", interrupted)
    assert command("report", "x").code == 130
    assert tidied == [True]


def test_ctrl_c_gives_the_cursor_back(account: Sandbox, tmp_path: Path) -> None:
    """Typed on a terminal that is being drawn on, it leaves the terminal as it was."""
    _half_never_ends(account, tmp_path / "ids")
    with on_terminal("watch", tmp_path / "ids", "--archive", tmp_path / "a.docurift") as terminal:
        terminal.read_until(HIDE)
        terminal.type(CTRL_C)
        assert terminal.finish() == 130
    assert terminal.seen.rindex(SHOW) > terminal.seen.rindex(HIDE)
    assert b"to go on" in terminal.seen
    assert b"Traceback" not in terminal.seen


def test_no_color_is_respected_on_a_terminal(tmp_path: Path) -> None:
    """Nothing is coloured, though it is a terminal."""
    with on_terminal("doctor", "--offline", NO_COLOR="1", HOME=str(tmp_path)) as terminal:
        assert terminal.finish() in {0, 1}
    assert b"pandas" in terminal.seen
    assert b"\x1b[3" not in terminal.seen


def test_a_reader_that_leaves_is_no_error(account: Sandbox, tmp_path: Path) -> None:
    """As in ``docurift-nb report ... | head``: a quiet end."""
    account.submit(3)
    (tmp_path / "empty").write_bytes(b"")
    for arguments in (("report", tmp_path / "empty"), ("report", tmp_path / "empty", "--json")):
        with running(*arguments) as process:
            assert process.stdout is not None
            process.stdout.close()
            process.stdout = None
            _, err = process.communicate()
        assert process.returncode == 141
        assert err == ""


def test_an_interrupted_demo_goes_on_where_it_was(tmp_path: Path) -> None:
    """The sandbox ends with it, and the same line takes it up again."""
    with running("demo", "--jobs", "3", "--speed", "0.01", "--out", tmp_path) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("sandbox at")
        assert process.stderr.readline().startswith("Watching")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    assert f"demo --jobs 3 --speed 0.01 --out {tmp_path}" in err.splitlines()[-1]
    assert "Traceback" not in err


def test_an_error_of_our_own_is_one_sentence(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with 70, asks for a report, and is a JSON document too."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("[red]impossible[/red]")

    monkeypatch.setattr("docurift_nb.cli.app.run_report", broken)
    ended = command("report", "x", "--json")
    assert ended.code == ended.document["exit_code"] == 70
    assert "RuntimeError: [red]impossible[/red]; please report it" in ended.err
    assert "Traceback" not in ended.err


def test_a_trace_is_printed_on_request(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the report that the sentence asks for."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("impossible")

    monkeypatch.setattr("docurift_nb.cli.app.run_report", broken)
    monkeypatch.setenv("DOCURIFT_NB_TRACEBACK", "1")
    assert "Traceback" in command("report", "x").err


def test_signal_handlers_are_given_back(command: Command) -> None:
    """Whoever runs a command inside a program keeps the program's handlers."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    command("doctor", "--offline")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_the_help_names_commands_and_exit_codes() -> None:
    """Every one of both."""
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for name in ("demo", "watch", "report", "sandbox", "doctor"):
        assert f"{name} " in shown.output
    for code, meaning in MEANINGS.items():
        assert f"{int(code)}: {meaning}" in shown.output


def test_the_version_is_printed() -> None:
    """The one of the package."""
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"docurift-nb {dn.__version__}\n")


def test_no_command_shows_the_help(command: Command) -> None:
    """A bare call tells what can be done, and ends with 2."""
    ended = command()
    assert ended.code == 2
    assert "doctor" in ended.out + ended.err


def test_the_package_runs_as_a_module() -> None:
    """``python -m docurift_nb.cli`` is the program where no script was installed."""
    with running("--version") as process:
        assert process.communicate()[0].startswith("docurift-nb ")
