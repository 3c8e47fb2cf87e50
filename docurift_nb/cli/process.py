"""One command as a process: signals, errors in one sentence, the exit code.

It knows no command. Signals end a command by unwinding it, so that whatever it opened is closed by its own
``with`` blocks: the watch stops, the terminal gets its cursor back, the sandbox frees its port.
"""

import os
import shlex
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from docurift_nb.cli.exits import Exit, exit_for_error
from docurift_nb.cli.screen import Interrupted, Screen, error_document
from docurift_nb.errors import DocuriftError

PROGRAM = "docurift-nb"
ENV_TRACEBACK = "DOCURIFT_NB_TRACEBACK"
# A second signal within this time would break off the tidying up that the first one began.
TIDYING_S = 5.0


def main() -> None:
    """Run the command that ``sys.argv`` names, and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; prints, and handles signals while it runs.

    Parameters
    ----------
    arguments : sequence of str
        As after the program's name.
    """
    screen = Screen(shlex.join([PROGRAM, *arguments]), as_json="--json" in arguments)
    try:
        with _signals_raised():
            from docurift_nb.cli.app import app  # noqa: PLC0415  # interrupted while loading, it ends in good order

            app(args=list(arguments), prog_name=PROGRAM, obj=screen)
    except SystemExit as ended:
        code = int(ended.code or 0)
        error: dict[str, str] = {"type": "UsageError", "message": "see standard error"}
    except BaseException as raised:  # noqa: BLE001  # nothing is above but the interpreter
        code, error = _exit_for(raised), error_document(raised)
        _explain(screen, raised)
    else:
        return Exit.OK
    if code != Exit.OK:
        screen.answer({"exit_code": code, "error": error})
    return code


def _exit_for(error: BaseException) -> int:
    if isinstance(error, Interrupted):
        return error.exit_code
    return exit_for_error(error) if isinstance(error, DocuriftError) else Exit.INTERNAL


def _explain(screen: Screen, error: BaseException) -> None:
    if isinstance(error, Interrupted):
        if error.exit_code != Exit.PIPE:
            screen.say(f"{PROGRAM}: {error}")
            screen.say_how_to_go_on()
    elif isinstance(error, DocuriftError):
        screen.say(f"{PROGRAM}: {error}")
    else:
        _explain_ours(screen, error)


def _explain_ours(screen: Screen, error: BaseException) -> None:
    if os.environ.get(ENV_TRACEBACK):
        traceback.print_exception(error)
    screen.say(
        f"{PROGRAM}: an error of its own, {type(error).__name__}: {error};"
        f" please report it with what {ENV_TRACEBACK}=1 shows"
    )


@contextmanager
def _signals_raised() -> Iterator[None]:
    """Let signals unwind the block; those that the caller had ignored, as ``nohup`` does, stay ignored."""
    last = -TIDYING_S

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal last
        if time.monotonic() - last >= TIDYING_S:
            last = time.monotonic()
            raise Interrupted(number)

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    ours = {number: old for number, old in handlers.items() if old is not signal.SIG_IGN}
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, old in ours.items():
            signal.signal(number, old)
