"""What exit codes mean. One table for the program, its help and the README."""

import enum
from collections.abc import Mapping

from docurift_nb.errors import (
    ArchiveError,
    AuthError,
    ConfigError,
    CreditsError,
    DocuriftError,
    ForbiddenError,
    MissingExtraError,
    NoAnswerError,
    RateLimitError,
    ServerError,
    UnreadableAnswerError,
    WaitTimeoutError,
    WatchStoppedError,
)


class Exit(enum.IntEnum):
    """The exit codes of every command."""

    OK = 0
    INCOMPLETE = 1
    USAGE = 2
    DENIED = 3
    UNFINISHED = 4
    ARCHIVE = 5
    INTERNAL = 70
    HANGUP = 129
    INTERRUPTED = 130
    PIPE = 141
    TERMINATED = 143


MEANINGS = {
    Exit.OK: "everything completed (demo, report, sandbox, doctor: it did what it is for)",
    Exit.INCOMPLETE: "all jobs ended, but some failed, were not found, expired or denied; a check failed",
    Exit.USAGE: "an argument, file or setting cannot be used; no API key is set",
    Exit.DENIED: "DocuRift refused the key, or the account has no credits",
    Exit.UNFINISHED: "jobs were still open when the time was over, or no answer came",
    Exit.ARCHIVE: "the archive cannot be opened or written",
    Exit.INTERNAL: "an error of docurift-nb itself",
    Exit.HANGUP: "the terminal was closed",
    Exit.INTERRUPTED: "interrupted with Ctrl+C; the archive is sound and the line printed last goes on",
    Exit.PIPE: "the program that read the output has gone",
    Exit.TERMINATED: "ended by SIGTERM, in the same good order",
}

_CODES: dict[type[DocuriftError], Exit] = {
    ConfigError: Exit.USAGE,
    MissingExtraError: Exit.USAGE,
    AuthError: Exit.DENIED,
    ForbiddenError: Exit.DENIED,
    CreditsError: Exit.DENIED,
    ArchiveError: Exit.ARCHIVE,
    WaitTimeoutError: Exit.UNFINISHED,
    WatchStoppedError: Exit.UNFINISHED,
    NoAnswerError: Exit.UNFINISHED,
    RateLimitError: Exit.UNFINISHED,
    ServerError: Exit.UNFINISHED,
    UnreadableAnswerError: Exit.UNFINISHED,
}


def exit_for_error(error: DocuriftError) -> Exit:
    """Return the code that an error ends a command with.

    >>> exit_for_error(ConfigError())
    <Exit.USAGE: 2>
    """
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), Exit.INCOMPLETE)


def exit_for_counts(counts: Mapping[str, int]) -> Exit:
    """Return the code for jobs that have all ended, by their states.

    >>> exit_for_counts({"completed": 3, "not_found": 1})
    <Exit.INCOMPLETE: 1>
    """
    return Exit.OK if all(word == "completed" for word, n in counts.items() if n) else Exit.INCOMPLETE
