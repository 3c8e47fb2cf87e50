import logging
import threading

import pytest

from docurift_nb.models import Observation
from docurift_nb.watcher.callbacks import Callbacks

PATIENCE_S = 10.0


def _observation(job_id: str, looks: int) -> Observation:
    return Observation(job_id=job_id, looks=looks)


def test_changes_are_told_in_order() -> None:
    """Nothing is lost or reordered while the function keeps up."""
    heard: list[str] = []
    callbacks = Callbacks(lambda o: heard.append(o.job_id))
    callbacks.put(_observation(str(number), 1) for number in range(100))

    assert callbacks.flush(PATIENCE_S)
    assert heard == [str(number) for number in range(100)]


def test_a_busy_function_is_told_the_newest_of_each_job() -> None:
    """The queue never holds more than one change per job, and the last one is always told."""
    entered, go = threading.Event(), threading.Event()
    heard: list[tuple[str, int]] = []

    def slow(o: Observation) -> None:
        entered.set()
        assert go.wait(PATIENCE_S)
        heard.append((o.job_id, o.looks))

    callbacks = Callbacks(slow)
    callbacks.put([_observation("a", 1)])
    assert entered.wait(PATIENCE_S)
    callbacks.put(_observation("b", looks) for looks in range(50))
    go.set()

    assert callbacks.flush(PATIENCE_S)
    assert heard == [("a", 1), ("b", 49)]


def test_an_error_is_counted_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The function goes on being told after it failed."""
    heard: list[str] = []

    def fails_once(o: Observation) -> None:
        heard.append(o.job_id)
        if o.job_id == "a":
            raise ValueError("mine")

    callbacks = Callbacks(fails_once)
    with caplog.at_level(logging.ERROR, logger="docurift_nb"):
        callbacks.put([_observation("a", 1), _observation("b", 1)])
        assert callbacks.flush(PATIENCE_S)

    assert heard == ["a", "b"]
    assert callbacks.errors == 1
    assert "on_change function failed for job 'a'" in caplog.text


def test_flushing_from_within_the_function_does_not_deadlock() -> None:
    """A function that stops its own watch must not wait for itself."""
    answers: list[bool] = []
    callbacks = Callbacks(lambda _: answers.append(callbacks.flush(PATIENCE_S)))
    callbacks.put([_observation("a", 1)])

    assert callbacks.flush(PATIENCE_S)
    assert answers == [False]


def test_the_thread_ends_when_idle_and_comes_back() -> None:
    """No thread is kept for a function that has nothing to hear."""
    heard: list[str] = []
    callbacks = Callbacks(lambda o: heard.append(o.job_id))
    for job_id in ("a", "b"):
        callbacks.put([_observation(job_id, 1)])
        assert callbacks.flush(PATIENCE_S)
        thread = callbacks._thread
        assert thread is not None
        thread.join(PATIENCE_S)
        assert not thread.is_alive()

    assert heard == ["a", "b"]


def test_flush_gives_up_in_time() -> None:
    """A hanging function does not hang whoever stops the watch."""
    go = threading.Event()
    callbacks = Callbacks(lambda _: go.wait(PATIENCE_S))
    callbacks.put([_observation("a", 1)])

    assert not callbacks.flush(0.01)
    go.set()
    assert callbacks.flush(PATIENCE_S)
