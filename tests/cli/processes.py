"""Commands as processes of their own, on pipes or on a terminal, as signals need them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A test run in the background ignores SIGINT, and its children would inherit that.
_MAIN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from docurift_nb.cli import main; main()"
)
# With a terminal of its own, Ctrl+C typed there reaches the process as it does a user's.
_MAIN_ON_TERMINAL = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); {_MAIN}"


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "PYTHONUNBUFFERED": "1"}


@contextmanager
def running(*arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """Run a command on pipes until the block ends."""
    with subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-c", _MAIN, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, master: int, process: "subprocess.Popen[bytes]") -> None:
        self._master, self._process = master, process
        self.seen = b""

    def read_until(self, wanted: bytes) -> None:
        """Read until something has appeared on the screen."""
        while wanted not in self.seen:
            self.seen += os.read(self._master, 65536)

    def type(self, keys: bytes) -> None:
        """Type on the keyboard."""
        os.write(self._master, keys)

    def finish(self) -> int:
        """Read to the end and return the exit code."""
        # Linux ends a terminal that nobody writes to any more with an error.
        with suppress(OSError):
            while piece := os.read(self._master, 65536):
                self.seen += piece
        return self._process.wait()


@contextmanager
def on_terminal(*arguments: object, **environment: str) -> Iterator[Terminal]:
    """Run a command on a terminal of its own until the block ends."""
    master, slave = os.openpty()
    with subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-c", _MAIN_ON_TERMINAL, *map(str, arguments)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env=_environment() | environment,
    ) as process:
        os.close(slave)
        try:
            yield Terminal(master, process)
        finally:
            process.kill()
            os.close(master)
