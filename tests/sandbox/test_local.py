"""The sandbox as people use it."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from docurift_nb.sandbox import Sandbox, Scenario
from tests.sandbox import contract


def test_it_has_a_life_with_an_end(capfd: pytest.CaptureFixture[str]) -> None:
    """Entering opens, leaving closes for good, and neither prints or leaves a thread."""
    before = set(threading.enumerate())
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="open it first"):
        _ = sandbox.url
    with sandbox as opened:
        assert opened is sandbox.open()
        assert sandbox.url.startswith("http://127.0.0.1:")
        assert sandbox.url.endswith("/v1")
    sandbox.close()
    assert set(threading.enumerate()) == before
    with pytest.raises(RuntimeError, match="make a new Sandbox"):
        sandbox.open()
    assert capfd.readouterr() == ("", "")


def test_a_sandbox_never_opened_can_be_closed() -> None:
    """Closing first is fine too."""
    Sandbox().close()


def test_the_key_stays_out_of_sight() -> None:
    """Neither the sandbox's text nor a job's shows the key."""
    with Sandbox(api_key="frc_secret") as sandbox:
        [job_id] = sandbox.submit(1)
        shown = repr(sandbox) + repr(sandbox._service.job(job_id))
        assert "127.0.0.1" in repr(sandbox)
        assert "secret" not in shown


def test_the_seed_decides_key_ids_and_ends() -> None:
    """Two sandboxes with one seed and start agree on everything."""
    start = datetime(2024, 1, 27, tzinfo=UTC)
    told = []
    for _ in range(2):
        sandbox = Sandbox(seed=3, start=start)
        sandbox.clock.hold()
        ids = sandbox.submit(3)
        truths = [{**sandbox.truth(one), "createdAt": None} for one in ids]
        told.append((sandbox.api_key, ids, [(one["status"], one.get("result")) for one in truths]))
    assert told[0] == told[1]


def test_truth_is_what_comes_in_the_end(sandbox: Sandbox, session: requests.Session) -> None:
    """Every job's last answer is known from the start, scripted and recorded."""
    ids = sandbox.submit(20, scenario=Scenario(failing=0.5, never_finishing=0.2))
    ids += sandbox.replay([json.dumps(contract.COMPLETED)])
    truths = [sandbox.truth(one) for one in ids]
    sandbox.clock.advance(3600)
    headers = {"X-API-Key": sandbox.api_key}
    answers = [session.get(f"{sandbox.url}/jobs/{one}", headers=headers, timeout=10) for one in ids]
    assert [one.json()["data"] for one in answers] == truths


def test_real_recordings_are_served_as_recorded(
    sandbox: Sandbox, session: requests.Session, recorded: Path
) -> None:
    """Every recorded job is open at first, and ends in its recorded answer byte for byte."""
    lines = recorded.read_bytes().splitlines()
    ids = sandbox.replay(recorded)
    session.headers["X-API-Key"] = sandbox.api_key

    def answers() -> list[bytes]:
        return [session.get(f"{sandbox.url}/jobs/{one}", timeout=10).content for one in ids]

    assert {json.loads(one)["data"]["status"] for one in answers()} == {"processing"}
    sandbox.clock.advance(3600)
    assert answers() == lines
    assert sandbox.requests.delivered == set(ids)


def test_keys_can_be_added_and_switched(sandbox: Sandbox, session: requests.Session) -> None:
    """A second key works beside the first, and each can be switched off."""
    other = sandbox.add_key()

    def code(key: str) -> str:
        answer = session.get(f"{sandbox.url}/jobs/x", headers={"X-API-Key": key}, timeout=10)
        return str(answer.json()["error"]["code"])

    assert [code(sandbox.api_key), code(other)] == ["JOB_NOT_FOUND"] * 2
    sandbox.set_key_state("expired", api_key=other)
    assert [code(sandbox.api_key), code(other)] == ["JOB_NOT_FOUND", "API_KEY_EXPIRED"]
    sandbox.set_credits(exhausted=True)
    assert code(sandbox.api_key) == "INSUFFICIENT_CREDITS"


def test_jobs_need_a_known_owner() -> None:
    """Submitting under an unknown key is an error that does not repeat the key."""
    with pytest.raises(LookupError) as caught:
        Sandbox().submit(1, api_key="frc_secret")
    assert "secret" not in str(caught.value)


def test_the_log_can_be_reset(sandbox: Sandbox, session: requests.Session) -> None:
    """Counting starts over while the sandbox runs."""
    session.get(f"{sandbox.url}/jobs/x", timeout=10)
    assert sandbox.requests.by_status == {401: 1}
    sandbox.log.reset()
    assert sandbox.requests.total == 0


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:8/v1"), ("::1", "http://[::1]:8/v1")],  # noqa: S104 -- never bound here
)
def test_the_url_can_be_asked(host: str, url: str) -> None:
    """The url names an address that a client can reach, whatever is listened on."""
    sandbox = Sandbox(host=host, port=8)
    sandbox._state = "open"
    assert sandbox.url == url
