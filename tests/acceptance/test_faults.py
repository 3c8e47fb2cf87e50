"""A service that misbehaves: whatever goes wrong on the way, each job ends with its true answer."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from docurift_nb import Watch
from docurift_nb.errors import AuthError, CreditsError, ForbiddenError
from docurift_nb.models import Seen
from docurift_nb.sandbox import Sandbox
from docurift_nb.sandbox.faults import Fault, FaultKind
from docurift_nb.sandbox.scenarios import Scenario
from docurift_nb.watcher import Phase
from tests.acceptance.stage import (
    PATIENCE_S,
    WORKERS,
    Witness,
    assert_receipt_adds_up,
    assert_true_endings,
    quick_watch,
    until,
)

SPEED = 50.0
MIXED = Scenario(failing=0.2)


class Script(NamedTuple):
    """A fault, how often it strikes, and after how many requests it begins."""

    fault: Fault
    probability: float = 0.3
    strikes: int | None = None
    begin: int = 0


# A service near its limit refuses now and then. Refusals at random of every third request, or in the first
# moments, would rightly teach the budget a rate of a few requests a second.
SCRIPTS = {
    "429": Script(Fault("429", retry_after_s=0.2), 0.03, strikes=3, begin=150),
    "429-date": Script(Fault("429-date", retry_after_s=1.0), 0.03, strikes=3, begin=150),
    "429-bare": Script(Fault("429-bare"), 0.03, strikes=3, begin=150),
    "500": Script(Fault("500")),
    "502": Script(Fault("502")),
    "502-json": Script(Fault("502", html=False)),
    "503": Script(Fault("503")),
    "504": Script(Fault("504")),
    "reset": Script(Fault("reset")),
    "hang": Script(Fault("hang"), probability=0.05),
    "delay": Script(Fault("delay", delay_s=0.15)),
    "delay-too-long": Script(Fault("delay", delay_s=30.0), probability=0.05),
    "truncated": Script(Fault("truncated")),
    "slow-body": Script(Fault("slow-body", delay_s=0.15)),
    "slow-body-too-long": Script(Fault("slow-body", delay_s=30.0), probability=0.05),
    "huge-body": Script(Fault("huge-body"), strikes=5),
    "html": Script(Fault("html")),
    "wrong-type": Script(Fault("wrong-type")),
    "redirect": Script(Fault("redirect")),
    "redirect-308": Script(Fault("redirect", status=308)),
    "clock-skew": Script(Fault("clock-skew")),
    "wrong-id": Script(Fault("wrong-id")),
    "invalid-utf8": Script(Fault("invalid-utf8")),
    "not-json": Script(Fault("not-json")),
    "unknown-status": Script(Fault("unknown-status")),
    "success-false": Script(Fault("success-false")),
}


@pytest.fixture
def service() -> Iterator[Sandbox]:
    """Run a local DocuRift on which a job takes some tenths of a second."""
    with Sandbox(seed=0, speed=SPEED) as running:
        yield running


def finish(
    watch: Watch, sandbox: Sandbox, client: Witness, ids: Sequence[str], *, timed: bool = True
) -> None:
    """Wait for the end and check all that must hold then."""
    results = watch.wait(timeout=PATIENCE_S)
    watch.stop()
    assert_true_endings(watch, sandbox, ids, timed=timed)
    assert set(results.jobs["job_id"]) >= set(ids)
    client.assert_rules_kept()
    until(lambda: sandbox.requests.total >= watch.receipt.requests)
    assert_receipt_adds_up(watch, sandbox)


def test_every_kind_of_fault_has_its_script() -> None:
    """A kind added to the sandbox is tried here too."""
    assert {script.fault.kind for script in SCRIPTS.values()} == set(FaultKind)


@pytest.mark.parametrize("name", SCRIPTS)
def test_one_fault_changes_no_answer(service: Sandbox, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Every job ends with its true answer, none is called failed or lost that was not, nothing is printed."""
    script = SCRIPTS[name]
    ids = service.submit(120, scenario=MIXED)
    with Witness(service, timeout=1.0) as client, quick_watch(client, ids) as watch:
        until(lambda: service.requests.total >= script.begin)
        switch = service.faults.on(script.fault, probability=script.probability, count=script.strikes)
        finish(watch, service, client, ids, timed=name != "clock-skew")

    assert switch.hits > 0
    assert capfd.readouterr() == ("", "")


def test_all_faults_at_once_change_no_answer(
    service: Sandbox, recorded: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """474 recorded jobs and 60 that fail end truly while a quarter of all answers is spoiled."""
    ids = service.replay(recorded) + service.submit(60, scenario=Scenario(failing=1.0))
    refusals = [kind for kind in FaultKind if kind.startswith("429")]
    with (
        Witness(service, timeout=1.0) as client,
        quick_watch(client, ids, archive=tmp_path / "fleet.docurift") as watch,
    ):
        service.faults.everything(0.25, without=[*refusals, "delay", "slow-body", "huge-body"])
        service.faults.on("delay", "slow-body", "huge-body", probability=0.02)
        until(lambda: service.requests.total >= 600)
        switch = service.faults.on(*refusals, probability=0.03, count=4)
        finish(watch, service, client, ids, timed=False)
        receipt = watch.receipt

    assert receipt.lost > 100
    assert receipt.refused == switch.hits > 0
    assert capfd.readouterr() == ("", "")


def test_a_real_rate_limit_is_found_and_kept(recorded: Path) -> None:
    """Under a limit of the service refusals stay rare, and all jobs end truly."""
    with Sandbox(seed=0, speed=SPEED, rate_limit=60) as sandbox:
        ids = sandbox.replay(recorded.read_bytes().splitlines()[:80])
        with Witness(sandbox) as client, quick_watch(client, ids) as watch:
            finish(watch, sandbox, client, ids)
            assert 0 < watch.receipt.refused <= 2 * WORKERS


def test_an_outage_is_survived_with_few_requests(recorded: Path) -> None:
    """While nothing listens the fleet falls due and yet only probes go out; afterwards it is resumed."""
    with Sandbox(seed=0, speed=1.0) as first:
        ids = first.replay(recorded)
        client = Witness(first, timeout=1.0)
        watch = quick_watch(client, ids)
        until(lambda: watch.counts.get("processing") == len(ids))
        port, key = int(first.url.rsplit(":", 1)[1].split("/")[0]), first.api_key
    spent = watch.receipt.requests
    until(lambda: watch.snapshot().offline and overdue(watch) > len(ids) / 2)

    assert watch.receipt.requests - spent <= 2 * WORKERS + 10
    assert watch.counts == {"processing": len(ids)}
    with Sandbox(seed=0, speed=SPEED, port=port, api_key=key) as second, client, watch:
        second.replay(recorded)
        watch.wait(timeout=PATIENCE_S)
        assert_true_endings(watch, second, ids)
        assert second.requests.after_end == {}
        assert not watch.snapshot().offline


def overdue(watch: Watch) -> int:
    """Count the jobs whose look should have been made."""
    now = time.monotonic()
    with watch._engine.board.changed:
        return sum(tracked.due < now for tracked in watch._engine.board.fleet if not tracked.ended)


def test_an_expired_key_pauses_once_and_a_renewed_one_resumes(service: Sandbox) -> None:
    """After the first 401 only what was in flight is spent, and the waiting is told."""
    ids = service.submit(200, scenario=MIXED)
    with Witness(service) as client, quick_watch(client, ids) as watch:
        until(lambda: service.requests.total > 250)
        service.set_key_state("expired")
        with pytest.raises(AuthError, match="401"):
            watch.wait(timeout=PATIENCE_S)
        until(lambda: client.is_quiet)
        assert watch.phase is Phase.DENIED
        assert service.requests.by_status[401] <= WORKERS

        service.set_key_state("active")
        client.renew_key(service.api_key)
        finish(watch, service, client, ids)


def test_no_credits_pause_and_resume_goes_on(service: Sandbox) -> None:
    """A 402 concerns the account, not a job."""
    ids = service.submit(60, scenario=MIXED)
    with Witness(service) as client, quick_watch(client, ids) as watch:
        service.set_credits(exhausted=True)
        with pytest.raises(CreditsError):
            watch.wait(timeout=PATIENCE_S)
        service.set_credits(exhausted=False)
        watch.resume()
        finish(watch, service, client, ids)


@pytest.mark.parametrize("foreign", [1, 3, 60])
def test_jobs_of_others_end_as_denied_and_hold_nobody_up(service: Sandbox, foreign: int) -> None:
    """A 403 is held against these jobs alone, however many stand side by side, since the key works."""
    theirs = service.submit(foreign, api_key=service.add_key())
    ids = service.submit(60, scenario=MIXED)
    with Witness(service) as client, quick_watch(client, ids) as watch:
        until(lambda: watch.counts.get("processing", 0) > 0)
        watch.add(theirs)
        finish(watch, service, client, ids)
        assert watch.counts["denied"] == foreign
        assert all(watch.jobs[job_id].state == "denied" for job_id in theirs)
        assert max(client.asked[job_id] for job_id in theirs) <= 3


def test_a_key_that_may_see_nothing_pauses_until_it_is_renewed(service: Sandbox) -> None:
    """Where every job is refused with 403 it is the key that is wrong, and no job is given up."""
    other = service.add_key()
    ids = service.submit(60, scenario=MIXED, api_key=other)
    with Witness(service) as client, quick_watch(client, ids) as watch:
        with pytest.raises(ForbiddenError):
            watch.wait(timeout=PATIENCE_S)
        assert watch.phase is Phase.DENIED
        assert service.requests.by_status[403] <= 20 + WORKERS
        assert "denied" not in watch.counts

        client.renew_key(other)
        finish(watch, service, client, ids)


def test_an_unknown_id_ends_as_not_found(service: Sandbox) -> None:
    """A 404 is no failure of the job and is asked for once."""
    ids = service.submit(10)
    with Witness(service) as client, quick_watch(client, [*ids, "job_nowhere"]) as watch:
        watch.wait(timeout=PATIENCE_S)
        assert_true_endings(watch, service, ids)
        assert watch.jobs["job_nowhere"].state == "not_found"
        assert client.asked["job_nowhere"] == 1
        assert_receipt_adds_up(watch, service)


def test_a_job_seen_before_ends_as_expired(service: Sandbox) -> None:
    """Past the retention the record is gone, which is neither a failure nor an unknown id."""
    service.clock.hold()
    ids = service.submit(10)
    with Witness(service) as client, quick_watch(client, ids) as watch:
        until(lambda: watch.counts == {"processing": 10})
        service.clock.advance(40 * 86_400)
        watch.wait(timeout=PATIENCE_S)
        assert watch.counts == {"expired": 10}
        assert all(seen.job is not None and seen.job.status == "processing" for seen in watch.jobs.values())
        assert service.requests.by_status[404] == 10


def test_an_unknown_status_word_is_kept_and_counts_as_unfinished(service: Sandbox) -> None:
    """The word is shown as it is, noticed once, and the job goes on to its true end."""
    service.clock.hold()
    ids = service.submit(20)
    with Witness(service) as client, quick_watch(client, ids) as watch:
        service.faults.on(Fault("unknown-status", word="reviewing"))
        until(lambda: watch.counts == {"reviewing": 20})
        shot = watch.snapshot()
        assert shot.n_open == 20
        assert [notice.count("'reviewing'") for notice in shot.notices] == [1]

        service.clock.advance(3600)
        finish(watch, service, client, ids)


def test_an_answer_about_another_job_is_never_taken(service: Sandbox) -> None:
    """The job stays as it was until an answer about itself comes."""
    service.clock.hold()
    ids = service.submit(20)
    service.clock.advance(3600)
    with (
        Witness(service) as client,
        service.faults.on("wrong-id", job_ids=ids[:3]) as switch,
        quick_watch(client, ids) as watch,
    ):
        until(lambda: watch.snapshot().n_ended == 17 and switch.hits > 9)
        assert [watch.jobs[job_id].job for job_id in ids[:3]] == [None] * 3
        assert {watch.jobs[job_id].seen for job_id in ids[:3]} == {Seen.UNREACHABLE}
        switch.off()
        finish(watch, service, client, ids)
