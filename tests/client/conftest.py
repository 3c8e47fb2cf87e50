"""Fixtures of the client's tests."""

import signal
from collections.abc import Iterator

import pytest

from docurift_nb.client import Client
from docurift_nb.client import client as module
from docurift_nb.sandbox import Sandbox
from tests.client.doubles import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the time that clients live by, so that a wait of minutes is over at once."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Have SIGINT raise KeyboardInterrupt, as it does unless the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """Make a client of the sandbox, and close it."""
    with Client(sandbox.api_key, sandbox.url) as client:
        yield client
