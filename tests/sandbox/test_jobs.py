"""One job over time, and the queue in front of it."""

import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.sandbox.jobs import Job, Workers
from docurift_nb.sandbox.recordings import Recording, read
from docurift_nb.sandbox.scenarios import Outcome, Script
from docurift_nb.sandbox.wire import time_value
from tests.sandbox import contract

NOON = time_value("2024-01-27T10:30:00Z") or 0.0
PAYLOADS = {
    "completed": {key: contract.COMPLETED["data"][key] for key in ("documentId", "result")},
    "failed": {"error": contract.FAILED["data"]["error"]},
    "never": {},
}


def scripted(outcome: Outcome, *, wait_s: float = 0, span_s: float = 45, progress: int = 23) -> Job:
    """Make the contract's job with a given end."""
    progress = 100 if outcome == "completed" else progress
    return Job(
        id=contract.JOB_ID,
        owner="k",
        arrival_s=NOON,
        start_s=NOON + wait_s,
        span_s=span_s,
        plan=Script("invoice", span_s, outcome, progress, PAYLOADS[outcome]),
    )


def recorded(record: dict[str, object], *, speed: float = 1.0, wait_s: float = 0) -> Job:
    """Make a job that replays a record, a year after it was recorded."""
    [plan] = read([record])
    now = NOON + 365 * 86400
    return Job(
        id=plan.job_id,
        owner="k",
        arrival_s=now,
        start_s=now + wait_s,
        span_s=plan.duration_s / speed,
        plan=plan,
        speed=speed,
    )


@pytest.mark.parametrize(
    ("answer", "job", "after_s"),
    [
        (contract.PENDING, scripted("completed", wait_s=5), 1),
        (contract.PROCESSING, scripted("completed"), 15),
        (contract.COMPLETED, scripted("completed"), 45),
        (contract.FAILED, scripted("failed", span_s=20), 20),
    ],
)
def test_scripted_answers_have_the_documented_shape(
    answer: dict[str, object], job: Job, after_s: float
) -> None:
    """Keys, their order and types are those of the contract's four examples."""
    assert contract.shape(json.loads(job.answer(NOON + after_s).body)) == contract.shape(answer)


@pytest.mark.parametrize(
    ("answer", "job", "after_s"),
    [(contract.COMPLETED, scripted("completed"), 45), (contract.FAILED, scripted("failed", span_s=20), 99)],
)
def test_scripted_ends_are_the_documented_values(answer: object, job: Job, after_s: float) -> None:
    """With the contract's times, the final answer is the contract's example but for milliseconds."""
    body = job.answer(NOON + after_s).body.decode().replace(".000Z", "Z")
    assert json.loads(body) == answer


def test_only_the_end_is_final() -> None:
    """An answer is final from the very moment of the end, and is built once."""
    job = scripted("completed")
    assert not job.answer(NOON + 44.999).final
    assert job.answer(NOON + 45).final
    assert job.answer(NOON + 45) is job.answer(NOON + 46)


@given(
    outcome=st.sampled_from(["completed", "failed", "never"]),
    wait_s=st.floats(0, 100),
    span_s=st.floats(0, 1000),
    progress=st.integers(0, 99),
    offsets=st.lists(st.floats(0, 1200), min_size=2),
)
def test_a_job_never_goes_back(
    outcome: Outcome, wait_s: float, span_s: float, progress: int, offsets: list[float]
) -> None:
    """Status, progress and updatedAt only ever move forwards, and an open job is below 100 %."""
    job = scripted(outcome, wait_s=wait_s, span_s=span_s, progress=progress)
    seen = [job.at(NOON + offset) for offset in sorted(offsets)]
    order = ["pending", "processing", "completed", "failed"]
    for earlier, later in pairwise(seen):
        assert order.index(earlier.status) <= order.index(later.status)
        assert earlier.progress <= later.progress
        assert earlier.changed_s <= later.changed_s
    assert all(one.progress < 100 for one in seen if one.status in ("pending", "processing"))


@given(span_s=st.floats(0.01, 1000), part=st.floats(0, 1, exclude_max=True))
def test_updated_at_is_when_the_progress_was_reached(span_s: float, part: float) -> None:
    """An open job was last updated when it reached its progress, never in the future."""
    job = scripted("completed", span_s=span_s)
    now = NOON + span_s * part
    seen = job.at(now)
    assert NOON <= seen.changed_s <= now
    if seen.status == "processing":
        assert now - seen.changed_s <= span_s / 99 + 1e-6


def test_a_stuck_job_stays_where_it_is() -> None:
    """A job that never ends stops moving, progress and updatedAt alike."""
    job = scripted("never", span_s=10, progress=60)
    assert job.at(NOON + 11) == job.at(NOON + 10**9) == ("processing", 60, NOON + 10)
    assert job.end_s == math.inf
    assert job.last_data()["progress"] == 60


def test_last_data_is_the_final_answer() -> None:
    """What the job will show in the end can be told from the start."""
    job = scripted("failed")
    assert job.last_data() == json.loads(job.answer(job.end_s).body)["data"]


def test_shifted_data_moves_the_time_stamps_only() -> None:
    """A skewed clock shifts every time stamp by the same amount and nothing else."""
    data = scripted("completed").data(NOON + 45, shift_s=60)
    assert (data["createdAt"], data["completedAt"]) == (
        "2024-01-27T10:31:00.000Z",
        "2024-01-27T10:31:45.000Z",
    )
    assert data["result"] == contract.COMPLETED["data"]["result"]


@pytest.mark.parametrize("answer", [contract.COMPLETED, contract.FAILED])
def test_a_recorded_job_ends_as_recorded(answer: dict[str, object]) -> None:
    """After the recorded duration the recorded answer is served, a year later as well."""
    job = recorded(answer, speed=20)
    assert job.span_s == pytest.approx((45 if answer is contract.COMPLETED else 20) / 20)
    assert json.loads(job.answer(job.end_s).body) == answer


@given(speed=st.floats(0.1, 1000), part=st.floats(0, 0.999))
def test_a_recorded_job_moves_on_its_own_clock(speed: float, part: float) -> None:
    """Before the end it shows its recorded createdAt and an updatedAt at the recorded pace."""
    job = recorded(contract.COMPLETED, speed=speed)
    data = job.data(job.start_s + job.span_s * part)
    assert contract.shape(data) == contract.shape(contract.PROCESSING["data"])
    assert data["createdAt"] == "2024-01-27T10:30:00Z"
    updated_s = time_value(data["updatedAt"]) or 0.0
    assert updated_s - NOON == pytest.approx(45 * data["progress"] / 99, abs=0.01)
    assert updated_s == pytest.approx(job.updated_s(job.start_s + job.span_s * part), abs=0.0011)


def test_a_queued_recorded_job_is_pending_as_documented() -> None:
    """While queued it is the contract's pending example."""
    job = recorded(contract.COMPLETED, wait_s=10)
    assert json.loads(job.answer(job.arrival_s).body) == contract.PENDING


def test_a_record_without_times_is_served_at_once() -> None:
    """A broken record is served as it is, dated by the sandbox's clock in lists."""
    job = recorded({"id": "x", "status": "archived"})
    answer = job.answer(job.arrival_s)
    assert json.loads(answer.body)["data"] == {"id": "x", "status": "archived"}
    assert not answer.final
    assert job.created_s() == job.arrival_s == job.updated_s(job.arrival_s)


def test_a_record_without_type_or_creation_runs_too() -> None:
    """An open answer leaves out what the record does not have."""
    plan = Recording({"id": "x", "status": "completed"}, b"", None, 10)
    job = Job(id="x", owner="k", arrival_s=NOON, start_s=NOON, span_s=10, plan=plan)
    data = job.data(NOON + 5)
    assert "documentType" not in data
    assert data["createdAt"] == "2024-01-27T10:30:00.000Z"


@given(
    workers=st.integers(1, 5),
    jobs=st.lists(st.tuples(st.floats(0, 10), st.floats(0.001, 10)), max_size=40),
)
def test_the_queue_never_runs_more_than_its_workers(workers: int, jobs: list[tuple[float, float]]) -> None:
    """At the start of any job at most `workers` are running, and none starts before it arrives."""
    queue = Workers(workers)
    arrivals = sorted(jobs)
    starts = [queue.take(arrival, span) for arrival, span in arrivals]
    spans = [(start, start + span) for start, (_, span) in zip(starts, arrivals, strict=True)]
    assert all(start >= arrival for start, (arrival, _) in zip(starts, arrivals, strict=True))
    assert starts == sorted(starts)
    for moment in starts:
        assert sum(start <= moment < end for start, end in spans) <= workers


def test_no_limit_means_no_queue() -> None:
    """Without a number of workers each job starts on arrival."""
    queue = Workers(None)
    assert [queue.take(5, 100) for _ in range(3)] == [5, 5, 5]


def test_zero_workers_are_refused() -> None:
    """A queue that could never move is an error."""
    with pytest.raises(ValueError, match="workers: expected at least 1"):
        Workers(0)
