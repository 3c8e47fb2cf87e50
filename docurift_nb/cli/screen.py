"""Where a command's words go: what was asked for to standard output, everything else to standard error.

With ``--json`` standard output carries exactly one JSON document, whatever happens. Every text may come from
the API and is taken literally: no markup, no control characters.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console, RenderableType
from rich.text import Text

from docurift_nb.errors import shorten

# Wide enough that a pipe or file gets every column whole; a terminal says its own width.
PIPE_WIDTH = 240
LONGEST_SENTENCE = 2000
PIPE = 13
"""The number of SIGPIPE, which not every system has."""


class Interrupted(BaseException):
    """A signal asks the command to end. No ``Exception``, so that nothing below takes it for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """128 and the number of the signal, as shells count."""
        return 128 + self.number

    def __str__(self) -> str:
        return f"ended by {signal.Signals(self.number).name}"


class _Output(Console):
    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True
        leave_pipe()


def leave_pipe() -> NoReturn:
    """End the command because nobody reads its output any more."""
    # Python flushes standard output once more at its end, which must not fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    raise Interrupted(PIPE) from None


class Screen:
    """One command's two streams.

    Parameters
    ----------
    command_line : str
        How this command was called, for telling how to go on.
    as_json : bool
        One JSON document instead of tables.

    Attributes
    ----------
    is_resumable : bool
        Whether the same command, given again, goes on where this one ended.
    """

    def __init__(self, command_line: str = "docurift-nb", *, as_json: bool = False) -> None:
        self.command_line = command_line
        self.as_json = as_json
        self.is_resumable = False
        self._answered = False
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
        self._out = _Output(file=sys.stdout, width=width, highlight=False)
        self._streams = sys.stdout, sys.stderr
        self._err = Console(file=sys.stderr, highlight=False)

    def say(self, sentence: str) -> None:
        """Print a sentence for people on standard error."""
        self._err.print(Text(shorten(sentence, LONGEST_SENTENCE)), soft_wrap=True)

    @property
    def width(self) -> int:
        """Characters in a line of standard output."""
        return self._out.width

    @contextmanager
    def drawing(self) -> Iterator[Console]:
        """Lend a console on standard error to something that redraws itself; afterwards all is as before."""
        try:
            yield Console(file=self._streams[1], highlight=False)
        finally:
            # Rich tidies up after itself unless a signal comes while it is still setting up.
            sys.stdout, sys.stderr = self._streams
            self._err.show_cursor()

    def say_how_to_go_on(self) -> None:
        """Print the line that goes on, where there is one."""
        if self.is_resumable:
            self.say(f"to go on, asking only for the open jobs: {self.command_line}")

    def show(self, what: RenderableType) -> None:
        """Print what was asked for on standard output, unless that is to be JSON."""
        if not self.as_json:
            self._out.print(what)

    def answer(self, document: Mapping[str, Any]) -> None:
        """Print the JSON document, where JSON was asked for and none was printed before."""
        if not self.as_json or self._answered:
            return
        self._answered = True
        try:
            out, _ = self._streams
            out.write(json.dumps(document, allow_nan=False, indent=2) + "\n")
            out.flush()
        except BrokenPipeError:
            leave_pipe()


def error_document(error: BaseException) -> dict[str, str]:
    """Return an error as JSON can hold it."""
    return {"type": type(error).__name__, "message": str(error)}
