"""Routes, and the order in which a request is judged."""

import socket

import pytest
import requests

from docurift_nb.sandbox import Fault, Sandbox
from tests.sandbox import contract
from tests.sandbox.conftest import Ask


def test_the_documented_answers_come_over_http(sandbox: Sandbox, ask: Ask) -> None:
    """A replayed job is the contract's answer at its end, typed as JSON."""
    sandbox.replay([contract.FAILED])
    sandbox.clock.advance(20)
    answer = ask(f"/jobs/{contract.JOB_ID}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == contract.FAILED


def test_an_unknown_job_is_not_found(ask: Ask) -> None:
    """Not found has the documented body, and a request id in the documented form."""
    answer = ask(f"/jobs/{contract.JOB_ID}")
    body = answer.json()
    assert answer.status_code == 404
    assert body.pop("requestId").startswith("req_")
    assert body == contract.NOT_FOUND


@pytest.mark.parametrize(
    ("sent", "id_seen"),
    [
        ("a%2Fb", "a/b"),
        ("a%252Fb", "a%2Fb"),
        ("%C3%A9", "é"),
        ("%FF", "\ufffd"),
        ("%2E%2E%2Fjobs", "../jobs"),
    ],
)
def test_ids_are_decoded_once_and_stay_ids(sandbox: Sandbox, sent: str, id_seen: str) -> None:
    """An encoded slash or percent sign is part of the id and never changes the route."""
    host, port = sandbox.url.removeprefix("http://").removesuffix("/v1").split(":")
    head = (
        f"GET /v1/jobs/{sent} HTTP/1.1\r\nHost: x\r\n"
        f"X-API-Key: {sandbox.api_key}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(head.encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 404")
    assert f"Job with ID '{id_seen}' not found" in answer
    assert sandbox.requests.by_job == {id_seen: 1}


@pytest.mark.parametrize("path", ["", "/", "/jobs/", "/jobs/a/b", "/nothing", "/documents"])
def test_unknown_routes_are_json_too(ask: Ask, path: str) -> None:
    """What is no route is a 404 in the envelope, but not a missing job."""
    answer = ask(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "method"), [("/jobs/a", "DELETE"), ("/jobs", "POST"), ("/documents/process/async", "GET")]
)
def test_other_methods_are_refused(ask: Ask, path: str, method: str) -> None:
    """A known route with another method is a 405 in the envelope."""
    assert ask(path, method).json()["error"]["code"] == "METHOD_NOT_ALLOWED"


def test_credentials_come_first(sandbox: Sandbox, ask: Ask) -> None:
    """Without a key neither jobs nor lists nor uploads nor faults are reached."""
    sandbox.faults.on("500")
    for path, method in (("/jobs/a", "GET"), ("/jobs", "GET"), ("/documents/process/async", "POST")):
        answer = ask(path, method, headers={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert sandbox.requests.faults == {}


def test_a_bearer_token_will_do(sandbox: Sandbox, ask: Ask) -> None:
    """The key is accepted in the Authorization header as well."""
    [job_id] = sandbox.submit(1)
    answer = ask(f"/jobs/{job_id}", headers={"Authorization": f"Bearer {sandbox.api_key}"})
    assert answer.status_code == 200


def test_a_foreign_job_is_forbidden(sandbox: Sandbox, ask: Ask) -> None:
    """A second key's job is 403 to the first."""
    [job_id] = sandbox.submit(1, api_key=sandbox.add_key())
    answer = ask(f"/jobs/{job_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_the_rate_limit_comes_with_retry_after(session: requests.Session) -> None:
    """Over the limit comes 429 with whole seconds to wait, and after them an answer."""
    with Sandbox(rate_limit=(2, 60), retry_after=True) as sandbox:
        sandbox.clock.hold()
        url, headers = f"{sandbox.url}/jobs/a", {"X-API-Key": sandbox.api_key}
        answers = [session.get(url, headers=headers, timeout=10) for _ in range(3)]
        assert [one.status_code for one in answers] == [404, 404, 429]
        assert answers[2].headers["Retry-After"] == "60"
        sandbox.clock.advance(60)
        assert session.get(url, headers=headers, timeout=10).status_code == 404


def test_too_many_at_once_are_refused() -> None:
    """With one place, a request that hangs makes the next one a 429, until it is gone."""
    with Sandbox(max_concurrency=1) as sandbox, sandbox.faults.on("hang", count=1) as hang:
        url, headers = f"{sandbox.url}/jobs/a", {"X-API-Key": sandbox.api_key}
        with pytest.raises(requests.Timeout):
            requests.get(url, headers=headers, timeout=0.1)
        assert hang.hits == 1
        statuses = {requests.get(url, headers=headers, timeout=10).status_code for _ in range(50)}
        assert 404 in statuses


def test_a_place_is_taken_while_a_request_is_under_way(ask: Ask, sandbox: Sandbox) -> None:
    """The second request of a key with one place is refused while the first is being answered."""
    sandbox._keys._max_concurrency = 1
    sandbox._keys.enter(sandbox.api_key)
    assert ask("/jobs/a").status_code == 429
    sandbox._keys.leave(sandbox.api_key)
    assert ask("/jobs/a").status_code == 404


def test_an_upload_may_be_given_up(sandbox: Sandbox, ask: Ask) -> None:
    """A client that leaves in the middle of an upload leaves no job and no error behind."""
    host, port = sandbox.url.removeprefix("http://").removesuffix("/v1").split(":")
    head = (
        f"POST /v1/documents/process/async HTTP/1.1\r\nHost: x\r\nX-API-Key: {sandbox.api_key}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(head.encode())
    assert ask("/jobs").json()["data"]["pagination"]["total"] == 0


def test_the_log_tells_asking_after_the_end(sandbox: Sandbox, ask: Ask) -> None:
    """Only what is asked after an undisturbed final answer counts against the client."""
    [job_id] = sandbox.submit(1)
    ask(f"/jobs/{job_id}")
    sandbox.clock.advance(3600)
    with sandbox.faults.on(Fault("truncated")), pytest.raises(requests.RequestException):
        ask(f"/jobs/{job_id}")
    ask(f"/jobs/{job_id}")
    assert sandbox.requests.after_end == {}
    ask(f"/jobs/{job_id}")
    assert sandbox.requests.after_end == {job_id: 1}
    assert sandbox.requests.by_status[200] == 4
