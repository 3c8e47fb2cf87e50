import random
import re
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.budget import Budget
from docurift_nb.client import Client
from docurift_nb.client.client import quoted_id
from docurift_nb.errors import (
    AnswerTimeoutError,
    ApiError,
    AuthError,
    ConfigError,
    CreditsError,
    DocuriftError,
    ForbiddenError,
    JobNotFoundError,
    NoAnswerError,
    RateLimitError,
    ServerError,
    UnreadableAnswerError,
)
from docurift_nb.sandbox import Document, Fault, Sandbox, Scenario
from tests.builders import DOCUMENTED, JOB_ID, as_answer, as_refusal, make_job_record
from tests.client.doubles import Clock, live_by
from tests.client.servers import RawServer, message, saying

COMPLETED = message(DOCUMENTED["completed"])
KEY = "frc_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
OTHER_KEY = "frc_Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4"
FAILING = Scenario(documents=(Document(type="invoice"),), failing=1.0)


def test_a_job_is_one_request(sandbox: Sandbox, client: Client) -> None:
    """What comes back is what the service knows, for the price of one look."""
    (job_id,) = sandbox.submit(1)
    sandbox.clock.advance(3600)
    job = client.job(job_id)

    truth = sandbox.truth(job_id)
    assert (job.job_id, job.status, job.document_type) == (job_id, truth["status"], truth["documentType"])
    assert sandbox.requests.by_job == {job_id: 1}
    assert sandbox.requests.total == 1


def test_a_failed_job_is_a_value(sandbox: Sandbox, client: Client) -> None:
    """Only waiting for a result makes an error of it."""
    (job_id,) = sandbox.submit(1, scenario=FAILING)
    sandbox.clock.advance(3600)

    assert client.job(job_id).failure is not None


@pytest.mark.parametrize("auth", ["x-api-key", "bearer"])
def test_the_service_accepts_both_headers(sandbox: Sandbox, auth: str) -> None:
    """The documentation names both."""
    with Client(sandbox.api_key, sandbox.url, auth=auth) as client:
        assert client.job(*sandbox.submit(1)).status


@pytest.mark.parametrize(
    ("auth", "line"), [("x-api-key", f"X-API-Key: {KEY}"), ("bearer", f"Authorization: Bearer {KEY}")]
)
def test_the_key_stands_in_one_header(auth: str, line: str) -> None:
    """In the one that was asked for, and nowhere else."""
    with RawServer(saying(COMPLETED)) as server, Client(KEY, server.url, auth=auth) as client:
        client.job(JOB_ID)

    assert server.requests[0].decode().count(KEY) == 1
    assert line in server.requests[0].decode().split("\r\n")


STATES: dict[str, tuple[Callable[[Sandbox], object], type[ApiError], str]] = {
    "expired": (lambda s: s.set_key_state("expired"), AuthError, "API_KEY_EXPIRED"),
    "disabled": (lambda s: s.set_key_state("disabled"), AuthError, "API_KEY_DISABLED"),
    "revoked": (lambda s: s.set_key_state("revoked"), AuthError, "INVALID_API_KEY"),
    "no credits": (lambda s: s.set_credits(exhausted=True), CreditsError, "INSUFFICIENT_CREDITS"),
    "past retention": (lambda s: s.clock.advance(40 * 86_400), JobNotFoundError, "JOB_NOT_FOUND"),
    "too fast": (lambda s: s.faults.on("429-bare"), RateLimitError, "RATE_LIMIT_EXCEEDED"),
    "hint": (lambda s: s.faults.on("429"), RateLimitError, "RATE_LIMIT_EXCEEDED"),
    "trouble": (lambda s: s.faults.on("500"), ServerError, "INTERNAL_ERROR"),
    "gateway": (lambda s: s.faults.on(Fault("502", html=False)), ServerError, "BAD_GATEWAY"),
    "gateway's page": (lambda s: s.faults.on("503"), ServerError, ""),
}


@pytest.mark.parametrize("state", STATES)
def test_a_refusal_of_the_service_is_an_error_with_its_facts(
    sandbox: Sandbox, client: Client, state: str
) -> None:
    """Status, code, the service's words, and which job was asked about."""
    arrange, kind, code = STATES[state]
    (job_id,) = sandbox.submit(1)
    arrange(sandbox)
    with pytest.raises(ApiError) as caught:
        client.job(job_id)

    assert type(caught.value) is kind
    assert (caught.value.job_id, caught.value.code) == (job_id, code)
    assert (caught.value.message != "", caught.value.request_id is not None) == (code != "", code != "")


def test_another_organization_s_job_is_forbidden(sandbox: Sandbox) -> None:
    """A valid key that may not see the job."""
    with Client(sandbox.add_key(), sandbox.url) as client, pytest.raises(ForbiddenError):
        client.job(*sandbox.submit(1))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", NoAnswerError),
        ("hang", AnswerTimeoutError),
        ("truncated", NoAnswerError),
        (Fault("slow-body", delay_s=60), AnswerTimeoutError),
        ("huge-body", UnreadableAnswerError),
        ("html", UnreadableAnswerError),
        ("redirect", UnreadableAnswerError),
        ("wrong-id", UnreadableAnswerError),
        ("invalid-utf8", UnreadableAnswerError),
        ("not-json", UnreadableAnswerError),
        ("success-false", UnreadableAnswerError),
    ],
)
def test_what_is_no_answer_is_an_error_about_the_job(
    sandbox: Sandbox, fault: Fault | str, kind: type[DocuriftError]
) -> None:
    """Each has its kind, names the job, and says that the job is not affected."""
    (job_id,) = sandbox.submit(1)
    sandbox.faults.on(fault)
    timeout = 0.5 if kind is AnswerTimeoutError else 10.0
    with (
        Client(sandbox.api_key, sandbox.url, timeout=timeout) as client,
        pytest.raises(DocuriftError) as caught,
    ):
        client.job(job_id)

    assert type(caught.value) is kind
    assert caught.value.job_id == job_id
    assert "the job is not affected" in str(caught.value)


@pytest.mark.parametrize("fault", ["wrong-type", "clock-skew", Fault("delay", delay_s=0.01)])
def test_what_is_merely_odd_is_still_an_answer(sandbox: Sandbox, client: Client, fault: Fault | str) -> None:
    """A wrong content type, a wrong clock or a slow server do not matter."""
    (job_id,) = sandbox.submit(1)
    sandbox.faults.on(fault)

    assert client.job(job_id).job_id == job_id


def test_an_unknown_status_is_kept(sandbox: Sandbox, client: Client) -> None:
    """A word this version does not know is not finished and not an error."""
    (job_id,) = sandbox.submit(1)
    sandbox.faults.on("unknown-status")
    job = client.job(job_id)

    assert (job.status, job.is_final) == ("queued", False)


@pytest.mark.parametrize(
    ("job_id", "segment"),
    [
        ("../credits", "..%2Fcredits"),
        ("a/b", "a%2Fb"),
        ("?x=", "%3Fx%3D"),
        ("a#b", "a%23b"),
        ("%2e%2e", "%252e%252e"),
        ("%2E%2e%2f", "%252E%252e%252f"),
        ("..\\..", "..%5C.."),
        ("job_1\r\nX-Evil: 1", "job_1%0D%0AX-Evil%3A%201"),
        ("job_1\n", "job_1%0A"),
        (" job", "%20job"),
        ("\x00", "%00"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("🧾", "%F0%9F%A7%BE"),
        ("//evil.example.org", "%2F%2Fevil.example.org"),
        ("http://evil.example.org", "http%3A%2F%2Fevil.example.org"),
        ("a@b:c;d", "a%40b%3Ac%3Bd"),
        ("...a", "...a"),
        ("x" * 1000, "x" * 1000),
        ("🧾" * 1000, "%F0%9F%A7%BE" * 1000),
    ],
)
def test_an_id_is_one_segment_of_the_path(job_id: str, segment: str) -> None:
    """The server sees exactly /v1/jobs/<that id>, quoted, whatever the id contains."""
    answer = message(as_answer(make_job_record(id=job_id)))
    with RawServer(saying(answer)) as server, Client(KEY, server.url) as client:
        assert client.job(job_id).job_id == job_id

    assert server.paths == [f"/v1/jobs/{segment}"]
    assert unquote(segment) == job_id


@pytest.mark.parametrize(
    "job_id",
    [
        "",
        " ",
        "\t\n",
        ".",
        "..",
        "...",
        "\ud800",
        "job_\udfff",
        "x" * 1001,
        "x" * 10_000,
        None,
        3,
        b"job",
        ["job"],
    ],
)
@pytest.mark.parametrize("ask", [Client.job, Client.look, Client.wait])
def test_what_cannot_be_an_id_is_refused_at_the_call(ask: Callable[..., object], job_id: Any) -> None:  # noqa: ANN401  # wrong types are the point
    """Nothing is sent, and the error says what an id looks like."""
    with RawServer(saying(COMPLETED)) as server, Client(KEY, server.url) as client:
        with pytest.raises(ConfigError, match="job_abc123def456") as caught:
            ask(client, job_id)
        assert len(str(caught.value)) < 500

    assert server.connections == 0


@given(st.text(max_size=100))
def test_a_quoted_id_never_leaves_its_segment(job_id: str) -> None:
    """It is refused, or reads back as the same id and has no character that ends a segment."""
    try:
        segment = quoted_id(job_id)
    except ConfigError:
        assert not job_id.strip(
            " \t\r\n\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000."
        ) or (job_id != job_id.encode("utf-8", "replace").decode())
    else:
        assert unquote(segment) == job_id
        assert re.fullmatch(r"[A-Za-z0-9_.~%-]+", segment)
        assert segment.strip(".")


def test_clients_of_one_key_share_one_budget() -> None:
    """However the key is sent and whichever path is asked; another key or host has its own."""
    one = Client(KEY, "https://api.docurift.com/v1")
    same = [
        Client(KEY, "https://api.docurift.com/v1/", auth="bearer"),
        Client(f" {KEY} ", "https://API.docurift.com/v2"),
    ]
    others = [Client(OTHER_KEY, "https://api.docurift.com/v1"), Client(KEY, "https://127.0.0.1/v1")]

    assert all(other.budget is one.budget for other in same)
    assert all(other.budget is not one.budget for other in others)


def test_a_refusal_holds_back_every_client_of_the_key(sandbox: Sandbox) -> None:
    """The second does not find out by itself; a client of another key goes on."""
    (job_id,) = sandbox.submit(1)
    one, two, other = (Client(k, sandbox.url) for k in (sandbox.api_key,) * 2 + (sandbox.add_key(),))
    sandbox.faults.on(Fault("429", retry_after_s=3600), count=1)
    with pytest.raises(RateLimitError):
        one.job(job_id)
    with pytest.raises(RateLimitError, match="nothing was sent") as caught:
        two.job(job_id)

    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 3000
    with pytest.raises(ForbiddenError):
        other.job(job_id)
    assert sandbox.requests.total == 2
    for client in (one, two, other):
        client.close()


def test_a_look_does_not_wait_for_the_budget(sandbox: Sandbox, client: Client) -> None:
    """Its caller has taken a request already."""
    (job_id,) = sandbox.submit(1)
    client.budget.refused(client.budget.epoch, 3600)

    assert client.look(job_id).job_id == job_id


def test_a_job_waits_for_its_turn(sandbox: Sandbox, clock: Clock) -> None:
    """As long as the timeout allows."""
    (job_id,) = sandbox.submit(1)
    with Client(sandbox.api_key, sandbox.url, timeout=3600) as client:
        live_by(clock, client, max_rate=1 / 60)
        for _ in range(3):
            client.job(job_id)

    assert sum(clock.slept) == pytest.approx(180 - Budget()._burst_s)
    assert sandbox.requests.total == 3


def test_the_lowest_rate_holds_for_all(sandbox: Sandbox, client: Client) -> None:
    """A client that asks for no limit does not lift another's."""
    slow = Client(sandbox.api_key, sandbox.url, max_rate=2.0)
    Client(sandbox.api_key, sandbox.url, max_rate=5.0)

    assert client.budget.rate == 2.0
    slow.close()


@pytest.mark.parametrize(
    ("fault", "counted"), [(None, 1), ("500", 1), ("not-json", 1), ("reset", 0), ("429", 0)]
)
def test_the_budget_learns_what_was_answered(
    sandbox: Sandbox, client: Client, fault: str | None, counted: int
) -> None:
    """An answer of any kind counts as served; a lost one and a refusal do not."""
    if fault is not None:
        sandbox.faults.on(fault)
    try:
        client.job(*sandbox.submit(1))
    except DocuriftError:
        assert fault is not None

    assert client.budget._answers == counted
    assert client.budget.epoch == (fault == "429")


def test_a_renewed_key_is_used_from_then_on(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given, or from the environment; with the budget that belongs to it."""
    (job_id,) = sandbox.submit(1)
    with Client(OTHER_KEY, sandbox.url) as client:
        with pytest.raises(AuthError, match=r"renew_key\(\)"):
            client.job(job_id)
        monkeypatch.setenv("DOCURIFT_API_KEY", sandbox.api_key)
        client.renew_key()
        assert client.job(job_id).job_id == job_id
        assert client.budget is Client(sandbox.api_key, sandbox.url).budget
        client.renew_key(OTHER_KEY)
        with pytest.raises(AuthError):
            client.job(job_id)


def test_listeners_hear_of_a_renewal_until_they_are_taken_off() -> None:
    """Once for each renewal; taking off twice is harmless."""
    heard: list[str] = []
    client = Client(KEY)
    forget = client.on_renewal(lambda: heard.append("a"))
    client.on_renewal(lambda: heard.append("b"))
    client.renew_key(OTHER_KEY)
    forget()
    forget()
    client.renew_key(KEY)

    assert heard == ["a", "b", "b"]


def test_a_key_that_cannot_be_used_leaves_the_old_one(sandbox: Sandbox, client: Client) -> None:
    """Nobody is told of a renewal that did not happen."""
    client.on_renewal(lambda: pytest.fail("there was none"))
    with pytest.raises(ConfigError):
        client.renew_key("not a key")

    assert client.job(*sandbox.submit(1)).status


def test_a_refusal_is_charged_to_the_key_it_was_asked_with() -> None:
    """Even if the key was renewed while the request was under way."""

    def script(connection: socket.socket, _: RawServer) -> None:
        renewed.renew_key(OTHER_KEY)
        connection.sendall(message(as_refusal("RATE_LIMIT_EXCEEDED"), "429 No", Retry_After="60"))

    with RawServer(script) as server, Client(KEY, server.url) as renewed:
        old = renewed.budget
        with pytest.raises(RateLimitError):
            renewed.job(JOB_ID)

    assert old.blocked_s > 50
    assert renewed.budget.blocked_s == 0


def test_many_threads_use_one_client(sandbox: Sandbox, client: Client) -> None:
    """Each gets the answer about its own job, while keys change under way."""
    ids = sandbox.submit(64)
    second = sandbox.api_key
    wrong: list[object] = []

    def ask(mine: list[str]) -> None:
        wrong.extend(job_id for job_id in mine if client.job(job_id).job_id != job_id)

    threads = [threading.Thread(target=ask, args=(random.Random(n).sample(ids, 64),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        client.renew_key(second)
    for thread in threads:
        thread.join()

    assert wrong == []
    assert sandbox.requests.by_status == {200: 8 * 64}
