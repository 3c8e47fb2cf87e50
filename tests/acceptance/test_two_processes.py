"""Two processes watch overlapping fleets on one archive: no lock error, no loss, few requests too many."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docurift_nb.sandbox import Sandbox
from docurift_nb.sandbox.scenarios import Document, Scenario
from tests.acceptance.stage import assert_stored, finish, start, tell

SHARED = 500
# Each process may have a request in flight when the other stores the end, or ask before it has heard of it.
# Both start together and look every second or two, so that a busy machine makes this more than the few it is
# otherwise; without hearing of each other it would be nearly all of the shared jobs.
BOUND = SHARED // 5
STEADY = Scenario(documents=(Document(type="invoice", median_s=4.0, sigma=0.25),), failing=0.1)


@pytest.fixture
def service() -> Iterator[Sandbox]:
    """Run a local DocuRift on which jobs take about four seconds."""
    with Sandbox(seed=0) as running:
        yield running


def test_two_processes_share_one_archive(service: Sandbox, tmp_path: Path) -> None:
    """1,000 jobs each, 500 of them the same: both see all of theirs end, silently, and ask little twice."""
    path = tmp_path / "fleet.docurift"
    ids = service.submit(1500, scenario=STEADY)
    fleets = (ids[:1000], ids[500:])
    children = [start("watching_child.py", path, service.url, service.api_key, "1", "3") for _ in fleets]
    for child, fleet in zip(children, fleets, strict=True):
        tell(child, fleet)
    for child, fleet in zip(children, fleets, strict=True):
        assert sorted(finish(child)) == sorted([*fleet, "end"])

    assert_stored(path, service, ids)
    after_end = service.requests.after_end
    assert after_end.keys() <= set(ids[500:1000])
    assert sum(after_end.values()) <= BOUND
