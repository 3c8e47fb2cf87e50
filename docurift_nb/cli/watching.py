"""``docurift-nb watch``: jobs watched to their end, and how that ended."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

import docurift_nb as dn
from docurift_nb.cli.exits import Exit, exit_for_counts, exit_for_error
from docurift_nb.cli.ids import read_ids
from docurift_nb.cli.report import as_json, make_tables, print_tables
from docurift_nb.cli.screen import Interrupted, Screen, error_document
from docurift_nb.errors import DocuriftError
from docurift_nb.watcher import Snapshot

if TYPE_CHECKING:
    from docurift_nb.results import Results

CAN_GO_ON = frozenset(
    {Exit.DENIED, Exit.UNFINISHED, Exit.ARCHIVE, Exit.HANGUP, Exit.INTERRUPTED, Exit.TERMINATED}
)


class Ending(NamedTuple):
    """How a watch ended."""

    code: int
    error: BaseException | None
    snapshot: Snapshot
    results: "Results | None"

    def document(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        shot = self.snapshot
        receipt = msgspec.to_builtins(shot.receipt)
        receipt["rate"] = None if receipt["rate"] == float("inf") else receipt["rate"]
        return {
            "exit_code": int(self.code),
            "error": None if self.error is None else error_document(self.error),
            "jobs": {"total": shot.total, "ended": shot.n_ended, "counts": dict(shot.counts)},
            "receipt": receipt,
            "notices": list(shot.notices),
        }


def watch_file(
    screen: Screen,
    ids_file: str,
    *,
    archive: Path,
    base_url: str | None = None,
    max_rate: float | None = None,
    timeout: float | None = None,
) -> int:
    """Watch the jobs that a file names until all have ended; return the exit code.

    Raises
    ------
    ConfigError, ArchiveError
        When it cannot be begun.
    """
    ids = read_ids(ids_file)
    screen.is_resumable = True
    with (
        dn.Client(base_url=base_url, max_rate=max_rate) as client,
        dn.watch(ids, client=client, archive=archive, timeout=timeout) as watch,
    ):
        ending = follow_to_end(screen, watch)
    document = ending.document() | {"archive": str(archive)}
    if ending.results is not None:
        tables = make_tables(ending.results)
        print_tables(screen, tables, names=("overview", "failures"))
        document["tables"] = as_json(tables)
    tell(screen, ending, archive)
    screen.answer(document)
    return ending.code


def follow_to_end(screen: Screen, watch: dn.Watch) -> Ending:
    """Show a watch on standard error until it is over, and stop it. A signal ends it too."""
    from docurift_nb.displays.text import follow  # noqa: PLC0415  # the displays load when one is needed

    try:
        with screen.drawing() as console:
            follow(watch, console)
        results = watch.wait()
    except Interrupted as signal:
        watch.stop()
        return Ending(signal.exit_code, signal, watch.snapshot(), None)
    except DocuriftError as error:
        watch.stop()
        return Ending(exit_for_error(error), error, watch.snapshot(), watch.results())
    shot = watch.snapshot()
    return Ending(exit_for_counts(shot.counts), None, shot, results)


def tell(screen: Screen, ending: Ending, archive: Path) -> None:
    """Say in words how a watch ended, what it cost, and how to go on."""
    shot = ending.snapshot
    if ending.error is not None:
        screen.say(str(ending.error))
    screen.say(f"{shot.n_ended:,} of {shot.total:,} jobs ended and are kept in {archive}; {shot.receipt}")
    if ending.code in CAN_GO_ON:
        screen.say_how_to_go_on()
