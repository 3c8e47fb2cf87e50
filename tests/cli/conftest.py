"""Commands run in this process, with the sandbox as their DocuRift."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from docurift_nb.cli.process import run
from docurift_nb.sandbox import Sandbox, Scenario


class Finished(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Standard output, which has to be one JSON document and nothing else."""
        return json.loads(self.out)


Command = Callable[..., Finished]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs a command in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def finish(*arguments: object) -> Finished:
        capsys.readouterr()
        code = run([str(one) for one in arguments])
        out, err = capsys.readouterr()
        return Finished(code, out, err)

    return finish


@pytest.fixture
def account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Set the address and the key of the sandbox where commands look for them."""
    monkeypatch.setenv("DOCURIFT_API_URL", sandbox.url)
    monkeypatch.setenv("DOCURIFT_API_KEY", sandbox.api_key)
    return sandbox


@pytest.fixture
def ids_file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that submits jobs which have ended by now, and writes their ids to a file."""

    def submit(sandbox: Sandbox, count: int, **scenario: float) -> Path:
        ids = sandbox.submit(count, scenario=Scenario(**{"failing": 0.0, **scenario}))  # type: ignore[arg-type]  # shares only
        sandbox.clock.advance(24 * 3600)
        path = tmp_path / "ids.txt"
        path.write_text("".join(f"{one}\n" for one in ids), encoding="utf-8")
        return path

    return submit
