"""Serving in the foreground."""

import io
import json
import signal
import threading
from pathlib import Path

import pytest

from docurift_nb.sandbox import Sandbox, serve
from tests.sandbox import contract


def stopped() -> threading.Event:
    """Make an event that ends the serving as soon as it has begun."""
    event = threading.Event()
    event.set()
    return event


def test_one_json_line_tells_all(tmp_path: Path) -> None:
    """Url, key and ids come in one line, and the ids in a file if wanted."""
    recording, ids_file, out = tmp_path / "jobs.ndjson", tmp_path / "ids.txt", io.StringIO()
    recording.write_text(json.dumps(contract.COMPLETED))
    sandbox = Sandbox()
    serve(sandbox, submit=2, replay=recording, ids_file=ids_file, as_json=True, stop=stopped(), out=out)
    [line] = out.getvalue().splitlines()
    told = json.loads(line)
    assert (told["url"], told["api_key"]) == (sandbox.url, sandbox.api_key)
    assert told["job_ids"][2:] == [contract.JOB_ID]
    assert ids_file.read_text().split() == told["job_ids"]


def test_people_get_lines_for_their_shell(capsys: pytest.CaptureFixture[str]) -> None:
    """Without JSON the environment variables are printed, on standard output."""
    sandbox = Sandbox()
    serve(sandbox, submit=3, stop=stopped())
    shown = capsys.readouterr().out
    assert "3 jobs" in shown
    assert f"export DOCURIFT_API_URL={sandbox.url}" in shown
    assert f"export DOCURIFT_API_KEY={sandbox.api_key}" in shown


def test_signal_handlers_are_given_back() -> None:
    """After serving, SIGINT and SIGTERM do what they did before."""
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    serve(Sandbox(), stop=stopped(), out=io.StringIO())
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


def test_it_serves_off_the_main_thread_too() -> None:
    """Where signals cannot be handled, the event alone ends it."""
    out = io.StringIO()
    thread = threading.Thread(target=serve, args=(Sandbox(),), kwargs={"stop": stopped(), "out": out})
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert "0 jobs" in out.getvalue()
