"""A catalogue of watches at awkward moments, and doubles for what displays are made of."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from docurift_nb.watcher import Phase, Receipt, Snapshot

NOON = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)
RECEIPT = Receipt(requests=412, answers=400, refused=3, lost=2, ended=120, from_memory=7)
HOSTILE = (
    '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">'
    "</div><b onclick='hacked()'>$\\frac{1}{2}$ [red]x[/red] \u202eoverlong\x1b[31m\x00\r\n&amp;"
)


def make_snapshot(**changes: Any) -> Snapshot:  # noqa: ANN401  # any field of a snapshot
    """Return a watch of 200 jobs in mid-run with ``changes`` on top."""
    usual = Snapshot(
        phase=Phase.RUNNING,
        total=200,
        n_ended=120,
        counts={"pending": 12, "processing": 68, "completed": 110, "failed": 10},
        seen={"fresh": 80},
        taken_at=NOON,
        started_at=NOON - timedelta(minutes=3),
        newest_at=NOON - timedelta(seconds=2.5),
        oldest_at=NOON - timedelta(seconds=9),
        receipt=RECEIPT,
    )
    return msgspec.structs.replace(usual, **changes)


def make_final(**changes: Any) -> Snapshot:  # noqa: ANN401  # any field of a snapshot
    """Return the same watch at its good end."""
    ended = {"phase": Phase.FINISHED, "n_ended": 200, "seen": {}, "counts": {"completed": 188, "failed": 12}}
    return make_snapshot(**{**ended, "oldest_at": None, **changes})


CATALOGUE: dict[str, Snapshot] = {
    "running": make_snapshot(),
    "a second later": make_snapshot(taken_at=NOON + timedelta(seconds=1)),
    "nothing seen": make_snapshot(
        n_ended=0, counts={"unseen": 200}, seen={"unseen": 200}, newest_at=None, oldest_at=None
    ),
    "no jobs": make_final(total=0, n_ended=0, counts={}, newest_at=None),
    "one job": make_final(total=1, n_ended=1, counts={"completed": 1}),
    "throttled": make_snapshot(throttled_s=11.7, seen={"throttled": 14, "fresh": 66}),
    "offline": make_snapshot(offline=True, seen={"unreachable": 80}),
    "stale": make_snapshot(seen={"stale": 3, "denied": 1, "fresh": 76}),
    "paused": make_snapshot(phase=Phase.PAUSED),
    "denied": make_snapshot(phase=Phase.DENIED, trouble="DocuRift did not accept the API key."),
    "blocked": make_snapshot(phase=Phase.BLOCKED, trouble="the disk is full"),
    "timed out": make_snapshot(phase=Phase.TIMED_OUT),
    "stopped": make_snapshot(phase=Phase.STOPPED),
    "broken down": make_snapshot(phase=Phase.STOPPED, trouble="RuntimeError: bug"),
    "finished": make_final(),
    "lost ones": make_final(counts={"completed": 150, "not_found": 30, "expired": 15, "denied": 5}),
    "unknown word": make_snapshot(counts={"completed": 120, "archived": 80}, notices=("unknown status",)),
    "hostile": make_snapshot(
        phase=Phase.DENIED,
        counts={HOSTILE: 80, "completed": 120},
        trouble=HOSTILE * 9000,
        notices=(HOSTILE,) * 20,
    ),
    "many words": make_snapshot(
        counts={f"{n}" + '"' * 99: 1 for n in range(200)}, trouble="\U000e0001" * 999
    ),
    "clock set back": make_snapshot(newest_at=NOON + timedelta(hours=1)),
    "large": make_snapshot(total=1_000_000, n_ended=999_999, counts={"completed": 999_999, "pending": 1}),
}


class FakeWatch:
    """Shows one snapshot after the other, and stays at the last."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots = list(snapshots)
        self.looks = 0

    def snapshot(self) -> Snapshot:
        """Return the next snapshot."""
        self.looks += 1
        return self._snapshots.pop(0) if len(self._snapshots) > 1 else self._snapshots[0]
