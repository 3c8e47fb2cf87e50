"""What every test starts from: a clean environment, and nothing left running behind it."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from docurift_nb.sandbox import Sandbox

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data"
PATIENCE_S = 10.0

# How fast the machine is decides nothing: neither an example nor the first draw, which builds tables of all
# characters, may fail a test by its duration. Fixtures that last for a whole test are meant to.
settings.register_profile(
    "unhurried",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away settings of the machine that would change what is tested."""
    for name in list(os.environ):
        if name.startswith("DOCURIFT_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """Fail a test that leaves one of our threads running."""
    yield
    deadline = time.monotonic() + PATIENCE_S
    for thread in threading.enumerate():
        if thread.name.startswith("docurift"):
            thread.join(max(0.0, deadline - time.monotonic()))
            assert not thread.is_alive(), f"{thread.name} still runs"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Run a local DocuRift on which everything happens 100 times faster than recorded."""
    with Sandbox(seed=0, speed=100.0) as running:
        yield running


@pytest.fixture
def recorded() -> Path:
    """Return the recorded jobs of real documents, where they lie beside the repository."""
    path = RECORDED / "recorded_jobs.ndjson"
    if not path.exists():
        pytest.skip("the recorded jobs do not lie beside this checkout")
    return path
