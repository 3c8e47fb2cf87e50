import io

import pytest
from rich.console import Console

from docurift_nb.displays.text import follow
from docurift_nb.watcher import Snapshot
from tests.displays.snapshots import CATALOGUE, FakeWatch, make_final, make_snapshot


class Screen:
    """A console that writes into memory, on a clock that pausing moves."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.now = 0.0
        self._file = io.StringIO()
        self.console = Console(file=self._file, force_terminal=terminal, width=100, _environ={})

    def follow(self, *snapshots: Snapshot) -> Snapshot:
        return follow(FakeWatch(snapshots), self.console, pause=self._pause, clock=lambda: self.now)

    def _pause(self, seconds: float) -> None:
        self.now += seconds

    @property
    def text(self) -> str:
        return self._file.getvalue()


def _busy(n: int) -> list[Snapshot]:
    return [make_snapshot(n_ended=ended) for ended in range(n)]


def test_a_log_gets_the_first_and_the_last_state() -> None:
    """A file holds where the watch began and how it ended."""
    screen = Screen()
    assert screen.follow(make_snapshot(), make_final()) == make_final()
    assert [line.split(":")[0] for line in screen.text.splitlines()] == ["Watching", "Finished"]


def test_a_log_gets_a_line_every_five_seconds_at_most() -> None:
    """A minute of constant change makes a dozen lines."""
    screen = Screen()
    screen.follow(*_busy(190), make_final())
    assert len(screen.text.splitlines()) == 1 + 9 + 1


def test_a_log_is_silent_while_nothing_changes() -> None:
    """Ten quiet minutes add nothing."""
    screen = Screen()
    screen.follow(*[make_snapshot()] * 2400, make_final())
    assert len(screen.text.splitlines()) == 2


@pytest.mark.parametrize("name", ["denied", "blocked"])
def test_following_ends_when_somebody_must_act(name: str) -> None:
    """A program does not wait for ever for a key or a disk that nobody mends."""
    screen = Screen()
    assert screen.follow(make_snapshot(), CATALOGUE[name]) == CATALOGUE[name]


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_nothing_from_outside_controls_the_terminal(name: str, *, terminal: bool) -> None:
    """No escape sequence and no console markup of the API reaches the terminal."""
    screen = Screen(terminal=terminal)
    watch = FakeWatch([CATALOGUE[name], make_final()])
    follow(watch, screen.console, pause=lambda _: None)
    assert "\x1b[31moverlong" not in screen.text
    assert "\u202e" not in screen.text
    assert name != "hostile" or "[red]x[/red]" in screen.text.replace("\n", "")


def test_a_terminal_shows_bar_counts_ages_and_receipt() -> None:
    """The block on a terminal says what the other displays say."""
    screen = Screen(terminal=True)
    screen.follow(make_snapshot(), make_final())
    for said in ("120 of 200 jobs ended", "110 completed", "Newest answer 2 s ago", "412 requests", "━"):
        assert said in screen.text


def test_an_interrupt_passes_through() -> None:
    """An interrupt while drawing is the caller's business; the block stays as it was."""
    screen = Screen(terminal=True)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(FakeWatch([make_snapshot()]), screen.console, pause=interrupt)
    assert "120 of 200" in screen.text
