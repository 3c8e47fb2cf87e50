import signal
import socket
import threading
from typing import Any

import pytest

from docurift_nb.client import Client
from docurift_nb.errors import (
    ApiError,
    AuthError,
    ConfigError,
    CreditsError,
    ForbiddenError,
    JobFailedError,
    JobNotFoundError,
    WaitTimeoutError,
)
from docurift_nb.sandbox import Document, Sandbox, Scenario
from docurift_nb.schedule import Backoff, Sight
from tests.builders import DOCUMENTED, JOB_ID, as_answer, as_refusal, make_job_record
from tests.client.doubles import Clock, live_by, scripted
from tests.client.servers import RawServer, message, saying

FAST = Backoff(start=0.01, cap=0.05, seed=0)
COMPLETED = message(DOCUMENTED["completed"])
PROCESSING = message(DOCUMENTED["processing"])
KEY = "frc_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
NEVER = Scenario(never_finishing=1.0)
FAILING = Scenario(documents=(Document(type="invoice"),), failing=1.0)


def test_waiting_asks_as_documented(sandbox: Sandbox, client: Client, clock: Clock) -> None:
    """After 1 s, x1.5 each time, up to 10 s; the last wait ends when the time is over."""
    (job_id,) = sandbox.submit(1, scenario=NEVER)
    with pytest.raises(WaitTimeoutError):
        client.wait(job_id, timeout=60, schedule=Backoff(jitter=0))

    documented = [Backoff(jitter=0).after(looks) for looks in range(1, 10)]
    assert clock.slept[:-1] == pytest.approx(documented)
    assert documented[:4] == [1.0, 1.5, 2.25, 3.375]
    assert documented[-2:] == [10.0, 10.0]
    assert sum(clock.slept) == pytest.approx(60)
    assert sandbox.requests.by_job[job_id] == len(clock.slept) + 1


def test_waiting_is_jittered_unless_told_otherwise(sandbox: Sandbox, client: Client, clock: Clock) -> None:
    """Jobs waited for together do not keep step, and keep the documented mean."""
    (job_id,) = sandbox.submit(1, scenario=NEVER)
    with pytest.raises(WaitTimeoutError):
        client.wait(job_id, timeout=30)

    for looks, wait in enumerate(clock.slept[:-1], start=1):
        assert wait == pytest.approx(Backoff(jitter=0).after(looks), rel=0.1001)
    assert clock.slept[0] != 1.0


def test_waiting_brings_the_completed_job(sandbox: Sandbox, client: Client) -> None:
    """The main use, in real time."""
    (job_id,) = sandbox.submit(1, scenario=Scenario(failing=0))
    job = client.wait(job_id, timeout=30, schedule=FAST)

    assert (job.status, job.document_id) == ("completed", sandbox.truth(job_id)["documentId"])
    assert sandbox.requests.after_end == {}


def test_waiting_for_a_job_that_failed_raises_its_reasons(sandbox: Sandbox, client: Client) -> None:
    """Code, step and whether to submit it again, as the service says."""
    (job_id,) = sandbox.submit(1, scenario=FAILING)
    sandbox.clock.advance(3600)
    with pytest.raises(JobFailedError) as caught:
        client.wait(job_id)

    error = sandbox.truth(job_id)["error"]
    assert (caught.value.job_id, caught.value.code) == (job_id, error["code"])
    assert caught.value.message == error["message"]
    assert (caught.value.step, caught.value.retryable) == (
        error["details"]["step"],
        error["details"]["retryable"],
    )


def test_a_failed_job_without_reasons_is_a_failed_job() -> None:
    """The contract is broken, the outcome stands."""
    answer = as_answer(make_job_record("failed", error=None))
    with (
        RawServer(saying(message(answer))) as server,
        Client(KEY, server.url) as client,
        pytest.raises(JobFailedError, match="no error code") as caught,
    ):
        client.wait(JOB_ID)

    assert (caught.value.step, caught.value.retryable) == (None, None)


@pytest.mark.parametrize("timeout", [0, 0.05, 3])
def test_running_out_of_time_names_the_job_after_a_last_look(
    sandbox: Sandbox, client: Client, clock: Clock, timeout: float
) -> None:
    """Even with no time at all there is one look; nothing is cancelled."""
    (job_id,) = sandbox.submit(1, scenario=NEVER)
    with pytest.raises(WaitTimeoutError, match="nothing was cancelled") as caught:
        client.wait(job_id, timeout=timeout)

    assert caught.value.job_id == job_id
    assert caught.value.waited_s == pytest.approx(timeout)
    assert sandbox.requests.by_job[job_id] == len(clock.slept) + 1


def test_a_job_that_ends_at_the_last_moment_is_still_seen(clock: Clock) -> None:
    """The last look is made when the time is over."""
    with RawServer(scripted(PROCESSING, COMPLETED)) as server, Client(KEY, server.url) as client:
        assert client.wait(JOB_ID, timeout=0.5).status == "completed"

    assert clock.slept == [0.5]


@pytest.mark.parametrize(
    "trouble",
    [
        b"",
        message(as_refusal("RATE_LIMIT_EXCEEDED"), "429 No", Retry_After="0.01"),
        message(as_refusal("INTERNAL_ERROR"), "500 No"),
        message(b"<html>", "502 No"),
        message(b"", "503 No", Retry_After="0.01"),
        message(b"<html>", "404 No"),
        message(b"<html>"),
        message(b"{"),
    ],
)
def test_trouble_in_between_is_survived(trouble: bytes, clock: Clock) -> None:
    """None of it says anything of the job."""
    script = scripted(PROCESSING, trouble, PROCESSING, trouble, trouble, COMPLETED)
    with RawServer(script) as server, Client(KEY, server.url) as client:
        live_by(clock, client)
        assert client.wait(JOB_ID, timeout=600, schedule=FAST).status == "completed"

    assert len(server.requests) == 6


def test_retries_wait_longer_each_time_and_start_anew_after_an_answer(clock: Clock) -> None:
    """1 s, x2, up to 60 s, each with up to half a second more."""
    down = message(b"", "503 No")
    script = scripted(*[down] * 8, PROCESSING, down, COMPLETED)
    with RawServer(script) as server, Client(KEY, server.url) as client:
        client.wait(JOB_ID, schedule=Backoff(jitter=0))

    expected = [1, 2, 4, 8, 16, 32, 60, 60, 1, 1]
    assert [wait // 1 for wait in clock.slept] == expected
    assert all(0 <= wait - least <= 0.5 for wait, least in zip(clock.slept, expected, strict=True))


@pytest.mark.parametrize(("hint", "least"), [("7", 7), ("0", 1), ("-3", 1), ("later", 1)])
def test_a_hint_is_followed_if_it_is_one(clock: Clock, hint: str, least: float) -> None:
    """A hint of 0 must not have a service in trouble asked without a pause."""
    script = scripted(message(b"", "503 No", Retry_After=hint), COMPLETED)
    with RawServer(script) as server, Client(KEY, server.url) as client:
        client.wait(JOB_ID)

    assert len(clock.slept) == 1
    assert least <= clock.slept[0] <= least + 0.5


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (message(as_refusal("API_KEY_EXPIRED"), "401 No"), AuthError),
        (message(as_refusal("FORBIDDEN"), "403 No"), ForbiddenError),
        (message(as_refusal("JOB_NOT_FOUND"), "404 No"), JobNotFoundError),
        (message(as_refusal("INSUFFICIENT_CREDITS"), "402 No"), CreditsError),
        (message(as_refusal("BAD_ID"), "400 No"), ApiError),
    ],
)
def test_what_waiting_would_not_help_ends_it(answer: bytes, kind: type[ApiError]) -> None:
    """At once, also in the middle."""
    with (
        RawServer(scripted(PROCESSING, answer)) as server,
        Client(KEY, server.url) as client,
        pytest.raises(kind),
    ):
        client.wait(JOB_ID, schedule=FAST)

    assert len(server.requests) == 2


@pytest.mark.parametrize("held_back_s", [8, 3600])
def test_time_runs_out_while_the_key_is_held_back(
    sandbox: Sandbox, client: Client, clock: Clock, held_back_s: float
) -> None:
    """The wait ends on time although no request is free, and none is made."""
    (job_id,) = sandbox.submit(1)
    live_by(clock, client)
    client.budget.refused(client.budget.epoch, held_back_s)
    with pytest.raises(WaitTimeoutError):
        client.wait(job_id, timeout=5)

    assert sum(clock.slept) == pytest.approx(5)
    assert sandbox.requests.total == 0


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_ends_the_waiting() -> None:
    """It is passed on as it is; the client can be used afterwards."""
    main = threading.main_thread().ident
    assert main is not None
    looks: list[int] = []

    def script(connection: socket.socket, server: RawServer) -> None:
        looks.append(1)
        if len(looks) == 2:
            signal.pthread_kill(main, signal.SIGINT)
            server.stopped.wait(0.5)
        connection.sendall(PROCESSING if len(looks) < 3 else COMPLETED)

    with RawServer(script) as server, Client(KEY, server.url) as client:
        with pytest.raises(KeyboardInterrupt):
            client.wait(JOB_ID, schedule=FAST)
        assert client.job(JOB_ID).status == "completed"


@pytest.mark.parametrize("wait", [0, -1.0, float("nan"), float("inf"), None, "1"])
def test_a_schedule_without_a_wait_is_refused(sandbox: Sandbox, client: Client, wait: Any) -> None:  # noqa: ANN401  # wrong types are the point
    """A service is not flooded because of somebody's slip."""

    class Slip:
        def next_look(self, _: Sight) -> Any:  # noqa: ANN401  # wrong types are the point
            return wait

    (job_id,) = sandbox.submit(1, scenario=NEVER)
    with pytest.raises(ConfigError, match="above 0 s"):
        client.wait(job_id, schedule=Slip())
    assert sandbox.requests.total == 1


def test_a_schedule_sees_what_the_looks_brought(sandbox: Sandbox, client: Client, clock: Clock) -> None:
    """How often was looked, for how long, and what the service said."""
    seen: list[Sight] = []

    class Noting:
        def next_look(self, sight: Sight) -> float:
            seen.append(sight)
            return 2.0

    (job_id,) = sandbox.submit(1, scenario=NEVER)
    with pytest.raises(WaitTimeoutError):
        client.wait(job_id, timeout=5, schedule=Noting())

    assert [(sight.looks, sight.watched_s) for sight in seen] == [(1, 0.0), (2, 2.0), (3, 4.0), (4, 5.0)]
    assert {sight.job_id for sight in seen} == {job_id}
    assert clock.slept == [2.0, 2.0, 1.0]


@pytest.mark.parametrize("timeout", [-1, float("nan"), "60"])
def test_a_time_that_cannot_be_waited_is_refused_at_the_call(timeout: Any) -> None:  # noqa: ANN401  # wrong types are the point
    """Nothing is sent."""
    with pytest.raises(ConfigError, match="timeout"):
        Client(KEY, "http://127.0.0.1:1/v1").wait(JOB_ID, timeout=timeout)


@pytest.mark.parametrize("schedule", [3, Backoff, "backof"])
def test_what_is_no_schedule_is_refused_at_the_call(schedule: Any) -> None:  # noqa: ANN401  # wrong types are the point
    """Nothing is sent."""
    with pytest.raises(ConfigError, match="schedule"):
        Client(KEY, "http://127.0.0.1:1/v1").wait(JOB_ID, schedule=schedule)
