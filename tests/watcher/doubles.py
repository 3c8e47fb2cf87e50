"""Stand-ins for the client and for what it brings: plain objects whose answers a test scripts."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable

from docurift_nb.archive import Archive
from docurift_nb.client import Client
from docurift_nb.errors import DocuriftError
from docurift_nb.models import Job
from docurift_nb.schedule import Backoff, ErrorBackoff
from docurift_nb.watcher import Engine
from tests.builders import make_job

PATIENCE_S = 10.0
_hosts = itertools.count()

Brought = Job | DocuriftError
Script = Callable[[str, int], Brought]


class ScriptedClient(Client):
    """A client whose answers come from ``script(job_id, look)``, with ``look`` counted from 1 per job."""

    def __init__(self, script: Script, *, base_url: str | None = None) -> None:
        super().__init__("frc_scripted", base_url or f"https://host{next(_hosts)}.invalid/v1")
        self.script = script
        self.asked: list[str] = []
        self._counting = threading.Lock()

    def look(self, job_id: str) -> Job:
        """Bring what the script says, in place of a request."""
        with self._counting:
            self.asked.append(job_id)
            looks = self.asked.count(job_id)
        brought = self.script(job_id, looks)
        if isinstance(brought, DocuriftError):
            raise brought
        return brought


def always(status: str) -> Script:
    """Return a script in which every job has ``status`` at once."""
    return lambda job_id, _: make_job(status, id=job_id)


def after(looks: int, status: str = "completed") -> Script:
    """Return a script in which a job is processing until its look number ``looks``."""
    return lambda job_id, look: make_job("processing" if look < looks else status, id=job_id)


def make_engine(
    client: Client,
    ids: Iterable[str] = (),
    *,
    archive: str | None = None,
    timeout: float | None = None,
    workers: int = 4,
) -> Engine:
    """Return an engine that looks again within milliseconds."""
    engine = Engine(
        client,
        Archive(archive),
        schedule=Backoff(start=0.005, cap=0.02, seed=0),
        retry=ErrorBackoff(scale=0.005, seed=0),
        timeout=timeout,
        workers=workers,
    )
    engine.add(ids)
    return engine


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, without a condition to wait on; fail after `PATIENCE_S`."""
    deadline, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        pause.wait(0.002)
