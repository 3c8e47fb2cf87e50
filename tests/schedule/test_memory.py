import math

from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.schedule.memory import MOST_TYPES, PROCESSING, Kinds, Memory, OpenJobs

wild = st.floats(-1e300, 1e300)


def test_a_memory_comes_back_as_it_was_put() -> None:
    """Times to the microsecond, numbers within the watch to a ten-millionth."""
    memory, jobs = Memory(1.7e9 + 0.125), OpenJobs()
    memory.at, memory.newest, memory.kind, memory.status = 1.7e9 + 30.5, 1.7e9 + 29.25, 7, PROCESSING
    memory.progress, memory.guess_s, memory.has_waited = 45.5, 2.25, True
    jobs.put("job_1", memory)
    again = jobs.get("job_1")

    assert again is not None
    assert again.pack() == memory.pack()
    assert (again.at, again.kind, again.progress, again.has_waited) == (memory.at, 7, 45.5, True)


def test_a_memory_is_small() -> None:
    """A hundred thousand of them are kept."""
    assert len(Memory(1.7e9).pack()) <= 64


def test_what_is_dropped_is_gone() -> None:
    """Dropping it twice is no error."""
    jobs = OpenJobs()
    jobs.put("job_1", Memory(0.0))
    jobs.drop("job_1")
    jobs.drop("job_1")

    assert jobs.get("job_1") is None
    assert len(jobs) == 0


@given(wild, wild, st.floats(0, 1e300), st.floats(1e-3, 1e3))
def test_a_job_is_never_younger_than_it_was_watched(
    taken: float, at: float, span: float, pace: float
) -> None:
    """Whatever its times say, and whatever fits into a packed number."""
    memory = Memory(taken)
    memory.date(at, span, pace)

    assert memory.born(pace) <= taken
    assert math.isfinite(Memory.unpack(memory.pack()).span_s)


def test_the_oldest_telling_counts() -> None:
    """Times that stand still while ours goes on make no job younger."""
    memory = Memory(100.0)
    memory.date(105.0, 20.0, 1.0)
    memory.date(115.0, 20.0, 1.0)

    assert memory.born(1.0) == 85.0
    assert memory.born(10.0) == 100.0


def test_types_beyond_a_thousand_count_as_untold() -> None:
    """A service that makes them up costs no memory."""
    kinds = Kinds()
    numbers = {kinds.number(f"type {n}") for n in range(2 * MOST_TYPES)}

    assert len(numbers) == MOST_TYPES
    assert kinds.number(None) == kinds.number("") == kinds.number("one more") == 0
