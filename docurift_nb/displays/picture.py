"""What a display says: a `Snapshot` in, words and numbers out.

Every display, plain or rich, says the same because all of them draw this. It knows no markup, no Jupyter and
no clock: ages are counted from the moment at which the snapshot was taken.
"""

import enum
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from docurift_nb.errors import shorten
from docurift_nb.models import KNOWN_STATUSES, Seen
from docurift_nb.watcher import Phase, Snapshot

SHOWN_COUNTS = 12
SHOWN_NOTICES = 5


class Tone(enum.StrEnum):
    """How serious something is; never shown by colour alone."""

    QUIET = "quiet"
    BUSY = "busy"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


class Count(msgspec.Struct, frozen=True):
    """Jobs in one state. ``word`` may be a status word of the service: untrusted, already shortened."""

    glyph: str
    n: int
    word: str
    tone: Tone


class Note(msgspec.Struct, frozen=True):
    """Something users should know, and what they can do. ``quote`` comes from outside: untrusted."""

    tone: Tone
    text: str
    quote: str = ""
    advice: str = ""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """All that a display of one watch says at one moment.

    Attributes
    ----------
    tone, glyph, phase : Tone, str, str
        What the watch is doing, in colour, sign and words.
    progress : str
        Jobs ended out of all, in words.
    fraction : float
        The same for a bar, 0..1.
    counts : tuple of Count
        The four documented states always, others where there are any.
    notes : tuple of Note
    ages : str
        How old the numbers are; the only part that moves while nothing happens.
    receipt : str
        What was spent.
    """

    tone: Tone
    glyph: str
    phase: str
    progress: str
    fraction: float
    counts: tuple[Count, ...]
    notes: tuple[Note, ...]
    ages: str
    receipt: str

    @property
    def lasting(self) -> "Picture":
        """The picture without what moves by itself: two of them differ when something happened."""
        return msgspec.structs.replace(self, ages="")


_PHASES = {
    Phase.RUNNING: (Tone.BUSY, "►", "Watching"),
    Phase.PAUSED: (Tone.WARN, "‖", "Paused"),
    Phase.DENIED: (Tone.BAD, "⊘", "Refused by DocuRift"),
    Phase.BLOCKED: (Tone.BAD, "▲", "Archive cannot be written"),
    Phase.TIMED_OUT: (Tone.WARN, "◷", "Timed out"),
    Phase.STOPPED: (Tone.WARN, "■", "Stopped"),
    Phase.FINISHED: (Tone.GOOD, "✓", "Finished"),
}
_STATES = {
    "pending": ("○", "pending", Tone.QUIET),
    "processing": ("◐", "processing", Tone.BUSY),
    "completed": ("✓", "completed", Tone.GOOD),
    "failed": ("✗", "failed", Tone.BAD),
    Seen.UNSEEN.value: ("◌", "not seen yet", Tone.QUIET),
    Seen.NOT_FOUND.value: ("?", "not found", Tone.WARN),
    Seen.EXPIRED.value: ("†", "expired", Tone.WARN),
    Seen.DENIED.value: ("⊘", "denied", Tone.BAD),
}


def picture_of(snapshot: Snapshot) -> Picture:
    """Put a snapshot into words."""
    tone, glyph, phase = _phase(snapshot)
    return Picture(
        tone=tone,
        glyph=glyph,
        phase=phase,
        progress=_progress(snapshot),
        fraction=min(1.0, snapshot.n_ended / snapshot.total) if snapshot.total else 0.0,
        counts=tuple(_counts(snapshot)),
        notes=tuple(_notes(snapshot)),
        ages=_ages(snapshot),
        receipt=str(snapshot.receipt),
    )


def jobs(n: int) -> str:
    """Return ``n`` jobs in words.

    >>> jobs(1), jobs(1200)
    ('1 job', '1,200 jobs')
    """
    return "1 job" if n == 1 else f"{n:,} jobs"


def quoted(text: str, limit: int = 300) -> str:
    r"""Return text from outside, short and harmless on one line.

    >>> print(quoted("a\u202eb"), quoted("\x00" * 9, limit=6))
    a\u202eb \x00\x…
    """
    shown = shorten(text, limit)
    return shown if len(shown) <= limit + 1 else shown[:limit] + "…"


def age_in_words(seconds: float) -> str:
    """Return an age, rounded down; a clock that was set back counts as no age.

    >>> age_in_words(0.4), age_in_words(59.9), age_in_words(3700), age_in_words(200_000)
    ('just now', '59 s ago', '1 h ago', '2 days ago')
    """
    seconds = max(0.0, seconds)
    if seconds < 1:
        return "just now"
    for unit_s, unit, below_s in ((1, "s", 60), (60, "min", 3600), (3600, "h", 2 * 86400)):
        if seconds < below_s:
            return f"{int(seconds // unit_s)} {unit} ago"
    return f"{int(seconds // 86400):,} days ago"


def moment(time: datetime) -> str:
    """Return a time of day that stays true however late it is read.

    >>> moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02 03:04:05 UTC'
    """
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _phase(snapshot: Snapshot) -> tuple[Tone, str, str]:
    if snapshot.phase is Phase.RUNNING and snapshot.offline:
        return Tone.WARN, "▲", "Offline"
    if snapshot.phase is Phase.RUNNING and snapshot.throttled_s > 0:
        return Tone.WARN, "◷", "Throttled"
    if snapshot.phase is Phase.STOPPED and snapshot.trouble:
        return Tone.BAD, "▲", "Broken down"
    return _PHASES[snapshot.phase]


def _progress(snapshot: Snapshot) -> str:
    total, ended = snapshot.total, snapshot.n_ended
    if not total:
        return "no jobs yet"
    if ended >= total:
        return "the 1 job has ended" if total == 1 else f"all {jobs(total)} ended"
    # Rounded down, so that 100 % is never said too early.
    return f"{ended:,} of {jobs(total)} ended ({100 * ended // total} %)"


def _counts(snapshot: Snapshot) -> Iterator[Count]:
    # Always, and first: a count that appears or goes away later moves none of these.
    for word in KNOWN_STATUSES:
        glyph, words, tone = _STATES[word]
        yield Count(glyph, snapshot.counts.get(word, 0), words, tone)
    rest = [(word, n) for word, n in snapshot.counts.items() if word not in KNOWN_STATUSES and n]
    rest.sort(key=lambda item: (item[0] not in _STATES, item))
    for word, n in rest[:SHOWN_COUNTS]:
        glyph, words, tone = _STATES.get(word, ("◇", f"“{quoted(word, 40)}”", Tone.WARN))
        yield Count(glyph, n, words, tone)
    if len(rest) > SHOWN_COUNTS:
        others = sum(n for _, n in rest[SHOWN_COUNTS:])
        yield Count("◇", others, f"in {len(rest) - SHOWN_COUNTS} other states", Tone.WARN)


def _notes(snapshot: Snapshot) -> Iterator[Note]:
    yield from _phase_notes(snapshot)
    if not snapshot.is_over:
        yield from _sight_notes(snapshot)
    missing = snapshot.counts.get(Seen.NOT_FOUND, 0)
    if missing:
        advice = "Check the ids, and that the key belongs to the account that submitted them."
        yield Note(Tone.WARN, f"DocuRift knows no such job, for {jobs(missing)}.", advice=advice)
    expired = snapshot.counts.get(Seen.EXPIRED, 0)
    if expired:
        yield Note(Tone.WARN, f"Past the 30 days for which DocuRift keeps answers: {jobs(expired)}.")
    for notice in snapshot.notices[:SHOWN_NOTICES]:
        yield Note(Tone.WARN, "Notice:", quote=quoted(notice, 200))
    if len(snapshot.notices) > SHOWN_NOTICES:
        yield Note(Tone.WARN, f"{len(snapshot.notices) - SHOWN_NOTICES} more notices.")


_WHAT_TO_DO = {
    Phase.PAUSED: "watch.resume() goes on.",
    Phase.DENIED: "watch.client.renew_key(…) goes on with another key, watch.resume() with the same one.",
    Phase.BLOCKED: "It is tried again every few seconds; watch.resume() tries at once.",
    Phase.TIMED_OUT: "Call dn.watch again; with an archive it asks only for the open jobs.",
    Phase.STOPPED: "Call dn.watch again; with an archive it asks only for the open jobs.",
}


def _phase_notes(snapshot: Snapshot) -> Iterator[Note]:
    phase, trouble = snapshot.phase, quoted(snapshot.trouble)
    advice = _WHAT_TO_DO.get(phase, "")
    if phase in {Phase.DENIED, Phase.BLOCKED}:
        yield Note(Tone.BAD, "Nothing is asked any more until somebody acts.", trouble, advice)
    elif phase is Phase.PAUSED:
        yield Note(Tone.WARN, "Nothing is asked while paused; the jobs go on at DocuRift.", advice=advice)
    elif snapshot.is_over and trouble:
        yield Note(Tone.BAD, "The watch has broken down; the jobs go on at DocuRift.", trouble, advice)
    elif snapshot.is_over and snapshot.n_open:
        left = f"{jobs(snapshot.n_open)} still open when the watch ended; DocuRift goes on with them."
        yield Note(Tone.WARN, left, advice=advice)


def _sight_notes(snapshot: Snapshot) -> Iterator[Note]:
    """Tell where the numbers are not fresh: what could not be seen is not what went wrong."""
    if snapshot.offline:
        text = "No answer for some time: only a single probe is sent now and then. The jobs are not affected."
        yield Note(Tone.WARN, text)
    if snapshot.throttled_s > 0:
        wait_s = max(1, round(snapshot.throttled_s))
        yield Note(Tone.WARN, f"DocuRift asks for fewer requests (429): asking again in {wait_s} s.")
    for seen, what in _SIGHTS.items():
        n = snapshot.seen.get(seen, 0)
        if n:
            yield Note(Tone.WARN, f"{jobs(n)} {what}")


_SIGHTS = {
    Seen.THROTTLED: "throttled: the last look was refused, the state shown is the one before.",
    Seen.UNREACHABLE: "unreachable: the last look brought no answer, the state shown is the one before.",
    Seen.DENIED: "denied: the key may not see them.",
    Seen.STALE: "stale: the last answer is over a minute old.",
}


def _ages(snapshot: Snapshot) -> str:
    newest = snapshot.newest_at
    if snapshot.is_over:
        return f"Newest answer {moment(newest)}" if newest else "No answer came"
    parts = [f"newest answer {_ago(snapshot, newest)}" if newest else "no answer yet"]
    if snapshot.oldest_at is not None:
        parts.append(f"oldest open {_ago(snapshot, snapshot.oldest_at)}")
    next_s = snapshot.receipt.next_look_s
    if snapshot.phase is Phase.RUNNING and next_s is not None and next_s >= 1:
        parts.append(f"next look in {next_s:.0f} s")
    sentence = ", ".join(parts)
    return sentence[0].upper() + sentence[1:]


def _ago(snapshot: Snapshot, time: datetime) -> str:
    return age_in_words((snapshot.taken_at - time).total_seconds())
