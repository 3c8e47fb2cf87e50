import gc
import threading
import weakref
from pathlib import Path

import pytest

from docurift_nb.archive import Archive, Entry
from docurift_nb.errors import (
    AuthError,
    ConfigError,
    ForbiddenError,
    JobNotFoundError,
    NoAnswerError,
    RateLimitError,
)
from docurift_nb.models import Observation, Seen
from docurift_nb.watcher import Phase
from docurift_nb.watcher.fleet import as_datetime
from tests.builders import make_job
from tests.watcher.doubles import PATIENCE_S, ScriptedClient, after, always, make_engine, wait_until

IDS = [f"job_{number}" for number in range(30)]


def test_a_fleet_is_watched_to_its_end() -> None:
    """Every job ends with its answer, and looking stops by itself."""
    client = ScriptedClient(after(3))
    engine = make_engine(client, IDS)

    assert engine.board.join(PATIENCE_S)
    assert engine.board.phase is Phase.FINISHED
    assert engine.snapshot().counts == {"completed": 30}
    assert sorted(client.asked) == sorted(IDS * 3)


def test_duplicates_are_merged() -> None:
    """An id given twice is one job."""
    engine = make_engine(ScriptedClient(always("completed")), ["a", "b", "a"])

    assert engine.add(["b", "c"]) == 1
    assert engine.board.join(PATIENCE_S)
    assert engine.snapshot().total == 3


def test_a_bad_id_adds_nothing() -> None:
    """The whole call is refused before anything starts."""
    engine = make_engine(ScriptedClient(always("completed")))

    with pytest.raises(ConfigError, match="no job id"):
        engine.add(["good", ".."])
    assert len(engine.board.fleet) == 0


def test_nothing_is_shown_before_it_is_stored() -> None:
    """At the moment a callback hears of an end, the archive has it."""
    engine = make_engine(ScriptedClient(after(2)))
    stored: list[bool] = []

    def check(o: Observation) -> None:
        if o.ended:
            stored.extend(kept.ended for kept in engine.archive.observations_of([o.job_id]))

    engine.on_change(check)
    engine.add(IDS)
    assert engine.board.join(PATIENCE_S)
    engine.stop()

    assert stored == [True] * 30


def test_a_paused_watch_asks_nothing_until_resumed() -> None:
    """Requests in flight are taken in, no new one goes out."""
    client = ScriptedClient(always("processing"))
    engine = make_engine(client, ["a"])
    wait_until(lambda: len(client.asked) >= 2)
    engine.pause()
    wait_until(lambda: engine._crew.in_flight == 0)
    asked = len(client.asked)

    assert engine.board.phase is Phase.PAUSED
    client.script = always("completed")
    engine.resume()
    assert engine.board.join(PATIENCE_S)
    assert len(client.asked) == asked + 1


def test_stop_ends_the_threads_and_is_idempotent() -> None:
    """A stopped watch asks nothing more and can be stopped again."""
    engine = make_engine(ScriptedClient(always("processing")), IDS)
    engine.stop()
    engine.stop()

    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("docurift")])
    assert engine.board.phase is Phase.STOPPED


def test_jobs_added_to_a_finished_watch_start_it_again() -> None:
    """A watch is open-ended until it is stopped."""
    engine = make_engine(ScriptedClient(always("completed")), ["a"])
    assert engine.board.join(PATIENCE_S)
    engine.add(["b"])

    assert engine.board.join(PATIENCE_S)
    assert engine.board.ended_after(0, PATIENCE_S) == ["a", "b"]


def test_its_own_timeout_ends_the_looking_not_the_jobs() -> None:
    """Time is up: the jobs are open, and no thread is left."""
    engine = make_engine(ScriptedClient(always("processing")), ["a"], timeout=0.05)

    assert engine.board.join(PATIENCE_S)
    assert engine.board.phase is Phase.TIMED_OUT
    assert engine.board.fleet.n_open == 1


def test_a_refused_key_pauses_and_a_new_one_resumes() -> None:
    """After the first 401 only what was in flight is spent; a new key needs no other call."""
    client = ScriptedClient(lambda *_: AuthError(status=401, code="API_KEY_EXPIRED"))
    engine = make_engine(client, IDS, workers=4)
    assert engine.board.join(PATIENCE_S)
    assert engine.board.phase is Phase.DENIED
    wait_until(lambda: engine._crew.in_flight == 0)
    assert len(client.asked) <= 4

    client.script = always("completed")
    client.renew_key("frc_another")
    assert engine.board.join(PATIENCE_S)
    assert engine.snapshot().counts == {"completed": 30}


def test_a_new_key_reopens_jobs_the_old_one_was_denied() -> None:
    """A job of another organization ends as denied, and gets its chance with another key."""
    client = ScriptedClient(
        lambda job_id, look: ForbiddenError(status=403) if job_id == "theirs" else after(3)(job_id, look)
    )
    engine = make_engine(client, ["theirs", "ours"])
    assert engine.board.join(PATIENCE_S)
    assert engine.snapshot().counts == {"completed": 1, "denied": 1}

    client.script = always("completed")
    client.renew_key("frc_another")
    wait_until(lambda: engine.snapshot().counts == {"completed": 2})
    assert engine.board.join(PATIENCE_S)


def test_a_rate_limit_slows_everybody_and_fails_nobody() -> None:
    """Refusals are waited out, whatever their number, and each is accounted for."""
    client = ScriptedClient(
        lambda job_id, look: RateLimitError(status=429) if look < 3 else make_job(id=job_id)
    )
    engine = make_engine(client, IDS)

    assert engine.board.join(PATIENCE_S)
    assert engine.snapshot().counts == {"completed": 30}
    assert engine.receipt().refused == 60


def test_an_outage_costs_few_requests() -> None:
    """While nothing answers, single probes replace the fleet's looks."""
    client = ScriptedClient(lambda *_: NoAnswerError())
    engine = make_engine(client, [f"j{number}" for number in range(500)])
    wait_until(lambda: engine.snapshot().offline)
    client.script = always("completed")

    assert engine.board.join(PATIENCE_S)
    assert engine.snapshot().counts == {"completed": 500}
    assert not engine.snapshot().offline
    assert len(client.asked) < 560


def test_two_watches_share_one_answer() -> None:
    """A job watched twice in a process is paid for once when the first answer is final."""
    gate = threading.Event()

    def slow(job_id: str, _: int) -> object:
        assert gate.wait(PATIENCE_S)
        return make_job(id=job_id)

    client = ScriptedClient(slow)  # type: ignore[arg-type]  # a job, as scripts bring
    first, second = make_engine(client, ["a"]), make_engine(client, ["a"])
    gate.set()

    assert first.board.join(PATIENCE_S)
    assert second.board.join(PATIENCE_S)
    assert client.asked == ["a"]
    assert second.receipt().from_memory == 1


def test_a_later_watch_of_the_process_asks_nothing_about_ended_jobs() -> None:
    """What a living watch knows costs a new one no request."""
    client = ScriptedClient(always("failed"))
    first = make_engine(client, ["a"])
    assert first.board.join(PATIENCE_S)
    second = make_engine(client, ["a"])

    assert second.board.join(PATIENCE_S)
    assert client.asked == ["a"]
    assert second.snapshot().counts == {"failed": 1}


def test_a_resumed_archive_asks_only_for_what_is_open(tmp_path: Path) -> None:
    """Ended and expired jobs cost nothing; not-found ones are asked about once more."""
    path = str(tmp_path / "fleet.docurift")

    def script(job_id: str, _: int) -> object:
        return JobNotFoundError(status=404) if job_id == "lost" else make_job(id=job_id)

    first = make_engine(ScriptedClient(script), ["a", "lost"], archive=path)  # type: ignore[arg-type]  # as scripts bring
    assert first.board.join(PATIENCE_S)
    client = ScriptedClient(always("completed"))
    second = make_engine(client, ["a", "lost", "new"], archive=path)

    assert second.board.join(PATIENCE_S)
    assert sorted(client.asked) == ["lost", "new"]
    assert second.snapshot().counts == {"completed": 3}


def test_a_job_seen_by_an_earlier_watch_expires(tmp_path: Path) -> None:
    """The archive remembers that the job existed, so its 404 is not "no such job"."""
    path = str(tmp_path / "fleet.docurift")
    first = make_engine(ScriptedClient(always("processing")), ["a"], archive=path)
    wait_until(lambda: first.snapshot().counts == {"processing": 1})
    first.stop()
    second = make_engine(ScriptedClient(lambda *_: JobNotFoundError(status=404)), ["a"], archive=path)

    assert second.board.join(PATIENCE_S)
    assert second.snapshot().counts == {"expired": 1}


def test_what_another_process_stores_is_taken_over(tmp_path: Path) -> None:
    """An ending that appears in the file ends the job here without a request."""
    path = str(tmp_path / "fleet.docurift")
    engine = make_engine(ScriptedClient(always("processing")), ["a"], archive=path)
    job = make_job(id="a")
    with Archive(path) as other:
        other.commit(
            [
                Entry(
                    job_id="a",
                    observed_at=as_datetime(1_700_000_000.0),
                    seen=Seen.FRESH,
                    raw=job.raw,
                    status="completed",
                    progress=100.0,
                    ended=True,
                )
            ]
        )

    assert engine.board.join(PATIENCE_S)
    observation = engine.board.observation("a")
    assert observation.job == job
    assert observation.state == "completed"


def test_late_callbacks_hear_of_every_end_once() -> None:
    """A function registered after the fact misses nothing."""
    engine = make_engine(ScriptedClient(always("completed")), IDS)
    assert engine.board.join(PATIENCE_S)
    heard: list[str] = []
    forget = engine.on_change(lambda o: heard.append(o.job_id))
    engine.add(["late"])
    assert engine.board.join(PATIENCE_S)
    engine.stop()
    forget()

    assert sorted(heard) == sorted([*IDS, "late"])


def test_an_engine_nobody_holds_is_collected_and_its_archive_closed() -> None:
    """Finished engines leave nothing behind."""
    engine = make_engine(ScriptedClient(always("completed")), IDS)
    assert engine.board.join(PATIENCE_S)
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("docurift")])
    reference = weakref.ref(engine)
    del engine
    gc.collect()

    assert reference() is None


def test_a_bug_in_the_scheduler_is_kept_and_ends_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of our own is not swallowed: the watch stops and says why."""

    class Broken:
        def next_look(self, sight: object) -> float:
            raise ZeroDivisionError(sight)

    engine = make_engine(ScriptedClient(always("processing")))
    engine.board.fleet._schedule = Broken()
    engine.add(["a"])

    assert engine.board.join(PATIENCE_S)
    assert engine.board.phase is Phase.STOPPED
    assert isinstance(engine.board.crash, ZeroDivisionError)
    assert "broke down" in caplog.text


def test_the_receipt_adds_up() -> None:
    """Requests are what was asked, and the next look of a finished watch is none."""
    client = ScriptedClient(after(4))
    engine = make_engine(client, IDS)
    assert engine.board.join(PATIENCE_S)
    receipt = engine.receipt()

    assert receipt.requests == receipt.answers == len(client.asked) == 120
    assert receipt.per_ended_job == 4.0
    assert receipt.next_look_s is None
    assert "120 requests, 4.0 per ended job" in str(receipt)
