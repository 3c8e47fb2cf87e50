"""Stand-ins for what a client lives by and is told."""

import socket

from docurift_nb.budget import Budget
from docurift_nb.client import Client
from tests.client.servers import RawServer, Script, reset


class Clock:
    """Stands in for the module ``time``: sleeping moves it, and is noted."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return what the sleeping has come to."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        assert 0 <= seconds < float("inf")
        self.slept.append(seconds)
        self.now += seconds


def live_by(clock: Clock, client: Client, max_rate: float | None = None) -> None:
    """Give the client a budget of its own that lives by ``clock`` too."""
    budget = Budget(clock=clock.monotonic, max_rate=max_rate)
    client._access = client._access._replace(budget=budget)


def scripted(*answers: bytes) -> Script:
    """Return a script that gives one answer after the other, then the last for ever; b"" is a reset."""
    left = list(answers)

    def script(connection: socket.socket, _: RawServer) -> None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if answer:
            connection.sendall(answer)
        else:
            reset(connection)

    return script
