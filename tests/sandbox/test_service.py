"""Jobs, queue, retention and lists, without HTTP."""

import json
from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.sandbox.clock import Clock
from docurift_nb.sandbox.jobs import Job
from docurift_nb.sandbox.recordings import read
from docurift_nb.sandbox.scenarios import Document, Scenario
from docurift_nb.sandbox.service import DAY_S, Query, Service
from docurift_nb.sandbox.wire import Refusal
from tests.sandbox import contract

KEY = "frc_one"
START = datetime(2024, 1, 27, 10, 30, tzinfo=UTC)
TEN_SECONDS = Scenario(documents=(Document(type="invoice", median_s=10, sigma=0),), failing=0)


def made(
    *, seed: int = 0, speed: float = 1.0, workers: int | None = None, days: float = 30
) -> tuple[Service, Clock]:
    """Make a service on a held clock."""
    clock = Clock(start=START, source=lambda: 0.0)
    clock.hold()
    service = Service(clock, seed=seed, speed=speed, workers=workers, retention_s=days * DAY_S)
    return service, clock


@given(seed=st.integers(), scored=st.booleans(), workers=st.none() | st.integers(1, 4))
def test_the_same_seed_gives_the_same_answers(
    *,
    seed: int,
    scored: bool,
    workers: int | None,
) -> None:
    """Ids and answers of two services with one seed and start are equal, byte for byte."""
    scenario = Scenario(scored=scored, never_finishing=0.2, arrivals_per_s=2)
    bodies = []
    for _ in range(2):
        service, clock = made(seed=seed, workers=workers)
        ids = service.submit(5, owner=KEY, scenario=scenario)
        clock.advance(12)
        bodies.append([service.job(one).answer(clock.now()).body for one in ids])
    assert bodies[0] == bodies[1]


def test_batches_differ() -> None:
    """A second batch of the same size has other ids and other outcomes."""
    service, _ = made()
    first, second = (service.submit(5, owner=KEY, scenario=Scenario()) for _ in range(2))
    assert not set(first) & set(second)
    spans = [[service.job(one).span_s for one in ids] for ids in (first, second)]
    assert spans[0] != spans[1]


@given(workers=st.integers(1, 4), count=st.integers(0, 20), after_s=st.floats(0, 200))
def test_never_more_than_workers_are_processing(workers: int, count: int, after_s: float) -> None:
    """Whenever one looks, at most `workers` jobs are being processed."""
    service, clock = made(workers=workers)
    ids = service.submit(count, owner=KEY, scenario=Scenario())
    statuses = [service.job(one).at(clock.now() + after_s).status for one in ids]
    assert statuses.count("processing") <= workers


def test_the_queue_is_first_come_first_served() -> None:
    """With one worker and jobs of ten seconds, the third starts after twenty."""
    service, clock = made(workers=1)
    ids = service.submit(3, owner=KEY, scenario=TEN_SECONDS)
    clock.advance(15)
    now = clock.now()
    assert [service.job(one).at(now).status for one in ids] == ["completed", "processing", "pending"]


def test_speed_divides_durations() -> None:
    """At speed 20 a job of ten seconds takes half a second."""
    service, clock = made(speed=20)
    [job_id] = service.submit(1, owner=KEY, scenario=TEN_SECONDS)
    assert service.job(job_id).end_s - clock.now() == pytest.approx(0.5)


def test_retention_ends_thirty_days_after_the_end() -> None:
    """A job is there up to 30 days after its end and not found after them."""
    service, clock = made()
    [job_id] = service.submit(1, owner=KEY, scenario=TEN_SECONDS)
    clock.advance(10 + 30 * DAY_S)
    assert service.find(job_id, KEY).id == job_id
    clock.advance(1)
    with pytest.raises(Refusal, match="not found") as caught:
        service.find(job_id, KEY)
    assert (caught.value.status, caught.value.code) == (404, "JOB_NOT_FOUND")
    assert service.page(Query(), owner=KEY, now=clock.now()).total == 0


def test_open_jobs_do_not_expire() -> None:
    """A job that never ends can be asked for for ever."""
    service, clock = made()
    [job_id] = service.submit(1, owner=KEY, scenario=Scenario(never_finishing=1))
    clock.advance(400 * DAY_S)
    assert service.find(job_id, KEY).id == job_id


def test_an_unknown_id_has_the_documented_message() -> None:
    """Not found is the contract's example."""
    service, _ = made()
    with pytest.raises(Refusal) as caught:
        service.find(contract.JOB_ID, KEY)
    body = json.loads(caught.value.answer("req_1").body)
    assert body == contract.NOT_FOUND | {"requestId": "req_1"}


def test_jobs_of_other_keys_are_forbidden_and_unlisted() -> None:
    """A job belongs to the key it was submitted under."""
    service, clock = made()
    [job_id] = service.submit(1, owner="frc_two", scenario=Scenario())
    with pytest.raises(Refusal) as caught:
        service.find(job_id, KEY)
    assert (caught.value.status, caught.value.code) == (403, "FORBIDDEN")
    assert service.page(Query(), owner=KEY, now=clock.now()).total == 0


def test_a_job_on_its_way_is_pending_and_unlisted() -> None:
    """Before its arrival a job can be asked for, but no list has it."""
    service, clock = made()
    ids = service.submit(50, owner=KEY, scenario=Scenario(arrivals_per_s=1))
    last = service.find(ids[-1], KEY)
    assert last.at(clock.now()).status == "pending"
    assert service.page(Query(), owner=KEY, now=clock.now()).total == 1
    assert service.page(Query(), owner=KEY, now=last.arrival_s).total == 50


def test_an_upload_depends_on_its_content() -> None:
    """The same content meets the same fate under a new id, other content another fate."""
    service, _ = made()
    jobs = [
        service.upload(content, owner=KEY, document_type="invoice", scenario=Scenario())
        for content in (b"a", b"a", b"b")
    ]
    assert jobs[0].id != jobs[1].id
    assert jobs[0].plan == jobs[1].plan != jobs[2].plan


def recordings(*created: str) -> list[dict[str, str]]:
    """Make records of twenty seconds that begin at the given minutes and seconds."""
    return [
        {
            "id": f"job_{i}",
            "status": "completed",
            "createdAt": f"2024-01-01T00:{one}Z",
            "updatedAt": f"2024-01-01T00:{one}Z",
        }
        for i, one in enumerate(created)
    ]


@pytest.mark.parametrize(("arrivals", "waits"), [("at_once", [0, 0, 0]), ("recorded", [15, 0, 30])])
def test_recorded_jobs_arrive_as_asked(arrivals: Literal["at_once", "recorded"], waits: list[float]) -> None:
    """All now, or spaced as recorded and sped up like everything else."""
    service, clock = made(speed=2)
    records = recordings("00:30", "00:00", "01:00")
    ids = service.replay(read(records), owner=KEY, arrivals=arrivals)
    assert ids == ["job_0", "job_1", "job_2"]
    assert [service.job(one).arrival_s - clock.now() for one in ids] == waits


def test_a_taken_id_queues_nothing() -> None:
    """Replaying an id twice is an error that names it, and leaves the service as it was."""
    service, _ = made()
    service.replay(read(recordings("00:00")), owner=KEY)
    with pytest.raises(ValueError, match="cannot replay job 'job_0'"):
        service.replay(read([{"id": "new"}, {"id": "job_0"}]), owner=KEY)
    with pytest.raises(LookupError, match="no job 'new'"):
        service.job("new")


@given(
    count=st.integers(0, 30),
    limit=st.integers(1, 12),
    sort_by=st.sampled_from(["createdAt", "updatedAt"]),
    descending=st.booleans(),
    workers=st.none() | st.integers(1, 3),
)
def test_pages_partition_the_jobs(
    *,
    count: int,
    limit: int,
    sort_by: Literal["createdAt", "updatedAt"],
    descending: bool,
    workers: int | None,
) -> None:
    """All pages together hold every job once, in the order asked for, and none comes after them."""
    service, clock = made(workers=workers)
    ids = service.submit(count, owner=KEY, scenario=Scenario())
    clock.advance(20)
    now = clock.now()
    listed: list[Job] = []
    for number in range(1, count // limit + 3):
        query = Query(page=number, limit=limit, sort_by=sort_by, descending=descending)
        page = service.page(query, owner=KEY, now=now)
        assert len(page.jobs) == max(min(limit, count - (number - 1) * limit), 0)
        assert page.total == count
        listed += page.jobs
    assert sorted(job.id for job in listed) == sorted(ids)
    keys = [job.updated_s(now) if sort_by == "updatedAt" else job.created_s() for job in listed]
    assert keys == sorted(keys, reverse=descending)


def test_filters_narrow_the_list() -> None:
    """Status, type and creation time select, and the total counts what they select."""
    service, clock = made(workers=1)
    service.submit(3, owner=KEY, scenario=TEN_SECONDS)
    clock.advance(15)
    service.submit(1, owner=KEY, scenario=Scenario(documents=(Document(type="receipt"),)))
    now = clock.now()

    def total(query: Query) -> int:
        return service.page(query, owner=KEY, now=now).total

    assert total(Query(status="pending")) == 2
    assert total(Query(document_type="receipt")) == 1
    assert total(Query(start_s=now)) == 1
    assert total(Query(end_s=now - 1)) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [({"speed": 0}, "speed"), ({"days": -1}, "retention"), ({"workers": 0}, "workers")],
)
def test_impossible_settings_are_refused(options: dict[str, int], message: str) -> None:
    """A service that cannot work is not made."""
    with pytest.raises(ValueError, match=message):
        made(**options)


def test_mistaken_calls_are_refused() -> None:
    """A negative number of jobs and an unknown kind of arrivals are errors."""
    service, _ = made()
    with pytest.raises(ValueError, match="submit: expected 0 or more"):
        service.submit(-1, owner=KEY, scenario=Scenario())
    with pytest.raises(ValueError, match="arrivals: expected 'at_once' or 'recorded'"):
        service.replay([], owner=KEY, arrivals="later")  # type: ignore[arg-type]  # the mistake under test
