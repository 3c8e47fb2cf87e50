"""A sandbox whose clock is held, and a client that asks it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from docurift_nb.sandbox import Sandbox

Ask = Callable[..., requests.Response]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Open a sandbox whose clock only moves when told."""
    with Sandbox(seed=7) as opened:
        opened.clock.hold()
        yield opened


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """Open an HTTP session that looks at no proxy settings."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.fixture
def ask(sandbox: Sandbox, session: requests.Session) -> Ask:
    """Make a function that sends one request to a path below the sandbox's url, with its key."""

    def send(path: str, method: str = "GET", **options: Any) -> requests.Response:  # noqa: ANN401 -- passed on
        defaults: dict[str, Any] = {
            "headers": {"X-API-Key": sandbox.api_key},
            "timeout": 10,
            "allow_redirects": False,
        }
        return session.request(method, sandbox.url + path, **defaults | options)

    return send
