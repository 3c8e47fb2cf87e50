import itertools
from collections.abc import Iterator
from typing import Any

import comm
import ipywidgets
import pytest

from docurift_nb.displays import static
from docurift_nb.displays.core import CoreView
from tests.displays.snapshots import CATALOGUE, make_final, make_snapshot


class Wire:
    """Every comm message that the widgets of a test send."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def updates(self) -> list[dict[str, Any]]:
        return [data["state"] for data in self.sent if data.get("method") == "update"]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Record comm messages instead of sending them to a kernel, and close all widgets at the end."""
    wire = Wire()

    class RecordingComm(comm.base_comm.BaseComm):
        def publish_msg(self, *_: object, data: dict[str, Any] | None = None, **__: object) -> None:
            wire.sent.append(data or {})

    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    yield wire
    ipywidgets.Widget.close_all()


def _state(view: CoreView) -> dict[str, Any]:
    parts = {"bar": view._bar, "colour": view._bar.style, "card": view._card, "box": view.widget}
    volatile = {"children", "layout", "style"}
    return {
        name: {key: value for key, value in part.get_state().items() if key not in volatile}
        for name, part in parts.items()
    }


@pytest.mark.usefixtures("wire")
def test_updating_equals_creating() -> None:
    """For each pair of moments, a view that goes from one to the other equals a new one."""
    created = {name: _state(CoreView(shot)) for name, shot in CATALOGUE.items()}
    for before, after in itertools.permutations(CATALOGUE, 2):
        view = CoreView(CATALOGUE[before])
        view.update(CATALOGUE[after])
        assert _state(view) == created[after], (before, after)
        view.close()


@pytest.mark.usefixtures("wire")
def test_one_display_is_three_widgets() -> None:
    """However many jobs there are, a display is a box with a bar and a card."""
    view = CoreView(CATALOGUE["large"])
    assert [type(child) for child in view.widget.children] == [ipywidgets.FloatProgress, ipywidgets.HTML]


def test_messages_are_counted_truly(wire: Wire) -> None:
    """An update reports as many messages as it sends, and none where nothing changes."""
    view = CoreView(make_snapshot())
    wire.sent.clear()
    for shot in (make_snapshot(), make_snapshot(n_ended=130), make_snapshot(throttled_s=3.0), make_final()):
        before = len(wire.sent)
        sent = view.update(shot)
        assert len(wire.sent) - before == sent <= view.cost
    assert view.update(make_final()) == 0


def test_the_last_frame_is_sent_whole(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finishing sends bar, colour and card again, whether or not they changed."""
    monkeypatch.setenv("DOCURIFT_NB_SETTLE", "0")
    view = CoreView(make_final())
    wire.sent.clear()
    assert view.finish(make_final()) == len(wire.sent) == 3
    card = static.card_text(make_final())
    assert {"value": 1.0} in wire.updates()
    assert {"value": card} in wire.updates()


def test_frames_are_small(wire: Wire) -> None:
    """An ordinary frame is below 4 kB."""
    view = CoreView(make_snapshot())
    wire.sent.clear()
    view.update(make_snapshot(n_ended=130))
    assert sum(len(repr(data)) for data in wire.sent) < 4000


@pytest.mark.usefixtures("wire")
def test_the_bundle_has_stable_stand_ins() -> None:
    """What a viewer without widgets shows does not depend on the moment at which it was saved."""
    one, other = CATALOGUE["nothing seen"], CATALOGUE["running"]
    bundles = [CoreView(shot).bundle(shot) for shot in (one, other)]
    for mime in ("text/html", "text/plain"):
        assert bundles[0][mime] == bundles[1][mime]
    assert "application/vnd.jupyter.widget-view+json" in bundles[0]


@pytest.mark.usefixtures("wire")
def test_hostile_text_is_inert_in_the_widget() -> None:
    """The HTML widget executes what it is given, so it is given nothing but escaped text."""
    value = CoreView(CATALOGUE["hostile"])._card.value
    assert "<script" not in value
    assert "<img" not in value
    assert "&lt;script&gt;" in value


@pytest.mark.usefixtures("wire")
def test_closing_leaves_no_widget_behind() -> None:
    """A settled view that is closed takes all its models out of the kernel; twice does no harm."""
    view = CoreView(make_final())
    view._settled = True
    view.close()
    view.close()
    assert not ipywidgets.widget._instances


@pytest.mark.usefixtures("wire")
def test_an_unsettled_view_is_not_closed() -> None:
    """Where no plain HTML stands in its place, the widget is all there is to see."""
    view = CoreView(make_final())
    view.close()
    assert view.widget.comm is not None
