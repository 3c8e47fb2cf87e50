"""How entries become the latest state of a job: rules only, no SQL and no clock.

An answer that is final stands for ever. Else the newest observation decides, by its own time and not by the
order in which processes commit; on equal times the later commit. An ending without an answer keeps the answer
there was, and a newer answer reopens the job: it exists after all.
"""

import msgspec

from docurift_nb.archive.entry import Entry
from docurift_nb.models import Seen


class Memory(msgspec.Struct):
    """The latest state of one job while a batch is folded into it; times in microseconds since 1970.

    Attributes
    ----------
    number : int
        The job's place in the order first added.
    seen : str
        ``unseen``, ``fresh``, or the word of an ending without an answer.
    answered_at, looked_at : int or None
        Times of the answer kept and of the observation that decided ``seen``.
    ending : int or None
        Sequence number of the transition that ended it; None while open.
    latest : int or None
        Sequence number of its newest transition.
    changed_at : int or None
        The greatest time of its transitions.
    raw : bytes or None
        The open answer to keep; empty when a final one has replaced it, None to leave what is stored.
    """

    number: int
    seen: str = Seen.UNSEEN.value
    answered_at: int | None = None
    looked_at: int | None = None
    ending: int | None = None
    latest: int | None = None
    changed_at: int | None = None
    raw: bytes | None = None

    @property
    def is_final(self) -> bool:
        """Whether a completed or failed answer is kept."""
        return self.ending is not None and self.seen == "fresh"

    def fold(self, entry: Entry, at: int, sequence: int) -> bool:
        """Take in one entry observed ``at``; tell whether its answer is the final one to keep."""
        self.latest = sequence
        self.changed_at = at if self.changed_at is None else max(at, self.changed_at)
        if self.is_final:
            return False
        if entry.seen is Seen.FRESH:
            return self._fold_answer(entry, at, sequence)
        if entry.ended and _not_before(at, self.looked_at):
            self.seen, self.looked_at, self.ending = str(entry.seen), at, sequence
        return False

    def _fold_answer(self, entry: Entry, at: int, sequence: int) -> bool:
        if entry.ended:
            self.seen, self.looked_at, self.ending = "fresh", at, sequence
            self.answered_at, self.raw = at, b""
            return True
        if _not_before(at, self.looked_at):
            self.seen, self.looked_at, self.ending = "fresh", at, None
        if _not_before(at, self.answered_at):
            self.answered_at, self.raw = at, entry.raw
        return False


def _not_before(at: int, other: int | None) -> bool:
    return other is None or at >= other
