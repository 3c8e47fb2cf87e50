"""Holding a watch: pausing and stopping, waiting in every way, hearing of changes, watching twice."""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import docurift_nb as dn
from docurift_nb.errors import WaitTimeoutError, WatchStoppedError
from docurift_nb.sandbox import Sandbox
from docurift_nb.sandbox.scenarios import Scenario
from docurift_nb.watcher import Phase
from tests.acceptance.stage import (
    PATIENCE_S,
    WORKERS,
    Witness,
    assert_stored,
    assert_true_endings,
    finish,
    quick_watch,
    start,
    tell,
    until,
)

MIXED = Scenario(failing=0.2)
UNENDING = Scenario(never_finishing=1.0)


@pytest.fixture
def service() -> Iterator[Sandbox]:
    """Run a local DocuRift on which a job takes about a second."""
    with Sandbox(seed=0, speed=40.0) as running:
        yield running


@pytest.fixture
def client(service: Sandbox) -> Iterator[Witness]:
    """Give a client that notes broken rules; breaking one fails the test."""
    with Witness(service) as asking:
        yield asking
        asking.assert_rules_kept()


def test_a_paused_watch_asks_nothing(service: Sandbox, client: Witness) -> None:
    """Nothing goes out between pause and resume, though every job falls due."""
    ids = service.submit(50, scenario=MIXED)
    with quick_watch(client, ids) as watch:
        until(lambda: service.requests.total > 60)
        watch.pause()
        until(lambda: client.is_quiet)
        asked = service.requests.total
        until(lambda: (watch.receipt.next_look_s or 0.0) < -0.3)
        assert watch.phase is Phase.PAUSED
        assert service.requests.total == asked

        watch.resume()
        watch.wait(timeout=PATIENCE_S)
        assert_true_endings(watch, service, ids)


def test_a_stopped_watch_asks_nothing_and_keeps_its_results(service: Sandbox, client: Witness) -> None:
    """Stopping is idempotent, waiting says so, and what was seen stays readable."""
    ids = service.submit(50, scenario=UNENDING)
    watch = quick_watch(client, ids)
    until(lambda: watch.counts.get("processing") == 50)
    watch.stop()
    watch.stop()

    assert watch.phase is Phase.STOPPED
    assert client.is_quiet
    assert len(watch.results()) == 50
    with pytest.raises(WatchStoppedError):
        watch.wait(timeout=PATIENCE_S)


def test_jobs_can_be_added_while_watching_and_after_the_end(service: Sandbox, client: Witness) -> None:
    """A watch is open-ended, and what it has is not asked for again."""
    ids = service.submit(90, scenario=MIXED)
    with quick_watch(client, ids[:30]) as watch:
        assert watch.add(ids[:60]) == 30
        watch.wait(timeout=PATIENCE_S)
        assert watch.add(ids) == 30
        watch.wait(timeout=PATIENCE_S)
        assert_true_endings(watch, service, ids)
    assert service.requests.after_end == {}


def test_waiting_in_vain_ends_the_waiting_only(service: Sandbox, client: Witness) -> None:
    """A timeout of wait leaves the watch as it is; one of the watch stops the looking."""
    ids = service.submit(5, scenario=UNENDING)
    with quick_watch(client, ids, timeout=1.5) as watch:
        with pytest.raises(WaitTimeoutError):
            watch.wait(timeout=0.1)
        assert watch.snapshot().phase == "running"
        with pytest.raises(WaitTimeoutError, match="own timeout"):
            watch.wait(timeout=PATIENCE_S)
        assert watch.snapshot().phase == "timed out"
        assert len(watch.results()) == 5


def test_as_completed_yields_each_job_once(service: Sandbox, client: Witness) -> None:
    """Failed jobs too, those that ended before first, and those added on the way."""
    ids = service.submit(150, scenario=MIXED)
    with quick_watch(client, ids[:100]) as watch:
        until(lambda: watch.snapshot().n_ended > 20)
        came = []
        for job in watch.as_completed(timeout=PATIENCE_S):
            came.append(job.job_id)
            if len(came) == 50:
                watch.add(ids[100:])
    assert sorted(came) == sorted(ids)


def test_as_completed_misses_nothing_when_a_renewed_key_reopens_jobs(
    service: Sandbox, client: Witness
) -> None:
    """Jobs that were denied and come back do not push others out of the iteration."""
    other = service.add_key()
    ids = service.submit(60, scenario=MIXED)
    theirs = service.submit(3, api_key=other)
    with quick_watch(client, theirs + ids) as watch:
        until(lambda: watch.counts.get("denied") == 3)
        coming = watch.as_completed(timeout=PATIENCE_S)
        came = [next(coming).job_id]
        client.renew_key(service.api_key)
        until(lambda: watch.counts.get("denied") == 3)
        came += [job.job_id for job in coming]
    assert sorted(came) == sorted(ids)


def test_a_watch_can_be_awaited_and_the_waiting_cancelled(service: Sandbox, client: Witness) -> None:
    """Cancelling ends the waiting, not the watch; the loop stays free meanwhile."""
    ids = service.submit(50, scenario=MIXED)

    async def cell(watch: dn.Watch) -> dn.Results:
        async def waiting() -> dn.Results:
            return await watch

        service.clock.hold()
        task = asyncio.ensure_future(waiting())
        while watch.receipt.requests < 80:  # noqa: ASYNC110  # the loop must not be left idle
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert watch.phase is Phase.RUNNING
        service.clock.run()
        return await asyncio.wait_for(waiting(), PATIENCE_S)

    with quick_watch(client, ids) as watch:
        assert len(asyncio.run(cell(watch))) == 50
        assert_true_endings(watch, service, ids)


def test_each_change_is_told_once_and_each_end_exactly_once(service: Sandbox, client: Witness) -> None:
    """No two neighbouring messages about a job are alike, and the last one is its end."""
    ids = service.submit(80, scenario=MIXED)
    heard: list[tuple[str, str, float | None, str, bool]] = []

    def note(o: dn.Observation) -> None:
        progress = None if o.job is None else o.job.progress
        heard.append((o.job_id, o.state, progress, str(o.seen), o.ended))

    with quick_watch(client, []) as watch:
        watch.on_change(note)
        watch.add(ids)
        watch.wait(timeout=PATIENCE_S)
    for job_id in ids:
        told = [what for what in heard if what[0] == job_id]
        assert all(one != after for one, after in itertools.pairwise(told))
        assert [what[-1] for what in told] == [False] * (len(told) - 1) + [True]


def test_a_function_that_fails_harms_nobody_else(
    service: Sandbox, client: Witness, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its neighbour hears of every end, the watch goes on, and nothing is printed."""
    ids = service.submit(40, scenario=MIXED)
    ends: Counter[str] = Counter()

    def fail(_: dn.Observation) -> None:
        raise ZeroDivisionError

    with quick_watch(client, ids) as watch:
        watch.on_change(fail)
        watch.on_change(lambda o: ends.update([o.job_id] if o.ended else []))
        watch.wait(timeout=PATIENCE_S)
    assert ends == Counter(ids)
    assert capfd.readouterr() == ("", "")


def test_a_slow_function_holds_nothing_up(service: Sandbox, client: Witness) -> None:
    """The watch finishes while a function still sits on its first message; the ends reach it later."""
    ids = service.submit(40, scenario=MIXED)
    gate, ends = threading.Event(), []

    def sit(o: dn.Observation) -> None:
        assert gate.wait(PATIENCE_S)
        ends.extend([o.job_id] if o.ended else [])

    with quick_watch(client, ids) as watch:
        watch.on_change(sit)
        watch.wait(timeout=PATIENCE_S)
        gate.set()
    assert sorted(ends) == sorted(ids)


def test_two_watches_of_one_process_ask_once(service: Sandbox, client: Witness) -> None:
    """Over overlapping ids no job is asked about twice at once, and no finished one again."""
    ids = service.submit(300, scenario=MIXED)
    with quick_watch(client, ids[:200]) as one, quick_watch(client, ids[100:]) as two:
        one.wait(timeout=PATIENCE_S)
        two.wait(timeout=PATIENCE_S)
        assert_true_endings(one, service, ids[:200])
        assert_true_endings(two, service, ids[100:])
        assert one.receipt.requests + two.receipt.requests == service.requests.total
    assert service.requests.after_end == {}


def test_what_living_watches_know_is_counted_once(service: Sandbox, client: Witness) -> None:
    """A third watch over jobs that two others have finished pays nothing, and its receipt says so."""
    ids = service.submit(30)
    with quick_watch(client, ids) as one, quick_watch(client, ids) as two, quick_watch(client, []) as three:
        one.wait(timeout=PATIENCE_S)
        two.wait(timeout=PATIENCE_S)
        asked = service.requests.total
        three.add(ids)
        three.wait(timeout=PATIENCE_S)
        assert service.requests.total == asked
        assert (three.receipt.ended, three.receipt.from_memory, three.receipt.requests) == (30, 30, 0)


def test_the_same_cell_run_again_gives_the_same_watch(
    service: Sandbox, client: Witness, tmp_path: Path
) -> None:
    """The same arguments mean the watch that is alive; other ones, or a stopped one, a new one."""
    ids = service.submit(20)
    path = tmp_path / "fleet.docurift"
    with dn.watch(ids, client=client, archive=path, display="off") as first:
        assert dn.watch(ids, client=client, archive=path, display="off") is first
        with dn.watch(ids[:10], client=client, archive=path, display="off") as other:
            assert other is not first
    with dn.watch(ids, client=client, archive=path, display="off") as again:
        assert again is not first
        again.wait(timeout=PATIENCE_S)


def test_a_fresh_watch_on_the_archive_asks_nothing_about_finished_jobs(
    service: Sandbox, client: Witness, tmp_path: Path
) -> None:
    """Neither in this process nor in another."""
    ids = service.submit(60, scenario=MIXED)
    path = tmp_path / "fleet.docurift"
    with quick_watch(client, ids, archive=path) as watch:
        watch.wait(timeout=PATIENCE_S)
    del watch
    asked = service.requests.total
    with quick_watch(client, ids, archive=path) as again:
        assert len(again.wait(timeout=PATIENCE_S)) == 60
    child = start("watching_child.py", path, service.url, service.api_key)
    tell(child, ids)
    assert sorted(finish(child)) == sorted([*ids, "end"])

    assert service.requests.total == asked
    assert_stored(path, service, ids)


def test_a_watch_that_nobody_holds_stops_also_after_a_refusal(service: Sandbox, client: Witness) -> None:
    """An error that was raised and forgotten does not keep the watch looking."""
    ids = service.submit(WORKERS, scenario=UNENDING)
    service.set_key_state("revoked")
    watch = quick_watch(client, ids)
    with pytest.raises(dn.errors.AuthError):
        watch.wait(timeout=PATIENCE_S)
    engine = watch._engine
    del watch
    until(lambda: engine.board.stopped)
