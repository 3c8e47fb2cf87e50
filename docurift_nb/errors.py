"""Every exception this package raises on purpose.

::

    DocuriftError
    ├── ConfigError (ValueError)                 a bad argument or a missing key, raised where it is given
    ├── MissingExtraError (ImportError)          an optional part is not installed
    ├── ApiError                                 the API answered and refused
    │   ├── AuthError (PermissionError)            401: no key, a wrong, expired or disabled one
    │   ├── ForbiddenError (PermissionError)       403: the key may not see this
    │   ├── JobNotFoundError (LookupError)         404: no such job, or it is past its retention
    │   ├── CreditsError                           402: no credits left
    │   ├── RateLimitError                         429: too many requests
    │   └── ServerError                            5xx: the service is in trouble
    ├── NoAnswerError (ConnectionError)          no answer came
    │   └── AnswerTimeoutError (TimeoutError)      it did not come in time
    ├── UnreadableAnswerError (ValueError)       an answer came that cannot be read
    ├── JobFailedError                           the job itself ended as failed
    ├── WaitTimeoutError (TimeoutError)          still unfinished when the waiting ended; the job goes on
    ├── WatchStoppedError                        waiting for a watch that was stopped
    └── ArchiveError                             the archive file cannot be used
        ├── NotAnArchiveError (ValueError)         the file is something else
        ├── ArchiveVersionError                    written by a newer version
        └── ArchiveWriteError (OSError)            the disk is full or refuses to write

Constructors take facts; ``str`` writes the sentence: what failed, on which job, expected, got, what to
try. The facts are the attributes, so errors pickle and programs need not read prose. No error holds a
key, and none keeps the library exception it came from: the frames below it hold request headers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, ClassVar

SHOWN_CHARACTERS = 300


def shorten(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    r"""Cut ``text`` to ``limit`` characters and make control characters visible.

    >>> shorten("a" * 10, limit=4)
    'aaaa…'
    >>> print(shorten("one\x1b[31mline"))
    one\x1b[31mline
    """
    head = text[:limit]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in head)
    return shown + "…" if len(text) > limit else shown


def show(value: object, limit: int = 80) -> str:
    """Return the shortened ``repr`` of a value from a record, or its type where Python refuses to write it.

    >>> show("45")
    "'45'"
    >>> show(10**5000)
    '<int>'
    """
    try:
        return shorten(repr(value), limit)
    except (RecursionError, ValueError):
        return f"<{type(value).__name__}>"


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the nearest known name, or an empty string.

    >>> did_you_mean("adaptiv", ["adaptive", "backoff"])
    "did you mean 'adaptive'?"
    >>> did_you_mean("zzz", ["adaptive", "backoff"])
    ''
    """
    near = get_close_matches(got, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else ""


@dataclass(kw_only=True, eq=False, repr=False)
class DocuriftError(Exception):
    """The root of every error raised on purpose.

    Attributes
    ----------
    job_id : str or None
        The job it is about, where it is about one.
    expected, got : str
        What was wanted and what came instead; empty where that says nothing.
    advice : str
        What to try next.
    """

    what: str = ""
    job_id: str | None = None
    expected: str = ""
    got: str = ""
    advice: str = ""

    default_what: ClassVar[str] = "something failed"
    default_advice: ClassVar[str] = ""

    def __str__(self) -> str:
        parts = [shorten(self.what or self.default_what) + self._on()]
        if self.expected:
            parts.append(f"expected {shorten(self.expected)}")
        if self.got:
            parts.append(f"got {shorten(self.got)}")
        sentence = "; ".join(parts).removesuffix(".") + "."
        advice = shorten(self.advice or self.default_advice)
        return f"{sentence} To try: {advice}." if advice else sentence

    def _on(self) -> str:
        return f" (job {shorten(self.job_id)!r})" if self.job_id is not None else ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {field.name: getattr(self, field.name) for field in fields(self)}
        # The state carries what was added later, such as notes.
        return _rebuild, (type(self), facts), vars(self).copy()


def _jobs(n: int) -> str:
    return "1 job" if n == 1 else f"{n:,} jobs"


def _rebuild(kind: type[DocuriftError], facts: dict[str, Any]) -> DocuriftError:
    return kind(**facts)


@dataclass(kw_only=True, eq=False, repr=False)
class ConfigError(DocuriftError, ValueError):
    """An argument or setting cannot be used; raised at the call that gave it."""

    default_what: ClassVar[str] = "a setting cannot be used"


@dataclass(kw_only=True, eq=False, repr=False)
class MissingExtraError(DocuriftError, ImportError):
    """An optional part of the package is not installed.

    Attributes
    ----------
    extra : str
        The name of the extra that brings it.
    """

    extra: str = ""

    def __post_init__(self) -> None:
        """Name the part and the command that installs it."""
        self.what = self.what or f"the optional part {self.extra!r} is not installed"
        self.advice = self.advice or f'pip install "docurift-nb[{self.extra}]"'


@dataclass(kw_only=True, eq=False, repr=False)
class ApiError(DocuriftError):
    """The API answered, and the answer is a refusal.

    Attributes
    ----------
    status : int
        The HTTP status.
    code, message : str
        ``error.code`` and ``error.message`` of the body; empty where the body had none. Text from the
        API: untrusted.
    request_id : str or None
        What DocuRift's support asks for.
    """

    status: int = 0
    code: str = ""
    message: str = ""
    request_id: str | None = None

    default_what: ClassVar[str] = "the API refused the request"

    def __post_init__(self) -> None:
        """Say what came, unless the caller has said it better."""
        if not self.got:
            named = ", ".join(shorten(part) for part in (self.code, self.message) if part)
            self.got = f"HTTP {self.status}" + (f" ({named})" if named else "")


@dataclass(kw_only=True, eq=False, repr=False)
class AuthError(ApiError, PermissionError):
    """401: the key is missing, wrong, expired or disabled. It holds for every job of this key."""

    default_what: ClassVar[str] = "DocuRift did not accept the API key"
    default_advice: ClassVar[str] = (
        "set DOCURIFT_API_KEY or pass a valid key to client.renew_key(); a running watch then goes on"
    )


@dataclass(kw_only=True, eq=False, repr=False)
class ForbiddenError(ApiError, PermissionError):
    """403: the key is valid but may not see this job, or this address is blocked."""

    default_what: ClassVar[str] = "this key may not read the job"
    default_advice: ClassVar[str] = "use the key of the organization that submitted the job"


@dataclass(kw_only=True, eq=False, repr=False)
class JobNotFoundError(ApiError, LookupError):
    """404: there is no such job, or it ended more than 30 days ago."""

    default_what: ClassVar[str] = "DocuRift knows no such job"
    default_advice: ClassVar[str] = (
        "check the id; job records are deleted 30 days after their end, an archive keeps them"
    )


@dataclass(kw_only=True, eq=False, repr=False)
class CreditsError(ApiError):
    """402: the account has no credits left."""

    default_what: ClassVar[str] = "the account has no credits left"
    default_advice: ClassVar[str] = "buy credits in the DocuRift dashboard, then call watch.resume()"


@dataclass(kw_only=True, eq=False, repr=False)
class RateLimitError(ApiError):
    """429: more requests than this key is allowed.

    Attributes
    ----------
    retry_after : float or None
        Seconds the server asked to wait; None where it gave no hint.
    """

    retry_after: float | None = None

    default_what: ClassVar[str] = "the key's request limit is reached"
    default_advice: ClassVar[str] = "wait, or give the client a max_rate below the plan's limit"


@dataclass(kw_only=True, eq=False, repr=False)
class ServerError(ApiError):
    """5xx: the service is in trouble; nothing is known about the job.

    Attributes
    ----------
    retry_after : float or None
        Seconds the server asked to wait; None where it gave no hint.
    """

    retry_after: float | None = None

    default_what: ClassVar[str] = "DocuRift could not answer"
    default_advice: ClassVar[str] = "try again in a minute; the job is not affected"


@dataclass(kw_only=True, eq=False, repr=False)
class NoAnswerError(DocuriftError, ConnectionError):
    """No answer came: name not resolved, connection refused or reset, TLS failed.

    Attributes
    ----------
    host : str
        The host that was asked.
    cause : str
        The library's own word for it, as text.
    """

    host: str = ""
    cause: str = ""

    default_what: ClassVar[str] = "no answer from DocuRift"
    default_advice: ClassVar[str] = "check the network and base_url; the job is not affected"

    def __post_init__(self) -> None:
        """Say who was asked and what came instead."""
        self.expected = self.expected or (f"an answer from {shorten(self.host)}" if self.host else "")
        self.got = self.got or self.cause


@dataclass(kw_only=True, eq=False, repr=False)
class AnswerTimeoutError(NoAnswerError, TimeoutError):
    """The answer did not come, or did not end, within the client's ``timeout``."""

    default_what: ClassVar[str] = "DocuRift did not answer in time"
    default_advice: ClassVar[str] = "raise the client's timeout if this goes on; the job is not affected"


@dataclass(kw_only=True, eq=False, repr=False)
class UnreadableAnswerError(DocuriftError, ValueError):
    """An answer came that is not one of the API's: a proxy's page, cut JSON, another job's id.

    Attributes
    ----------
    status : int
        The HTTP status it came with.
    """

    status: int = 0

    default_what: ClassVar[str] = "the answer cannot be read"
    default_advice: ClassVar[str] = "check base_url and any proxy in between; the job is not affected"


@dataclass(kw_only=True, eq=False, repr=False)
class JobFailedError(DocuriftError):
    """The job ended as ``failed``; raised by ``client.wait`` only.

    Attributes
    ----------
    code, message : str
        ``error.code`` and ``error.message`` of the job. Text from the API: untrusted.
    step : str or None
        The processing step that failed.
    retryable : bool or None
        Whether the service says that submitting it again may help; None where it does not say.
    """

    code: str = ""
    message: str = ""
    step: str | None = None
    retryable: bool | None = None

    default_what: ClassVar[str] = "the job failed"
    default_advice: ClassVar[str] = "look at the document; the service does not call this retryable"

    def __post_init__(self) -> None:
        """Compose what came and what to try from the job's own error."""
        at = f" at step {shorten(self.step)}" if self.step else ""
        why = f": {shorten(self.message)}" if self.message else ""
        self.got = self.got or f"{shorten(self.code) or 'no error code'}{at}{why}"
        self.expected = self.expected or "status completed"
        if self.retryable and not self.advice:
            self.advice = "submit the document again; the service calls this error retryable"


@dataclass(kw_only=True, eq=False, repr=False)
class WaitTimeoutError(DocuriftError, TimeoutError):
    """The waiting ended before the job or the fleet did. Nothing was cancelled.

    Attributes
    ----------
    waited_s : float
        Seconds waited.
    n_open : int
        How many jobs were unfinished.
    """

    waited_s: float = 0.0
    n_open: int = 1

    default_what: ClassVar[str] = "still unfinished when the waiting ended"
    default_advice: ClassVar[str] = "wait again; the work goes on at DocuRift and nothing was cancelled"

    def __post_init__(self) -> None:
        """Name the numbers."""
        self.got = self.got or f"{_jobs(self.n_open)} open after {self.waited_s:.1f} s"


@dataclass(kw_only=True, eq=False, repr=False)
class WatchStoppedError(DocuriftError):
    """The watch was stopped before its jobs ended, so waiting for it cannot succeed."""

    n_open: int = 0

    default_what: ClassVar[str] = "the watch was stopped before its jobs ended"
    default_advice: ClassVar[str] = "start a new watch; with the same archive it asks only for the open jobs"

    def __post_init__(self) -> None:
        """Name the number."""
        self.got = self.got or f"{_jobs(self.n_open)} unfinished"


@dataclass(kw_only=True, eq=False, repr=False)
class ArchiveError(DocuriftError):
    """The archive file cannot be used.

    Attributes
    ----------
    path : str
        The file as it was given.
    """

    path: str = ""

    default_what: ClassVar[str] = "the archive cannot be used"

    def _on(self) -> str:
        return super()._on() + (f" (file {shorten(self.path)!r})" if self.path else "")


@dataclass(kw_only=True, eq=False, repr=False)
class NotAnArchiveError(ArchiveError, ValueError):
    """The file exists and is something else. It was not touched."""

    default_what: ClassVar[str] = "the file is no docurift-nb archive and was left as it is"
    default_advice: ClassVar[str] = "give another path; a new archive is made where no file is"


@dataclass(kw_only=True, eq=False, repr=False)
class ArchiveVersionError(ArchiveError):
    """The archive was written by a newer version of this package. It was not touched."""

    default_what: ClassVar[str] = "the archive was written by a newer docurift-nb and was left as it is"
    default_advice: ClassVar[str] = "pip install --upgrade docurift-nb"


@dataclass(kw_only=True, eq=False, repr=False)
class ArchiveWriteError(ArchiveError, OSError):
    """The archive could not be written: disk full, read-only, or locked for too long.

    What was stored before is safe.
    """

    default_what: ClassVar[str] = "the archive could not be written; what it holds is safe"
    default_advice: ClassVar[str] = "free some space on that disk, then call watch.resume()"
