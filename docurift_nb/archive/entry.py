"""What goes into the archive and what its history gives back; checks and time conversion, no SQL."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from docurift_nb.errors import ConfigError, show
from docurift_nb.models import ENDED_UNSEEN, Seen

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One observed change of one job, to be committed.

    Attributes
    ----------
    job_id : str
    observed_at : datetime
        When it was observed; aware. Kept to the microsecond.
    seen : Seen
        FRESH for an answer; NOT_FOUND, EXPIRED or DENIED for an ending without one. Other values are kept as
        transitions and change nothing else.
    raw : bytes
        The answer as JSON; empty where there was none.
    status : str or None
        The service's word, for the history.
    progress : float or None
        Percent, for the history; NaN counts as None.
    ended : bool
        Nothing more will be asked: the answer was final, or there is none to be had.
    """

    job_id: str
    observed_at: datetime
    seen: Seen
    raw: bytes = b""
    status: str | None = None
    progress: float | None = None
    ended: bool = False


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One observed change as the archive's history holds it; ``observed_at`` is UTC."""

    job_id: str
    observed_at: datetime
    seen: Seen
    status: str | None = None
    progress: float | None = None
    ended: bool = False


def to_microseconds(time: datetime) -> int:
    """Count the microseconds since 1970 of an aware time, exactly.

    >>> to_microseconds(datetime(1970, 1, 1, 0, 0, 2, 5, tzinfo=UTC))
    2000005
    """
    return (time - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Return the UTC time that is so many microseconds after the start of 1970."""
    return _EPOCH + timedelta(microseconds=count)


def storable_text(text: str | None) -> str | None:
    r"""Replace lone surrogates, which no file can hold, by question marks.

    >>> storable_text("a\ud800b")
    'a?b'
    """
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


def storable_number(number: float | None) -> float | None:
    """Return the number as a float; NaN, which SQLite does not know, as None."""
    return None if number is None or number != number else float(number)  # noqa: PLR0124  # only NaN differs


def checked_ids(job_ids: Iterable[str]) -> list[str]:
    """Return the ids without repetitions, in order.

    Raises
    ------
    ConfigError
        When it is one text instead of several, or an id is empty, no text, or holds a lone surrogate.
    """
    if isinstance(job_ids, (str, bytes)):
        raise ConfigError(
            what="job ids cannot be used",
            expected="several ids",
            got=f"one {type(job_ids).__name__}: {show(job_ids)}",
            advice="put it in a list",
        )
    ids = list(dict.fromkeys(job_ids))
    for job_id in ids:
        check_id(job_id)
    return ids


def check_id(job_id: object) -> None:
    """Refuse an id that would not come back from a file as it went in."""
    if isinstance(job_id, str) and job_id and (job_id.isascii() or _encodes(job_id)):
        return
    raise ConfigError(
        what="a job id cannot be used",
        expected="non-empty text that UTF-8 can hold",
        got=show(job_id),
        advice="look at where this id was read from",
    )


def check_entry(entry: Entry) -> None:
    """Refuse an entry that contradicts itself.

    Raises
    ------
    ConfigError
        When its id cannot be used, its time has no zone, it is an answer without JSON, or it is ended in a
        way that is no ending.
    """
    check_id(entry.job_id)
    if entry.observed_at.tzinfo is None:
        raise _contradiction(entry, "observed_at with a time zone", str(entry.observed_at))
    if entry.seen is Seen.FRESH:
        if not entry.raw:
            raise _contradiction(entry, "the raw JSON of the answer", "none")
    elif entry.ended and entry.seen not in ENDED_UNSEEN:
        raise _contradiction(entry, "an ending that is fresh, not_found, expired or denied", str(entry.seen))


def _contradiction(entry: Entry, expected: str, got: str) -> ConfigError:
    return ConfigError(
        what="an archive entry cannot be used", job_id=entry.job_id, expected=expected, got=got
    )


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
