"""How faults look from the other end of the wire."""

import json
from email.utils import parsedate_to_datetime

import pytest
import requests

from docurift_nb.sandbox import Fault, FaultKind, Sandbox, Scenario
from docurift_nb.sandbox.misbehaviour import _PLAYED, _SPOILED
from tests.sandbox.conftest import Ask

DELIVERING = {"delay", "slow-body", "wrong-type"}


@pytest.fixture
def job_id(sandbox: Sandbox) -> str:
    """Make a job that has ended."""
    [job_id] = sandbox.submit(1)
    sandbox.clock.advance(3600)
    return job_id


def test_every_kind_has_its_behaviour() -> None:
    """No kind of fault is without an effect, and none has two."""
    assert _SPOILED.keys() | _PLAYED.keys() == set(FaultKind)
    assert not _SPOILED.keys() & _PLAYED.keys()


@pytest.mark.parametrize("kind", sorted(set(FaultKind) - {"unknown-status"}))
def test_only_the_truth_counts_as_delivered(sandbox: Sandbox, ask: Ask, job_id: str, kind: str) -> None:
    """A spoiled answer is logged by its kind and leaves the job undelivered, unless it tells the truth."""
    with sandbox.faults.on(Fault(kind, delay_s=0.01, size=10**5)):
        try:
            ask(f"/jobs/{job_id}", timeout=0.2 if kind == "hang" else 10)
        except requests.RequestException:
            assert kind in {"hang", "reset", "truncated"}
    assert sandbox.requests.faults == {kind: 1}
    assert sandbox.requests.delivered == ({job_id} if kind in DELIVERING else set())
    ask(f"/jobs/{job_id}")
    assert sandbox.requests.delivered == {job_id}
    assert sum(sandbox.requests.after_end.values()) == (kind in DELIVERING)


@pytest.mark.parametrize("kind", ["429", "429-date", "429-bare"])
def test_429_comes_with_each_form_of_retry_after(sandbox: Sandbox, ask: Ask, job_id: str, kind: str) -> None:
    """Seconds, an HTTP date, or no header at all."""
    sandbox.faults.on(Fault(kind, retry_after_s=7))
    answer = ask(f"/jobs/{job_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    header = answer.headers.get("Retry-After")
    if kind == "429-date":
        assert header is not None
        wait = parsedate_to_datetime(header) - parsedate_to_datetime(answer.headers["Date"])
        assert wait.total_seconds() == 7
    else:
        assert header == {"429": "7", "429-bare": None}[kind]


@pytest.mark.parametrize("kind", ["500", "502", "503", "504"])
@pytest.mark.parametrize("html", [True, False])
def test_server_errors_come_from_proxies_or_the_service(
    *, sandbox: Sandbox, ask: Ask, job_id: str, kind: str, html: bool
) -> None:
    """502, 503 and 504 are HTML like a proxy's or the JSON envelope; 500 is always JSON."""
    sandbox.faults.on(Fault(kind, html=html))
    answer = ask(f"/jobs/{job_id}")
    assert answer.status_code == int(kind)
    if html and kind != "500":
        assert answer.headers["Content-Type"] == "text/html"
    else:
        assert answer.json()["success"] is False


def test_a_redirect_goes_where_it_is_told(sandbox: Sandbox, ask: Ask, job_id: str) -> None:
    """Status and Location are those of the fault."""
    sandbox.faults.on(Fault("redirect", location="http://127.0.0.3/x", status=307))
    answer = ask(f"/jobs/{job_id}")
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.3/x")


def test_a_skewed_clock_shifts_header_and_body(sandbox: Sandbox, ask: Ask, job_id: str) -> None:
    """Date and the sandbox's time stamps are ahead by the same time."""
    right = ask(f"/jobs/{job_id}")
    sandbox.faults.on(Fault("clock-skew", shift_s=86400))
    skewed = ask(f"/jobs/{job_id}")
    dates = [parsedate_to_datetime(one.headers["Date"]) for one in (right, skewed)]
    assert (dates[1] - dates[0]).total_seconds() == 86400
    assert skewed.json()["data"]["createdAt"] > right.json()["data"]["createdAt"]


def test_a_wrong_id_is_otherwise_right(sandbox: Sandbox, ask: Ask, job_id: str) -> None:
    """Only the id of the body is another job's."""
    sandbox.faults.on("wrong-id")
    data = ask(f"/jobs/{job_id}").json()["data"]
    assert data.pop("id") != job_id
    assert data == {key: value for key, value in sandbox.truth(job_id).items() if key != "id"}


def test_an_unknown_status_shows_while_the_job_runs(sandbox: Sandbox, ask: Ask) -> None:
    """The word stands in for processing, and the end is told as it is."""
    [job_id] = sandbox.submit(1)
    sandbox.faults.on(Fault("unknown-status", word="paused"))
    assert ask(f"/jobs/{job_id}").json()["data"]["status"] == "paused"
    sandbox.clock.advance(3600)
    assert ask(f"/jobs/{job_id}").json()["data"] == sandbox.truth(job_id)


@pytest.mark.parametrize("kind", ["html", "invalid-utf8", "not-json"])
def test_broken_bodies_come_with_status_200(sandbox: Sandbox, ask: Ask, job_id: str, kind: str) -> None:
    """A body that is no JSON arrives as if all were well."""
    sandbox.faults.on(kind)
    answer = ask(f"/jobs/{job_id}")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"codec|Expecting"):
        json.loads(answer.content)


def test_a_huge_body_has_the_size_asked_for(sandbox: Sandbox, ask: Ask, job_id: str) -> None:
    """Ten megabytes unless told otherwise, chunked."""
    sandbox.faults.on("huge-body", count=1)
    answer = ask(f"/jobs/{job_id}")
    assert len(answer.content) == 10 * 2**20
    assert "Content-Length" not in answer.headers


def test_success_false_can_come_with_status_200(sandbox: Sandbox, ask: Ask, job_id: str) -> None:
    """The envelope says no although the status says yes."""
    sandbox.faults.on("success-false")
    answer = ask(f"/jobs/{job_id}")
    assert (answer.status_code, answer.json()["success"]) == (200, False)


def test_a_client_may_leave_during_a_delay(sandbox: Sandbox, ask: Ask, job_id: str) -> None:
    """A late answer that nobody waits for is not delivered."""
    with sandbox.faults.on(Fault("delay", delay_s=1e6)), pytest.raises(requests.Timeout):
        ask(f"/jobs/{job_id}", timeout=0.05)
    assert sandbox.requests.delivered == set()


def test_faults_strike_unknown_ids_too(sandbox: Sandbox, ask: Ask) -> None:
    """A truncated error is no less truncated; a wrong id needs a job to be wrong about."""
    sandbox.faults.on("truncated", count=1)
    with pytest.raises(requests.RequestException):
        ask("/jobs/nobody")
    sandbox.faults.on("wrong-id")
    assert ask("/jobs/nobody").status_code == 404


def test_scripts_follow_jobs_that_never_end(sandbox: Sandbox, ask: Ask) -> None:
    """A stuck job is running for ever as far as faults are concerned."""
    [job_id] = sandbox.submit(1, scenario=Scenario(never_finishing=1))
    sandbox.clock.advance(10**6)
    sandbox.faults.on("unknown-status")
    assert ask(f"/jobs/{job_id}").json()["data"]["status"] == "queued"
