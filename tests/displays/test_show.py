import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import IPython.display
import ipywidgets
import pytest

from docurift_nb import displays
from docurift_nb.displays import notebook, static
from docurift_nb.displays.html import HtmlView
from docurift_nb.displays.notebook import settles
from docurift_nb.displays.publisher import Publisher
from tests.displays.snapshots import FakeWatch, make_final, make_snapshot

DEADLINE_S = 10.0
VIEW = "application/vnd.jupyter.widget-view+json"


class Shown(NamedTuple):
    """One message to the notebook's outputs."""

    bundle: dict[str, Any]
    display_id: str
    update: bool


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Shown]]:
    """Write down what reaches the outputs, and take whatever display is asked for."""
    sent: list[Shown] = []

    def publish(bundle: dict[str, Any], *, transient: dict[str, str], update: bool) -> None:
        sent.append(Shown(bundle, transient["display_id"], update))

    monkeypatch.setattr(IPython.display, "publish_display_data", publish)
    monkeypatch.setattr(displays, "choose", lambda mode: mode)
    monkeypatch.setattr(displays, "publisher", Publisher(clock=lambda: 50 * time.monotonic()))
    yield sent
    _wait()
    ipywidgets.Widget.close_all()


def _wait() -> None:
    thread = displays.publisher._thread
    if thread is not None:
        thread.join(DEADLINE_S)


def test_a_widget_is_shown_and_settles_in_its_place(outputs: list[Shown]) -> None:
    """The widget's output is replaced, under its id, by plain HTML and a stable line of text."""
    displays.show(FakeWatch([make_snapshot(), make_final()]), "core")
    _wait()
    first, *rest = outputs
    assert VIEW in first.bundle
    assert not first.update
    assert rest == [Shown(notebook.settled_bundle(make_final()), first.display_id, update=True)] * 2
    assert rest[0].bundle["text/html"] == static.card(make_final())


def test_settling_can_be_switched_off(outputs: list[Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where replaced outputs are not understood, the first output is the only one."""
    monkeypatch.setenv("DOCURIFT_NB_SETTLE", "0")
    displays.show(FakeWatch([make_snapshot(), make_final()]), "core")
    _wait()
    assert len(outputs) == 1


@pytest.mark.parametrize("mode", ["core", "html"])
def test_a_watch_that_is_over_needs_no_widget(mode: str, outputs: list[Shown]) -> None:
    """What can no longer move is shown as plain HTML at once, and no thread starts."""
    displays.show(FakeWatch([make_final()]), mode)
    assert [sorted(shown.bundle) for shown in outputs] == [["text/html", "text/plain"]]
    assert displays.publisher._thread is None


def test_html_is_replaced_until_the_end(outputs: list[Shown]) -> None:
    """Without widgets one output is replaced under its id, the last time by the final state."""
    displays.show(FakeWatch([make_snapshot(), make_snapshot(n_ended=130), make_final()]), "html")
    _wait()
    assert len({shown.display_id for shown in outputs}) == 1
    assert outputs[-1].bundle["text/html"] == static.card(make_final())


def test_updating_html_equals_showing_it(outputs: list[Shown]) -> None:
    """A replaced output is the same as a new one."""
    one, other = HtmlView(), HtmlView()
    one.show(make_snapshot())
    one.update(make_final())
    other.show(make_final())
    assert outputs[-2].bundle == outputs[-1].bundle
    assert one.close() == 0


@pytest.mark.parametrize("mode", ["text", "off"])
def test_text_is_written_once(mode: str, outputs: list[Shown]) -> None:
    """Text and off say what is known now, in one line, and leave it at that."""
    displays.show(FakeWatch([make_snapshot()]), mode)
    [shown] = outputs
    assert list(shown.bundle) == ["text/plain"]
    assert displays.publisher._thread is None


@pytest.mark.parametrize(("value", "expected"), [("0", False), ("Off", False), ("1", True), ("", True)])
def test_the_switch_reads_usual_words(value: str, *, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """0, off, no and false switch settling off; nothing else does."""
    monkeypatch.setenv("DOCURIFT_NB_SETTLE", value)
    assert settles() is expected
