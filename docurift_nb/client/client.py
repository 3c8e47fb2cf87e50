"""What users hold: a client for one key at one host."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

from docurift_nb.budget import Budget, shared_budget
from docurift_nb.client.answers import judge
from docurift_nb.client.key import ApiKey
from docurift_nb.client.transport import Transport, is_loopback
from docurift_nb.errors import (
    ConfigError,
    DocuriftError,
    JobFailedError,
    NoAnswerError,
    RateLimitError,
    ServerError,
    UnreadableAnswerError,
    WaitTimeoutError,
    did_you_mean,
    shorten,
)
from docurift_nb.models import Failure, Job
from docurift_nb.schedule import Backoff, ErrorBackoff, Schedule, Sight

DEFAULT_URL = "https://api.docurift.com/v1"
ENV_URL = "DOCURIFT_API_URL"
LONGEST_ID = 1000
AUTHS = ("x-api-key", "bearer")
TRANSIENT = (RateLimitError, ServerError, NoAnswerError, UnreadableAnswerError)


class _Options(NamedTuple):
    timeout: float
    max_rate: float | None
    auth: str
    allow_http: bool
    max_bytes: int


class Client:
    """Asks DocuRift about jobs. Opens no connection until asked; close it or use ``with``.

    All clients and watches of a process that use the same key at the same host share one request budget.
    The key is shown nowhere: not in ``repr``, errors, logs, tracebacks or pickles (a pickled client reads
    ``DOCURIFT_API_KEY`` where it is loaded).

    Parameters
    ----------
    api_key : str, optional
        Default: the environment variable ``DOCURIFT_API_KEY``.
    base_url : str, optional
        Default: ``DOCURIFT_API_URL``, or ``https://api.docurift.com/v1``.
    timeout : float
        Seconds to connect, and as many again for the whole answer.
    max_rate : float, optional
        Requests per second never to exceed, for all users of this key in the process.
    auth : {"x-api-key", "bearer"}
        The header that carries the key.
    allow_http : bool
        Send the key in clear text to another machine. Plain http to this machine needs no leave.
    max_bytes : int
        Largest answer that is read.

    Raises
    ------
    ConfigError
        When there is no key, or an argument cannot be used.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 10.0,
        max_rate: float | None = None,
        auth: str = "x-api-key",
        allow_http: bool = False,
        max_bytes: int = 8_000_000,
    ) -> None:
        # Rebound first of all, so that no traceback of what follows shows the plain key as a local.
        api_key = key = ApiKey.of(api_key)  # type: ignore[assignment]  # hides the argument
        self._base_url = _checked_url(base_url or _from_environment() or DEFAULT_URL, allow_http=allow_http)
        if not 0 < timeout < float("inf"):
            raise ConfigError(what="timeout cannot be used", expected="seconds above 0", got=repr(timeout))
        if auth not in AUTHS:
            advice = did_you_mean(str(auth), AUTHS).rstrip("?")
            raise ConfigError(
                what="auth cannot be used", expected=" or ".join(AUTHS), got=repr(auth), advice=advice
            )
        self._options = _Options(timeout, max_rate, auth, allow_http, max_bytes)
        self._transport = Transport(self._base_url, (timeout, timeout), max_bytes)
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._use(key)

    def _use(self, key: ApiKey) -> None:
        budget = shared_budget(key.digest(self._base_url), self._options.max_rate)
        self._key, self._budget, self._headers = key, budget, key.headers(self._options.auth)

    @property
    def base_url(self) -> str:
        """The address that paths are appended to; ends in ``/v1`` at DocuRift."""
        return self._base_url

    @property
    def budget(self) -> Budget:
        """The request budget shared by everybody in the process who uses this key."""
        return self._budget

    def renew_key(self, api_key: str | None = None) -> None:
        """Use another key from now on; watches that were denied go on by themselves.

        Parameters
        ----------
        api_key : str, optional
            Default: ``DOCURIFT_API_KEY`` as it is now.

        Raises
        ------
        ConfigError
            When there is none; the old key stays in use.
        """
        api_key = key = ApiKey.of(api_key)  # type: ignore[assignment]  # hides the argument
        with self._lock:
            self._use(key)
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def on_renewal(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after each ``renew_key``; returns what takes it off again."""
        with self._lock:
            self._listeners.append(listener)

        def forget() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return forget

    def job(self, job_id: str) -> Job:
        """Ask once about one job. A failed job is a value, not an error.

        Blocks while the key's budget is spent, at most ``timeout`` seconds.

        Raises
        ------
        ConfigError
            The id cannot be one.
        RateLimitError
            The budget stays spent for longer than ``timeout``, or the service said 429.
        ApiError, NoAnswerError, UnreadableAnswerError
            As the answer calls for.
        """
        url = self._url(job_id)
        self._await_turn(job_id, self._options.timeout)
        return self._ask(job_id, url)

    def look(self, job_id: str) -> Job:
        """Ask at once, on a request that the caller has taken from ``budget``.

        Raises
        ------
        As `job`, but it never waits.
        """
        return self._ask(job_id, self._url(job_id))

    def _ask(self, job_id: str, url: str) -> Job:
        budget, epoch = self._budget, self._budget.epoch
        try:
            reply = self._transport.get(url, self._headers)
            job = judge(job_id, reply._replace(body=self._key.scrub(reply.body)))
        except RateLimitError as refusal:
            budget.refused(epoch, refusal.retry_after)
            raise
        except DocuriftError as error:
            error.job_id = job_id
            if not isinstance(error, NoAnswerError):
                budget.answered()
            raise
        budget.answered()
        return job

    def _await_turn(self, job_id: str, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while (wait := self._budget.take()) > 0:
            if time.monotonic() + wait > deadline:
                raise RateLimitError(
                    job_id=job_id,
                    status=429,
                    got=f"no free request for the next {wait:.1f} s; nothing was sent",
                    retry_after=wait,
                )
            time.sleep(wait)

    def wait(self, job_id: str, timeout: float | None = None, *, schedule: Schedule | None = None) -> Job:
        """Block until the job is completed and return it.

        Asks after 1 s, then x1.5 up to 10 s, jittered (the documented policy). A 429, a 5xx, a lost or
        unreadable answer is retried with a wait that doubles up to 60 s, or as ``Retry-After`` asks. An
        interrupt or timeout ends the waiting only: the job goes on at DocuRift.

        Parameters
        ----------
        job_id : str
        timeout : float, optional
            Seconds; the last look is made when they are over. None waits for ever.
        schedule : Schedule, optional
            Another policy than the documented one.

        Raises
        ------
        JobFailedError
            The job ended as failed.
        WaitTimeoutError
            It is unfinished; the id is in the error.
        AuthError, ForbiddenError, CreditsError, JobNotFoundError
            Waiting would not help.
        """
        started = time.monotonic()
        deadline = None if timeout is None else started + timeout
        plan, retry = schedule or Backoff(), ErrorBackoff()
        looks = failures = 0
        while True:
            try:
                job = self.job(job_id)
            except TRANSIENT as error:
                failures += 1
                hint = getattr(error, "retry_after", None)
                delay = hint if hint is not None else retry.after(failures)
            else:
                looks, failures = looks + 1, 0
                if job.is_final:
                    return _completed(job)
                delay = plan.next_look(_sight(job, looks, time.monotonic() - started))
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeoutError(job_id=job_id, waited_s=time.monotonic() - started)
            time.sleep(max(0.0, delay if deadline is None else min(delay, deadline - time.monotonic())))

    def _url(self, job_id: str) -> str:
        return f"{self._base_url}/jobs/{quoted_id(job_id)}"

    def close(self) -> None:
        """Close the connections. Idempotent; a later request opens them again."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self._base_url}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._base_url, self._options)


def quoted_id(job_id: str) -> str:
    """Return ``job_id`` as one path segment.

    Raises
    ------
    ConfigError
        When it is empty, no text, too long, or would change the path by itself (``.`` and ``..``).

    Examples
    --------
    >>> quoted_id("a/b?x=")
    'a%2Fb%3Fx%3D'
    """
    expected = f"a job id of 1 to {LONGEST_ID:,} characters such as 'job_abc123def456'"
    if not isinstance(job_id, str):
        raise ConfigError(what="this is no job id", expected=expected, got=type(job_id).__name__)
    if not 1 <= len(job_id) <= LONGEST_ID or not job_id.strip() or set(job_id) == {"."}:
        got = f"{len(job_id):,} characters: {shorten(job_id, 40)!r}"
        raise ConfigError(what="this is no job id", expected=expected, got=got)
    try:
        return quote(job_id, safe="")
    except UnicodeEncodeError:
        got = "text that has no UTF-8 form (a lone surrogate)"
        raise ConfigError(what="this is no job id", expected=expected, got=got) from None


def _sight(job: Job, looks: int, watched_s: float) -> Sight:
    return Sight(
        job_id=job.job_id,
        status=job.status,
        progress=job.progress,
        document_type=job.document_type,
        looks=looks,
        watched_s=watched_s,
    )


def _completed(job: Job) -> Job:
    if job.status == "completed":
        return job
    failure = job.failure or Failure()
    raise JobFailedError(
        job_id=job.job_id,
        code=failure.code or "",
        message=failure.message or "",
        step=failure.step,
        retryable=failure.retryable,
    )


def _unpickled(base_url: str, options: _Options) -> Client:
    return Client(base_url=base_url, **options._asdict())


def _from_environment() -> str:
    return os.environ.get(ENV_URL, "").strip()


def _checked_url(base_url: str, *, allow_http: bool) -> str:
    parts = urlsplit(base_url)
    expected = "https://host/v1, or http:// to this machine"
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            what="base_url cannot be used", expected=expected, got="one with a user or password"
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(what="base_url cannot be used", expected=expected, got=repr(base_url))
    if parts.scheme == "http" and not (allow_http or is_loopback(parts.hostname)):
        raise ConfigError(
            what="base_url would send the API key in clear text",
            expected=expected,
            got=repr(base_url),
            advice="use https; allow_http=True insists",
        )
    return base_url.rstrip("/")
