"""What the acceptance tests share: a client that notes broken rules, quick watches, child processes."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from docurift_nb import Backoff, Client, Job, Watch
from docurift_nb.archive import Archive, open_reader
from docurift_nb.sandbox import Sandbox
from docurift_nb.schedule import ErrorBackoff
from docurift_nb.watcher import Engine

PATIENCE_S = 60.0
WORKERS = 16
TIMES = frozenset({"createdAt", "updatedAt", "completedAt", "failedAt"})


class Witness(Client):
    """A client that notes what the rules forbid: asking after the end, and two requests at once for a job."""

    def __init__(self, sandbox: Sandbox, *, timeout: float = 5.0) -> None:
        super().__init__(sandbox.api_key, sandbox.url, timeout=timeout)
        self.asked: Counter[str] = Counter()
        self.after_end: list[str] = []
        self.overlapping: list[str] = []
        self._noting = threading.Lock()
        self._ended: set[str] = set()
        self._in_flight: set[str] = set()

    def look(self, job_id: str) -> Job:
        """Ask as any client does, and take notes."""
        with self._noting:
            self.asked[job_id] += 1
            if job_id in self._ended:
                self.after_end.append(job_id)
            if job_id in self._in_flight:
                self.overlapping.append(job_id)
            self._in_flight.add(job_id)
        try:
            job = super().look(job_id)
            if job.is_final:
                with self._noting:
                    self._ended.add(job_id)
            return job
        finally:
            with self._noting:
                self._in_flight.discard(job_id)

    @property
    def is_quiet(self) -> bool:
        """Whether no request is in flight."""
        return not self._in_flight

    def assert_rules_kept(self) -> None:
        """Fail when a rule was broken."""
        assert not self.after_end, f"asked after their end: {self.after_end[:5]}"
        assert not self.overlapping, f"two requests at once: {self.overlapping[:5]}"


def quick_watch(
    client: Client,
    ids: Iterable[str],
    *,
    archive: str | Path | None = None,
    timeout: float | None = None,
) -> Watch:
    """Return a watch that looks again within tenths of a second, whatever happened."""
    engine = Engine(
        client,
        Archive(archive),
        schedule=Backoff(start=0.1, cap=0.5, seed=0),
        retry=ErrorBackoff(scale=0.05, seed=0),
        timeout=timeout,
        workers=WORKERS,
    )
    watch = Watch(engine, display="off")
    watch.add(ids)
    return watch


def until(holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until something holds that cannot be waited on; fail when it does not in time."""
    deadline, pause = time.monotonic() + patience_s, threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        pause.wait(0.005)


def data_of(job: Job | None) -> Mapping[str, Any]:
    """Return the job object of the raw answer; empty where there is no answer."""
    if job is None:
        return {}
    data: Mapping[str, Any] = json.loads(job.raw)["data"]
    return data


def untimed(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a job object without its times, which a skewed clock changes."""
    return {name: value for name, value in data.items() if name not in TIMES}


def assert_true_endings(watch: Watch, sandbox: Sandbox, ids: Sequence[str], *, timed: bool = True) -> None:
    """Fail unless each job has ended, with the answer that the sandbox meant to give."""
    pick = dict if timed else untimed
    for job_id in ids:
        seen = watch.jobs[job_id]
        assert seen.ended, seen
        assert pick(data_of(seen.job)) == pick(sandbox.truth(job_id))


def assert_stored(path: Path, sandbox: Sandbox, ids: Iterable[str]) -> None:
    """Fail unless the archive holds the true final answer of each job."""
    wanted = set(ids)
    with open_reader(path) as archive:
        stored = {seen.job_id: seen for seen in archive.endings(wanted)}
    assert stored.keys() == wanted
    for job_id, seen in stored.items():
        assert data_of(seen.job) == sandbox.truth(job_id)


def assert_receipt_adds_up(watch: Watch, sandbox: Sandbox) -> None:
    """Fail unless the watch spent what the sandbox saw arrive, each request under one heading."""
    receipt, seen = watch.receipt, sandbox.requests
    parts = receipt.answers + receipt.refused + receipt.lost + receipt.denied + receipt.not_found
    assert receipt.requests == parts == seen.total
    assert receipt.refused == seen.by_status.get(429, 0)
    assert receipt.not_found == seen.by_status.get(404, 0)
    assert receipt.denied == sum(seen.by_status.get(status, 0) for status in (401, 402, 403))


def start(script: str, *arguments: str | Path) -> "subprocess.Popen[str]":
    """Start one of the scripts beside this file in a process of its own, its streams piped as text."""
    path = Path(__file__).with_name(script)
    command = [sys.executable, "-W", "error", str(path), *map(str, arguments)]
    return subprocess.Popen(  # noqa: S603  # our own script
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"},
    )


def tell(child: "subprocess.Popen[str]", lines: Iterable[str]) -> None:
    """Write lines to a child's standard input and close it."""
    assert child.stdin is not None
    child.stdin.writelines(f"{line}\n" for line in lines)
    child.stdin.close()
    # Otherwise communicate() would try to flush what is closed.
    child.stdin = None


def finish(child: "subprocess.Popen[str]") -> list[str]:
    """Wait for a child's orderly and silent end; return the lines that it has still printed."""
    printed, complaints = child.communicate(timeout=PATIENCE_S)
    assert complaints == ""
    assert child.returncode == 0
    return printed.splitlines()
