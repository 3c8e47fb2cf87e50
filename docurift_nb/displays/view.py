"""What the publisher and its views agree on; the rich displays to come fit in here too."""

from typing import Protocol

from docurift_nb.watcher import Snapshot


class Watched(Protocol):
    """Whatever can be asked for a snapshot from any thread, such as a `Watch`."""

    def snapshot(self) -> Snapshot:
        """Return the whole watch at this moment."""


class View(Protocol):
    """One display in one place. Made and shown by the calling thread, from then on the publisher's alone."""

    interval_s: float
    """The shortest time between two drawings."""

    cost: int
    """The most messages that drawing once may send."""

    def update(self, snapshot: Snapshot) -> int:
        """Draw this snapshot, whatever was drawn before; return how many messages were sent."""

    def finish(self, snapshot: Snapshot) -> int:
        """Draw the last snapshot, all of it even where nothing changed; return messages sent.

        Called twice, some time apart, because a flooded server drops messages.
        """

    def close(self) -> int:
        """Give back what a finished view still holds in the kernel; return messages sent. Idempotent."""
