"""What users hold: a client for one key at one host."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

from docurift_nb.budget import Budget, shared_budget
from docurift_nb.client.answers import judge
from docurift_nb.client.key import ApiKey
from docurift_nb.client.settings import (
    Options,
    address,
    checked_address,
    checked_options,
    demanded,
    is_above_0,
)
from docurift_nb.client.transport import Transport
from docurift_nb.errors import (
    ConfigError,
    DocuriftError,
    JobFailedError,
    NoAnswerError,
    RateLimitError,
    ServerError,
    UnreadableAnswerError,
    WaitTimeoutError,
    shorten,
    show,
)
from docurift_nb.models import Failure, Job
from docurift_nb.schedule import Backoff, ErrorBackoff, Schedule, Sight, named_schedule, next_wait

LONGEST_ID = 1000
TRANSIENT = (RateLimitError, ServerError, NoAnswerError, UnreadableAnswerError)


class _Access(NamedTuple):
    """What belongs together while one request is made, even if the key is renewed meanwhile."""

    key: ApiKey
    headers: dict[str, str]
    budget: Budget


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
        # Rebound before anything can fail, so that no traceback shows the plain key as a local; base_url
        # too, since the two are easily swapped.
        key, api_key = ApiKey.read(api_key), None
        base_url = address(base_url)
        access_key = demanded(key)
        self._base_url = demanded(checked_address(base_url, allow_http=allow_http))
        self._options = checked_options(Options(timeout, max_rate, auth, allow_http, max_bytes))
        self._transport = Transport(self._base_url, (timeout, timeout), max_bytes)
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._access = self._with(access_key)

    def _with(self, key: ApiKey) -> _Access:
        host = urlsplit(self._base_url).netloc.lower()
        budget = shared_budget(key.digest(host), self._options.max_rate)
        return _Access(key, key.headers(self._options.auth), budget)

    @property
    def base_url(self) -> str:
        """The address that paths are appended to; ends in ``/v1`` at DocuRift."""
        return self._base_url

    @property
    def budget(self) -> Budget:
        """The request budget shared by everybody in the process who uses this key."""
        return self._access.budget

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
        key, api_key = ApiKey.read(api_key), None
        access = self._with(demanded(key))
        with self._lock:
            self._access = access
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
        return self._job(job_id, self._options.timeout)

    def look(self, job_id: str) -> Job:
        """Ask at once, on a request that the caller has taken from ``budget``.

        Raises
        ------
        As `job`, but it never waits.
        """
        return self._ask(job_id, self._url(job_id), self._access)

    def _job(self, job_id: str, patience_s: float) -> Job:
        url = self._url(job_id)
        return self._ask(job_id, url, self._await_turn(job_id, patience_s))

    def _ask(self, job_id: str, url: str, access: _Access) -> Job:
        budget, epoch = access.budget, access.budget.epoch
        try:
            job = judge(job_id, self._transport.get(url, access.headers), access.key.scrub)
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

    def _await_turn(self, job_id: str, patience_s: float) -> _Access:
        deadline = time.monotonic() + patience_s
        while (wait := (access := self._access).budget.take()) > 0:
            if time.monotonic() + wait > deadline:
                raise RateLimitError(
                    job_id=job_id,
                    status=429,
                    got=f"no free request for the next {wait:.1f} s; nothing was sent",
                    retry_after=wait,
                )
            time.sleep(wait)
        return access

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
        ConfigError
            An argument cannot be used, or the schedule returns no wait.
        """
        plan, retry = Backoff() if schedule is None else named_schedule(schedule), ErrorBackoff()
        started = time.monotonic()
        deadline = started + _checked_patience(timeout)
        looks = failures = 0
        while True:
            try:
                left_s = max(0.0, deadline - time.monotonic())
                job = self._job(job_id, min(left_s, self._options.timeout))
            except TRANSIENT as error:
                failures += 1
                # A hint of 0 would have a service in trouble asked without a pause.
                delay = getattr(error, "retry_after", None) or retry.after(failures)
            else:
                looks, failures = looks + 1, 0
                if job.is_final:
                    return _completed(job)
                delay = next_wait(plan, _sight(job, looks, time.monotonic() - started))
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise WaitTimeoutError(job_id=job_id, waited_s=time.monotonic() - started)
            time.sleep(min(delay, left_s))

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
        # A traceback with locals also shows a client whose making failed.
        return f"<Client {getattr(self, '_base_url', 'without base_url')}>"

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


def _unpickled(base_url: str, options: Options) -> Client:
    return Client(base_url=base_url, **options._asdict())


def _checked_patience(timeout: float | None) -> float:
    if timeout is None:
        return math.inf
    if timeout != 0 and not is_above_0(timeout):
        raise ConfigError(
            what="timeout cannot be used", expected="seconds from 0, or None", got=show(timeout)
        )
    return timeout
