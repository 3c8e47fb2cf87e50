"""What a schedule keeps of each open job between two looks, in about a hundred bytes.

A watch holds a hundred thousand open jobs, so each is one packed record, unpacked when it is needed. Times
are kept in full on our clock; what lies within the watch is kept relative to when the job was taken up.
"""

import math
from struct import Struct

LAYOUT = Struct("<3d7fH3B")
MOST_TYPES = 1_000
LARGEST = 1e30
"""Far from what any clock says, and still within a packed number."""

OTHER, PENDING, PROCESSING = range(3)
STATUSES = {"pending": PENDING, "processing": PROCESSING}


def fitting(seconds: float) -> float:
    """Return what can be packed of a number of seconds."""
    return min(max(seconds, -LARGEST), LARGEST)


class Memory:
    """One open job, as of the last look."""

    __slots__ = (
        "at",
        "first_progress",
        "first_s",
        "guess_s",
        "has_waited",
        "is_firm",
        "kind",
        "least_s",
        "newest",
        "progress",
        "span_at_s",
        "span_s",
        "status",
        "taken_at",
    )

    def __init__(self, taken_at: float) -> None:
        self.at = self.taken_at = taken_at
        self.newest = math.nan
        self.span_s = self.span_at_s = self.progress = self.guess_s = self.least_s = 0.0
        self.first_s = self.first_progress = 0.0
        self.kind, self.status, self.has_waited, self.is_firm = 0, OTHER, False, False

    def born(self, pace: float) -> float:
        """Return when the job was created, on our clock: no younger than we have watched it."""
        return min(self.taken_at, self.taken_at + self.span_at_s - self.span_s / pace)

    def age(self, pace: float) -> float:
        """Return how old the job was at the last look, in our seconds."""
        return self.at - self.born(pace)

    def date(self, at: float, span_s: float, pace: float) -> None:
        """Take in how old the job says it is, in the service's seconds, if that makes it older."""
        at_s, span_s = fitting(at - self.taken_at), fitting(span_s)
        if at_s - span_s / pace <= self.span_at_s - self.span_s / pace:
            self.span_s, self.span_at_s = span_s, at_s

    def pack(self) -> bytes:
        """Return it in some 60 bytes, see `unpack`."""
        return LAYOUT.pack(
            self.at,
            self.taken_at,
            self.newest,
            self.span_s,
            self.span_at_s,
            self.progress,
            self.guess_s,
            self.least_s,
            self.first_s,
            self.first_progress,
            self.kind,
            self.status,
            self.has_waited,
            self.is_firm,
        )

    @classmethod
    def unpack(cls, packed: bytes) -> "Memory":
        """Return what was packed; numbers within the watch keep seven digits."""
        memory = cls.__new__(cls)
        (
            memory.at,
            memory.taken_at,
            memory.newest,
            memory.span_s,
            memory.span_at_s,
            memory.progress,
            memory.guess_s,
            memory.least_s,
            memory.first_s,
            memory.first_progress,
            memory.kind,
            memory.status,
            memory.has_waited,
            memory.is_firm,
        ) = LAYOUT.unpack(packed)
        return memory


class OpenJobs:
    """The memories of all jobs that were seen and have not ended."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._packed)

    def get(self, job_id: str) -> Memory | None:
        """Return a copy of what is kept; changes count once they are `put` back."""
        packed = self._packed.get(job_id)
        return None if packed is None else Memory.unpack(packed)

    def put(self, job_id: str, memory: Memory) -> None:
        """Keep it as it is now."""
        self._packed[job_id] = memory.pack()

    def drop(self, job_id: str) -> None:
        """Let go of a job; nothing happens when it is not kept."""
        self._packed.pop(job_id, None)


class Kinds:
    """Numbers for document types. What comes after the first thousand counts as untold: types are hostile."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {"": 0}

    def number(self, document_type: str | None) -> int:
        """Return the number of a type, 0 when there is none."""
        number = self._numbers.get(document_type or "")
        if number is None:
            if len(self._numbers) >= MOST_TYPES:
                return 0
            number = self._numbers[document_type or ""] = len(self._numbers)
        return number
