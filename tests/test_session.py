import asyncio
import gc
import weakref
from pathlib import Path

import pytest

import docurift_nb as dn
from docurift_nb.errors import (
    AuthError,
    ConfigError,
    NotAnArchiveError,
    WaitTimeoutError,
    WatchStoppedError,
)
from docurift_nb.sandbox import Sandbox
from docurift_nb.schedule import Backoff
from docurift_nb.watcher import Phase
from tests.watcher.doubles import PATIENCE_S, ScriptedClient, after, always, make_engine

FAST = Backoff(start=0.01, cap=0.05, seed=0)
IDS = [f"job_{number}" for number in range(20)]


def _watch(client: dn.Client, ids: list[str] = IDS, timeout: float | None = None) -> dn.Watch:
    return dn.watch(ids, client=client, schedule=FAST, timeout=timeout, display="off")


def test_waiting_brings_the_results(sandbox: Sandbox) -> None:
    """The main job in three lines: ids in, tables out."""
    ids = sandbox.submit(40)
    results = _watch(dn.Client(sandbox.api_key, sandbox.url), ids).wait(timeout=PATIENCE_S)

    truth = [sandbox.truth(job_id)["status"] for job_id in ids]
    assert sorted(results.jobs["status"]) == sorted(truth)
    assert not results.jobs["is_open"].any()


def test_one_id_is_a_fleet_of_one() -> None:
    """A single string is an id, not a list of letters."""
    watch = dn.watch("job_1", client=ScriptedClient(always("completed")), schedule=FAST)

    assert len(watch.wait(PATIENCE_S).jobs) == 1


def test_results_now_include_unfinished_jobs() -> None:
    """Nothing is left out of the tables because it is open."""
    watch = _watch(ScriptedClient(lambda i, n: after(1 if i == "job_0" else 10**9)(i, n)))
    next(iter(watch.as_completed(PATIENCE_S)))
    jobs = watch.results().jobs
    watch.stop()

    assert len(jobs) == 20
    assert jobs["is_open"].sum() == 19


def test_waiting_times_out_and_the_watch_goes_on() -> None:
    """The error names what is open; nothing is cancelled."""
    client = ScriptedClient(always("processing"))
    watch = _watch(client)
    with pytest.raises(WaitTimeoutError, match="20 jobs open") as caught:
        watch.wait(timeout=0.01)

    assert caught.value.n_open == 20
    assert watch.phase is Phase.RUNNING
    client.script = always("completed")
    assert len(watch.wait(PATIENCE_S).jobs) == 20


def test_the_watch_has_a_timeout_of_its_own() -> None:
    """Waiting for a watch that has given up says so."""
    with pytest.raises(WaitTimeoutError, match="own timeout"):
        _watch(ScriptedClient(always("processing")), timeout=0.02).wait(PATIENCE_S)


def test_waiting_for_a_stopped_watch_fails_at_once() -> None:
    """It could never succeed."""
    watch = _watch(ScriptedClient(always("processing")))
    watch.stop()

    with pytest.raises(WatchStoppedError, match="20 jobs unfinished"):
        watch.wait()


def test_waiting_with_a_refused_key_raises_what_the_service_said() -> None:
    """A blocked cell could not be given a new key."""
    with pytest.raises(AuthError, match="INVALID_API_KEY"):
        _watch(ScriptedClient(lambda *_: AuthError(status=401, code="INVALID_API_KEY"))).wait()


def test_as_completed_yields_each_job_once_in_order_of_ending() -> None:
    """Iterating drains the fleet, and iterating again gives the same jobs."""
    watch = _watch(ScriptedClient(lambda i, n: after(int(i[4:]) % 3 + 1)(i, n)))
    first = [job.job_id for job in watch.as_completed(PATIENCE_S)]

    assert sorted(first) == sorted(IDS)
    assert [job.job_id for job in watch.as_completed(PATIENCE_S)] == first


def test_as_completed_times_out() -> None:
    """The time is for the whole iteration."""
    watch = _watch(ScriptedClient(lambda i, n: after(1 if i == "job_0" else 10**9)(i, n)))
    seen: list[str] = []
    with pytest.raises(WaitTimeoutError):
        seen.extend(job.job_id for job in watch.as_completed(timeout=0.3))
    watch.stop()

    assert len(seen) <= 1


def test_awaiting_is_waiting() -> None:
    """In an async cell the same results come without blocking the loop."""

    async def cell() -> tuple[int, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticker = asyncio.create_task(tick())
        results = await _watch(ScriptedClient(after(4)))
        ticker.cancel()
        return len(results.jobs), ticks

    n, ticks = asyncio.run(cell())
    assert n == 20
    assert ticks > 3


def test_cancelling_an_await_leaves_the_watch_alone() -> None:
    """An interrupted async cell detaches; looking goes on."""
    client = ScriptedClient(always("processing"))
    watch = _watch(client)

    async def cell() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watch, 0.05)

    asyncio.run(cell())
    client.script = always("completed")
    assert len(watch.wait(PATIENCE_S).jobs) == 20


def test_leaving_the_context_stops_the_looking_and_results_stay() -> None:
    """With-blocks end what they begin."""
    with _watch(ScriptedClient(after(2))) as watch:
        watch.wait(PATIENCE_S)

    assert len(watch.results().jobs) == 20


def test_the_same_call_returns_the_living_watch() -> None:
    """Running a cell again starts no second thread and asks nothing twice."""
    client = ScriptedClient(after(3))
    first = _watch(client)
    again = _watch(client, list(reversed(IDS)))

    assert again is first
    first.wait(PATIENCE_S)
    assert len(client.asked) == 60


def test_other_ids_or_a_stopped_watch_make_a_new_one() -> None:
    """Only the same fleet is the same watch."""
    client = ScriptedClient(always("processing"))
    first = _watch(client)
    other = _watch(client, ["else"])
    first.stop()
    again = _watch(client)
    again.stop()
    other.stop()

    assert len({id(first), id(other), id(again)}) == 3


def test_a_watch_nobody_holds_stops_looking() -> None:
    """A forgotten watch does not spend requests for ever."""
    watch = _watch(ScriptedClient(always("processing")))
    engine, reference = watch._engine, weakref.ref(watch)
    del watch
    gc.collect()

    assert reference() is None
    assert engine.board.phase is Phase.STOPPED


def test_jobs_is_a_live_view() -> None:
    """Membership, length, order and observations by id."""
    watch = _watch(ScriptedClient(always("completed")))
    watch.wait(PATIENCE_S)

    assert list(watch.jobs) == IDS
    assert "job_3" in watch.jobs
    assert "job_99" not in watch.jobs
    assert watch.jobs["job_3"].state == "completed"
    with pytest.raises(KeyError):
        watch.jobs["job_99"]
    assert repr(watch.jobs) == "<latest observations of 20 jobs>"


def test_counts_and_repr_say_where_it_stands() -> None:
    """One line without times or addresses, fit for a saved notebook."""
    watch = _watch(ScriptedClient(lambda i, n: always("failed" if i == "job_0" else "completed")(i, n)))
    watch.wait(PATIENCE_S)

    assert watch.counts == {"completed": 19, "failed": 1}
    assert repr(watch) == "<Watch of 20 jobs, finished: 19 completed, 1 failed>"


def test_an_empty_fleet_is_finished() -> None:
    """No ids, no requests, empty tables."""
    watch = dn.watch([], client=ScriptedClient(always("completed")))

    assert watch.wait(PATIENCE_S).jobs.empty
    assert repr(watch) == "<Watch of 0 jobs, finished: none>"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"schedule": "backof"}, "did you mean 'backoff'"),
        ({"display": "txt"}, "did you mean 'text'"),
        ({"timeout": 0}, "seconds above 0"),
    ],
)
def test_bad_arguments_fail_at_the_call(arguments: dict[str, object], hint: str) -> None:
    """With what was expected, and the nearest name where one fits."""
    with pytest.raises(ConfigError, match=hint):
        dn.watch(IDS, client=ScriptedClient(always("completed")), **arguments)  # type: ignore[arg-type]  # wrong on purpose


def test_a_file_that_is_no_archive_is_refused_and_left_alone(tmp_path: Path) -> None:
    """The user's other file survives a mistyped path."""
    path = tmp_path / "notes.txt"
    path.write_text("my notes")
    with pytest.raises(NotAnArchiveError, match="left as it is"):
        dn.watch(IDS, client=ScriptedClient(always("completed")), archive=path)

    assert path.read_text() == "my notes"


def test_without_a_key_the_error_says_what_to_do() -> None:
    """A first-time user is told of the variable and of the sandbox."""
    with pytest.raises(ConfigError, match=r"DOCURIFT_API_KEY.*Sandbox"):
        dn.watch(IDS)


def test_pausing_adding_and_resuming_go_through() -> None:
    """The public verbs reach the engine."""
    client = ScriptedClient(always("completed"))
    watch = dn.Watch(make_engine(client))
    watch.pause()
    assert watch.add("a") == 1
    assert watch.phase is Phase.PAUSED
    watch.resume()

    assert len(watch.wait(PATIENCE_S).jobs) == 1
    assert watch.receipt.requests == 1
    assert watch.client is client
