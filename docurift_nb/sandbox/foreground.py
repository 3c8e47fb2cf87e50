"""The sandbox in the foreground of a process of its own, until a signal ends it.

For the command line and for load tests; the only part of the sandbox that prints.
"""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from docurift_nb.sandbox.local import Sandbox
from docurift_nb.sandbox.service import Arrivals


def serve(
    sandbox: Sandbox,
    *,
    submit: int = 0,
    replay: str | Path | None = None,
    arrivals: Arrivals = "at_once",
    ids_file: str | Path | None = None,
    as_json: bool = False,
    stop: threading.Event | None = None,
    out: TextIO | None = None,
) -> None:
    """Open a sandbox, start its jobs, tell where it is, and serve until SIGINT or SIGTERM.

    Opens and closes `sandbox`. On the main thread both signals end it in good order and are given
    back their handlers afterwards; elsewhere only `stop` ends it.

    Parameters
    ----------
    sandbox
        A sandbox that is not open yet.
    submit
        Number of scripted jobs to start with.
    replay
        File of recorded answers to start with.
    arrivals
        How the recorded jobs arrive, see `Sandbox.replay`.
    ids_file
        File to write the job ids to, one a line.
    as_json
        True prints one JSON line with ``url``, ``api_key`` and ``job_ids``; False prints for people.
    stop
        Ends the serving when set.
    out
        Where to print; standard output when None.
    """
    stop = threading.Event() if stop is None else stop
    with _signals_set(stop), sandbox:
        ids = sandbox.submit(submit) if submit else []
        if replay is not None:
            ids += sandbox.replay(replay, arrivals=arrivals)
        if ids_file is not None:
            Path(ids_file).write_text("".join(f"{one}\n" for one in ids), encoding="utf-8")
        text = _as_json(sandbox, ids) if as_json else _for_people(sandbox, ids)
        print(text, file=sys.stdout if out is None else out, flush=True)
        stop.wait()


def _as_json(sandbox: Sandbox, ids: list[str]) -> str:
    return json.dumps({"url": sandbox.url, "api_key": sandbox.api_key, "job_ids": ids})


def _for_people(sandbox: Sandbox, ids: list[str]) -> str:
    lines = (
        f"DocuRift sandbox with {len(ids)} jobs; Ctrl+C ends it",
        f"export DOCURIFT_API_URL={sandbox.url}",
        f"export DOCURIFT_API_KEY={sandbox.api_key}",
        *(f"first job: {one}" for one in ids[:1]),
    )
    return "\n".join(lines)


@contextmanager
def _signals_set(stop: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
