import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from docurift_nb.sandbox import Sandbox
from tests.cli.conftest import Command

KEY = "frc_verysecretkey"


def _checks(document: Any) -> dict[str, dict[str, str]]:  # noqa: ANN401  # parsed JSON
    return {check["name"]: check for check in document["checks"]}


def test_versions_are_told(command: Command) -> None:
    """Of Python and of everything the package stands on."""
    checks = _checks(command("doctor", "--offline", "--json").document)
    assert checks["python"]["found"].startswith(platform.python_version())
    assert checks["pandas"]["found"] == metadata.version("pandas")
    assert checks["archive in this directory"]["verdict"] == "ok"


def test_the_key_is_found_and_not_shown(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in words nor in JSON."""
    monkeypatch.setenv("DOCURIFT_API_KEY", KEY)
    for arguments in (("--offline",), ("--offline", "--json")):
        ended = command("doctor", *arguments)
        assert ended.code == 0
        assert "set (not shown)" in ended.out
        assert KEY not in ended.out + ended.err


def test_a_key_that_cannot_be_sent_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without showing it."""
    monkeypatch.setenv("DOCURIFT_API_KEY", KEY + " \u20ac")
    ended = command("doctor", "--offline")
    assert ended.code == 1
    assert KEY not in ended.out + ended.err


def test_a_good_key_is_accepted_at_one_request(command: Command, account: Sandbox) -> None:
    """A 404 for a job that does not exist says that the key works."""
    document = command("doctor", "--json").document
    assert document["exit_code"] == 0
    assert "accepts the key" in _checks(document)["API"]["found"]
    assert account.requests.total == 1


def test_a_refused_key_ends_with_3(command: Command, account: Sandbox) -> None:
    """The address answers; the key is what is wrong."""
    account.set_key_state("revoked")
    document = command("doctor", "--json").document
    assert document["exit_code"] == 3
    assert _checks(document)["API key"]["verdict"] == "failed"


def test_without_a_key_a_refusal_means_reachable(
    command: Command, account: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 401 shows that DocuRift is there; the missing key is a warning."""
    monkeypatch.delenv("DOCURIFT_API_KEY")
    checks = _checks(command("doctor", "--json").document)
    assert checks["API"]["verdict"] == "ok"
    assert checks["setting DOCURIFT_API_KEY"]["verdict"] == "warning"
    assert account.requests.by_status == {401: 1}


def test_an_address_where_nobody_is_fails(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Port 9 of this machine does not answer."""
    monkeypatch.setenv("DOCURIFT_API_URL", "http://127.0.0.1:9/v1")
    document = command("doctor", "--json").document
    assert document["exit_code"] == 1
    assert _checks(document)["API"]["verdict"] == "failed"


def test_offline_makes_no_request(command: Command, account: Sandbox) -> None:
    """The sandbox hears nothing."""
    assert command("doctor", "--offline").code == 0
    assert account.requests.total == 0


def test_it_leaves_nothing_behind(command: Command, tmp_path: Path) -> None:
    """The archive it tries is taken away again."""
    command("doctor", "--offline")
    assert list(tmp_path.iterdir()) == []


def test_an_ipykernel_that_loses_messages_is_warned_of(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 7.0 is named as the trouble."""
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "7.0.1" if name == "ipykernel" else real(name))
    checks = _checks(command("doctor", "--offline", "--json").document)
    assert checks["ipykernel"]["verdict"] == "warning"


def test_a_missing_package_fails(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something needed that is not there ends with 1 and names the command to get it."""
    real = metadata.version

    def version(name: str) -> str:
        if name in {"scipy", "dask"}:
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    document = command("doctor", "--offline", "--json").document
    assert document["exit_code"] == 1
    assert "pip install scipy" in _checks(document)["scipy"]["found"]
    assert _checks(document)["extra dask"]["verdict"] == "warning"
