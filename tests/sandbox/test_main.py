"""The sandbox as a process of its own."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from docurift_nb.sandbox.__main__ import main
from tests.sandbox import contract


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_tells_its_jobs_and_ends_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """One JSON line on standard output, answers until the signal, exit code 0, nothing on stderr."""
    recording = tmp_path / "jobs.ndjson"
    recording.write_text(json.dumps(contract.COMPLETED))
    command = [sys.executable, "-m", "docurift_nb.sandbox", "--submit=3000", f"--replay={recording}"]
    with subprocess.Popen(  # noqa: S603 -- our own module
        [*command, "--speed=20", "--workers=8", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        url, headers = told["url"] + "/jobs/" + told["job_ids"][-1], {"X-API-Key": told["api_key"]}
        assert requests.get(url, headers=headers, timeout=10).json() == contract.PENDING
        process.send_signal(number)
        rest = process.communicate(timeout=10)
    assert len(told["job_ids"]) == 3001
    assert (process.returncode, rest) == (0, ("", ""))


def test_options_reach_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, limits and faults of the command line are those of the sandbox that is served."""
    served: dict[str, Any] = {}

    def take(sandbox: object, **options: object) -> None:
        served.update(options, sandbox=sandbox)

    monkeypatch.setattr("docurift_nb.sandbox.__main__.serve", take)
    main(["--rate-limit=10", "--rate-window=3600", "--fault=503=0.1", "--fault=hang", "--api-key=frc_x"])
    assert repr(served["sandbox"]._faults.active) == (
        "(<FaultSwitch 503: probability 0.1, 0 hits>, <FaultSwitch hang: probability 1, 0 hits>)"
    )
    assert served["sandbox"]._keys._rate == (10, 3600)
    assert served["submit"] == 0


@pytest.mark.parametrize("option", ["--fault=nothing", "--fault=503=often"])
def test_a_mistaken_fault_is_a_usage_error(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault that does not exist ends with the usage and the reason."""
    with pytest.raises(SystemExit):
        main([option])
    assert "--fault" in capsys.readouterr().err
