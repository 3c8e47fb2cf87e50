import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from docurift_nb.errors import JobNotFoundError, NoAnswerError
from docurift_nb.models import Job
from docurift_nb.watcher.crew import Crew, Outcome
from docurift_nb.watcher.fleet import Tracked
from tests.builders import make_job

PATIENCE_S = 10.0


def _answer(job_id: str) -> Job:
    if job_id == "missing":
        raise JobNotFoundError(job_id=job_id, status=404)
    if job_id == "bug":
        raise ZeroDivisionError
    return make_job(id=job_id)


@contextmanager
def _crew(size: int) -> Iterator[tuple[Crew, "SimpleQueue[Outcome]"]]:
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    crew = Crew(_answer, size, outcomes.put)
    yield crew, outcomes
    crew.dismiss(PATIENCE_S)


def test_every_look_comes_back_with_what_it_brought() -> None:
    """Answers and errors are both outcomes; none is lost."""
    with _crew(3) as (crew, outcomes):
        for job_id in ("a", "missing", "b"):
            crew.send(Tracked(job_id, 0.0))
        brought = {o.tracked.job_id: o.brought for o in (outcomes.get(timeout=PATIENCE_S) for _ in range(3))}

    assert isinstance(brought["a"], Job)
    assert isinstance(brought["missing"], JobNotFoundError)
    assert brought["missing"].__traceback__ is None


def test_a_bug_while_looking_is_a_lost_look_and_kills_no_thread() -> None:
    """One thread survives an unexpected exception and makes the next look."""
    with _crew(1) as (crew, outcomes):
        crew.send(Tracked("bug", 0.0))
        lost = outcomes.get(timeout=PATIENCE_S)
        crew.returned()
        crew.send(Tracked("a", 0.0))
        assert isinstance(outcomes.get(timeout=PATIENCE_S).brought, Job)

    assert isinstance(lost.brought, NoAnswerError)


def test_threads_are_started_only_as_needed() -> None:
    """A fleet of one job does not start sixteen threads."""
    with _crew(16) as (crew, outcomes):
        for _ in range(5):
            crew.send(Tracked("a", 0.0))
            outcomes.get(timeout=PATIENCE_S)
            crew.returned()
        workers = [t for t in threading.enumerate() if t.name == "docurift-worker"]

    assert len(workers) == 1


def test_a_full_crew_says_so() -> None:
    """Work in flight counts until its outcome was taken in."""
    with _crew(2) as (crew, outcomes):
        for _ in range(2):
            crew.send(Tracked("a", 0.0))
        assert crew.is_full
        outcomes.get(timeout=PATIENCE_S)
        crew.returned()
        assert not crew.is_full
