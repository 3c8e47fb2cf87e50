"""The sandbox as people use it: all parts plugged together behind one object with a life.

Nothing is decided here; every part can be read and tested on its own.
"""

import atexit
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from docurift_nb.sandbox.app import App
from docurift_nb.sandbox.clock import Clock
from docurift_nb.sandbox.faults import Faults
from docurift_nb.sandbox.keys import Keys, KeyState, RateLimit
from docurift_nb.sandbox.recordings import Source, read
from docurift_nb.sandbox.requestlog import RequestLog, Requests
from docurift_nb.sandbox.scenarios import Scenario
from docurift_nb.sandbox.server import ServerThread
from docurift_nb.sandbox.service import DAY_S, Arrivals, Service


class Sandbox:
    """A DocuRift on this machine that behaves as documented, and misbehaves on demand.

    It listens from entering the ``with`` block (or `open`) until its end (or `close`): one daemon
    thread, one port on 127.0.0.1. Nothing is printed and no file is written. Ids, outcomes, keys and
    faults depend on `seed` alone, times on the clock.

    Parameters
    ----------
    seed
        Decides everything that is drawn.
    speed
        How many times faster than scripted or recorded the jobs run. A recorded job keeps its
        recorded times; a scripted one shows the shortened ones, as they are on `clock`.
    workers
        Jobs processed at once, first come, first served; None for no limit.
    rate_limit
        Requests per second and key, or ``(requests, seconds)`` as in ``(10, 3600)``; None: no limit.
    retry_after
        Whether 429 answers of the limits carry ``Retry-After``, in seconds.
    max_concurrency
        Requests per key that may be under way at once; None for no limit.
    api_key
        The key to accept; generated when None.
    host, port
        Where to listen; port 0 takes a free one.
    retention_days
        Days after its end for which a job can still be asked for.
    start
        What `clock` shows at first, aware of its zone; the machine's time when None.

    Examples
    --------
    >>> from docurift_nb.sandbox import Sandbox
    >>> with Sandbox(seed=1) as sandbox:
    ...     ids = sandbox.submit(3)
    ...     sandbox.truth(ids[0])["status"]
    'completed'
    """

    def __init__(  # noqa: PLR0913 -- independent switches, each with a default, all keyword-only
        self,
        *,
        seed: int = 0,
        speed: float = 1.0,
        workers: int | None = None,
        rate_limit: RateLimit | None = None,
        retry_after: bool = False,
        max_concurrency: int | None = None,
        api_key: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        retention_days: float = 30.0,
        start: datetime | None = None,
    ) -> None:
        self._clock = Clock(start=start)
        self._faults = Faults(seed=seed)
        self._log = RequestLog()
        self._keys = Keys(
            self._clock,
            seed=seed,
            first=api_key,
            rate_limit=rate_limit,
            max_concurrency=max_concurrency,
            retry_after=retry_after,
        )
        self._service = Service(
            self._clock, seed=seed, speed=speed, workers=workers, retention_s=retention_days * DAY_S
        )
        app = App(
            clock=self._clock,
            service=self._service,
            keys=self._keys,
            faults=self._faults,
            log=self._log,
            seed=seed,
        )
        self._host = host
        self._server = ServerThread(app, host=host, port=port)
        self._state = "new"

    @property
    def url(self) -> str:
        """Base URL of the API, ending in ``/v1``; RuntimeError before it is open."""
        if self._state == "new":
            raise RuntimeError("the sandbox has no url yet: open it first, with `with Sandbox() as sandbox:`")
        host = "127.0.0.1" if self._host == "0.0.0.0" else self._host  # noqa: S104 -- compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self._server.port}/v1"

    @property
    def api_key(self) -> str:
        """The key that jobs are submitted under unless told otherwise."""
        return self._keys.first

    @property
    def clock(self) -> Clock:
        """The clock that jobs, limits and retention go by; `advance` moves it."""
        return self._clock

    @property
    def faults(self) -> Faults:
        """The fault scripts; `on` switches one on while the sandbox runs."""
        return self._faults

    @property
    def log(self) -> RequestLog:
        """The running record of what was asked."""
        return self._log

    @property
    def requests(self) -> Requests:
        """A snapshot of what has been asked so far."""
        return self._log.snapshot()

    def submit(
        self, count: int = 1, *, scenario: Scenario | None = None, api_key: str | None = None
    ) -> list[str]:
        """Queue jobs with drawn outcomes; their time runs from this call.

        Parameters
        ----------
        count
            How many.
        scenario
            What to draw from; an ordinary day when None.
        api_key
            Whose jobs they are; the first key's when None.

        Returns
        -------
        list of str
            Their ids in order of arrival. A job that is yet to arrive can be asked for and is
            pending, but is not listed.
        """
        return self._service.submit(count, owner=self._owner(api_key), scenario=scenario or Scenario())

    def replay(
        self, source: Source, *, arrivals: Arrivals = "at_once", api_key: str | None = None
    ) -> list[str]:
        """Queue recorded jobs, which end after their recorded durations (divided by the speed).

        Parameters
        ----------
        source
            Path of an NDJSON file of final answers, or lines or objects, each with or without the
            ``{"success", "data"}`` envelope. Final answers are served exactly as recorded.
        arrivals
            "at_once": all jobs arrive now; "recorded": spaced as their ``createdAt`` are.
        api_key
            Whose jobs they are; the first key's when None.

        Returns
        -------
        list of str
            The recorded ids, in the recorded order.

        Raises
        ------
        ValueError
            If a line is no job, or an id is already taken.
        """
        return self._service.replay(read(source), owner=self._owner(api_key), arrivals=arrivals)

    def truth(self, job_id: str) -> dict[str, Any]:
        """Tell the last job object (``data``) that this id will ever show, whenever that is.

        For a job that never ends it is the one it gets stuck at, still "processing".

        Raises
        ------
        LookupError
            If there is no such job.
        """
        return self._service.job(job_id).last_data()

    def add_key(self, api_key: str | None = None) -> str:
        """Accept one more key, whose jobs the others may not see, and return it."""
        return self._keys.add(api_key)

    def set_key_state(self, state: KeyState, *, api_key: str | None = None) -> None:
        """Make a key "active", "expired", "disabled" or "revoked"; the first one unless told."""
        self._keys.set_state(state, key=api_key)

    def set_credits(self, *, exhausted: bool, reads: bool = True) -> None:
        """Switch 402 INSUFFICIENT_CREDITS on or off: for uploads, and with `reads` for job requests."""
        self._keys.set_credits(exhausted=exhausted, reads=reads)

    def open(self) -> Self:
        """Start listening and return the sandbox itself. Idempotent until it is closed.

        Raises
        ------
        OSError
            If the address is taken.
        RuntimeError
            If the sandbox was closed before.
        """
        if self._state == "closed":
            raise RuntimeError("this sandbox is closed for good: make a new Sandbox()")
        self._server.open()
        self._state = "open"
        atexit.register(self.close)
        return self

    def close(self) -> None:
        """Break off open requests, free the port and end the thread. Idempotent."""
        self._state = "closed"
        self._server.close()
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = f" at {self.url}" if self._state == "open" else ""
        return f"<Sandbox {self._state}{where}>"

    def _owner(self, api_key: str | None) -> str:
        owner = self._keys.first if api_key is None else api_key
        if not self._keys.knows(owner):
            raise LookupError("no such API key in this sandbox: expected one that add_key() returned")
        return owner
