"""The display for terminals and log files, drawn by the calling thread until the watch is over.

On a terminal one block is redrawn; elsewhere plain lines are written, and only when something changed.
"""

import threading
import time
from collections.abc import Callable, Iterator

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.text import Text

from docurift_nb.displays import static
from docurift_nb.displays.picture import Note, Picture, Tone, picture_of
from docurift_nb.displays.view import Watched
from docurift_nb.watcher import Phase, Snapshot

TICK_S = 0.25
LINE_EVERY_S = 5.0
BAR_WIDTH = 60

_STYLES = {Tone.QUIET: "dim", Tone.BUSY: "blue", Tone.GOOD: "green", Tone.WARN: "yellow", Tone.BAD: "red"}


def follow(
    watch: Watched,
    console: Console | None = None,
    *,
    pause: Callable[[float], object] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Snapshot:
    """Draw the watch until it is over or somebody has to act, and return the last snapshot.

    Blocks the calling thread and uses no other. An interrupt passes through and touches the watch no
    more than leaving does: it goes on.

    Parameters
    ----------
    watch : Watch
    console : rich.console.Console, optional
        Where to draw; the standard output by default. A terminal is redrawn four times a second; anything
        else gets a line at most every five seconds, and none while nothing changes.
    pause : callable, optional
        Waits for that many seconds.
    clock : callable
        Seconds, monotonic.
    """
    console = console or Console()
    pause = pause or threading.Event().wait
    snapshots = _snapshots(watch, pause)
    if console.is_terminal:
        return _redraw(snapshots, console)
    return _log(snapshots, console, clock)


def block(snapshot: Snapshot) -> Group:
    """Return what a terminal shows of a snapshot."""
    picture = picture_of(snapshot)
    head = Text.assemble((picture.glyph, _STYLES[picture.tone]), " ", (picture.phase, "bold"), ": ")
    return Group(
        head.append(picture.progress),
        _bar(picture),
        _counts(picture),
        *map(_note, picture.notes),
        Text(picture.ages, style="dim"),
        Text(picture.receipt, style="dim"),
    )


def _snapshots(watch: Watched, pause: Callable[[float], object]) -> Iterator[Snapshot]:
    while True:
        snapshot = watch.snapshot()
        yield snapshot
        if snapshot.is_over or snapshot.phase in {Phase.DENIED, Phase.BLOCKED}:
            return
        pause(TICK_S)


def _redraw(snapshots: Iterator[Snapshot], console: Console) -> Snapshot:
    snapshot = next(snapshots)
    with Live(block(snapshot), console=console, auto_refresh=False) as live:
        for snapshot in snapshots:
            live.update(block(snapshot), refresh=True)
    return snapshot


def _log(snapshots: Iterator[Snapshot], console: Console, clock: Callable[[], float]) -> Snapshot:
    snapshot = next(snapshots)
    written, written_at = static.log_line(snapshot), clock()
    _write(console, written)
    for snapshot in snapshots:
        line = static.log_line(snapshot)
        if line != written and clock() - written_at >= LINE_EVERY_S:
            written, written_at = line, clock()
            _write(console, line)
    line = static.log_line(snapshot)
    if line != written:
        _write(console, line)
    return snapshot


def _write(console: Console, line: str) -> None:
    # As text, not as console markup: brackets may come from the API.
    console.print(Text(line), soft_wrap=True, highlight=False)


def _bar(picture: Picture) -> Padding:
    style = _STYLES[picture.tone]
    bar = ProgressBar(
        total=1.0, completed=picture.fraction, width=BAR_WIDTH, complete_style=style, finished_style=style
    )
    # A bar ends no line of its own; padding, though it is none, does.
    return Padding(bar, 0)


def _counts(picture: Picture) -> Text:
    parts = [
        Text.assemble((count.glyph, _STYLES[count.tone]), f" {count.n:,} {count.word}")
        for count in picture.counts
    ]
    return Text("   ").join(parts)


def _note(note: Note) -> Text:
    return Text(static.note_line(note), style=_STYLES[note.tone])
