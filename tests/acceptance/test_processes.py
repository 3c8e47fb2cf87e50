"""A watch in a process that is interrupted, left, or runs out of disk."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docurift_nb.sandbox import Sandbox
from docurift_nb.sandbox.scenarios import Scenario
from tests.acceptance.stage import assert_stored, finish, start, tell, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals and limits of POSIX")
UNENDING = Scenario(never_finishing=1.0)


@pytest.fixture
def service() -> Iterator[Sandbox]:
    """Run a local DocuRift on which a job takes some tenths of a second."""
    with Sandbox(seed=0, speed=50.0) as running:
        yield running


@pytest.mark.parametrize("asked", [25, 40, 60])
def test_an_interrupt_detaches_and_the_watch_goes_on(service: Sandbox, asked: int) -> None:
    """Ctrl-C ends the waiting at once with a note, and a second waiting sees the fleet to its end."""
    service.clock.hold()
    ids = service.submit(5, scenario=Scenario(failing=0.0))
    child = start("interrupted_child.py", service.url, service.api_key)
    tell(child, ids)
    assert child.stdout is not None
    assert child.stdout.readline() == "waiting\n"
    goal = service.requests.total + asked
    until(lambda: service.requests.total >= goal)
    os.kill(child.pid, signal.SIGINT)

    assert child.stdout.readline().startswith("interrupted: waiting ended, the jobs and the watch go on")
    service.clock.advance(3600)
    assert finish(child) == ["finished {'completed': 5}"]


@pytest.mark.parametrize("logged", ["logged", "unlogged"])
@pytest.mark.parametrize("archived", [True, False])
def test_leaving_with_a_live_watch_is_quick_and_silent(
    service: Sandbox, tmp_path: Path, *, archived: bool, logged: str
) -> None:
    """Threads that are asking hold no program back, and say nothing while they die."""
    ids = service.submit(100, scenario=UNENDING)
    for attempt in range(4):
        archive = tmp_path / f"{attempt}.docurift" if archived else ""
        child = start("leaving_child.py", service.url, service.api_key, archive, logged, "100")
        tell(child, ids)
        assert finish(child) == []


def test_a_slow_service_does_not_hold_a_leaving_program(service: Sandbox) -> None:
    """Requests that hang for ever are left behind."""
    ids = service.submit(100, scenario=UNENDING)
    service.faults.on("hang", job_ids=ids[:8])
    child = start("leaving_child.py", service.url, service.api_key, "", "unlogged", "92")
    tell(child, ids)
    assert finish(child) == []


def test_a_full_disk_is_told_and_loses_nothing(service: Sandbox, tmp_path: Path) -> None:
    """The watch pauses, shows nothing that is not stored, and needs no answer twice when there is space."""
    ids = service.submit(500, scenario=Scenario(failing=0.1))
    path = tmp_path / "fleet.docurift"
    child = start("full_disk_child.py", path, service.url, service.api_key, "300000")
    tell(child, ids)
    at_the_limit, in_the_end = map(int, finish(child))

    assert at_the_limit < in_the_end == 500
    assert service.requests.after_end == {}
    assert_stored(path, service, ids)
