"""The widget display for every notebook that has ipywidgets: a bar and a card, however many jobs.

All text goes through the escaping of `static`: the HTML widget executes whatever it is given.
"""

from typing import Any

import ipywidgets

from docurift_nb.displays import static
from docurift_nb.displays.notebook import Output, settled_bundle, settles
from docurift_nb.displays.picture import picture_of
from docurift_nb.watcher import Snapshot

# The widget draws its bar 4 px inside its own edges; so it stands where the settled bar will stand.
BAR_HEIGHT = "18px"
BAR_MARGIN = "2px 0 6px 0"


class CoreView:
    """A bar and a card as ipywidgets. ``close`` takes the widgets out of the kernel."""

    interval_s = 0.25
    cost: int = 4

    def __init__(self, snapshot: Snapshot) -> None:
        self._output = Output()
        self._bar = ipywidgets.FloatProgress(
            min=0.0,
            max=1.0,
            layout={"width": "100%", "height": BAR_HEIGHT, "margin": BAR_MARGIN},
        )
        self._card = ipywidgets.HTML(layout={"width": "100%", "margin": "0"})
        box = {"max_width": static.WIDTH, "padding": f"0 0 0 {static.INDENT}"}
        self.widget = ipywidgets.VBox([self._bar, self._card], layout=box)
        self._settled = False
        self.update(snapshot)

    def show(self, snapshot: Snapshot) -> None:
        """Put the widget into the output of the running cell."""
        self._output.show(self.bundle(snapshot))

    def bundle(self, snapshot: Snapshot) -> dict[str, Any]:
        """Return the widget with what stands in for it in a notebook that was saved before the end."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {
            "application/vnd.jupyter.widget-view+json": view,
            "text/html": static.placeholder(snapshot),
            "text/plain": static.caption(snapshot),
        }

    def update(self, snapshot: Snapshot) -> int:
        """As `View.update`."""
        return self._draw(snapshot, anyway=False)

    def finish(self, snapshot: Snapshot) -> int:
        """As `View.finish`; the output settles, and pages reloaded meanwhile keep the widget."""
        sent = self._draw(snapshot, anyway=True)
        # The replaced output does not reach a page that was reloaded meanwhile; there the widget stays.
        if not settles():
            return sent
        self._output.replace(settled_bundle(snapshot))
        self._settled = True
        return sent + 1

    def _draw(self, snapshot: Snapshot, *, anyway: bool) -> int:
        picture = picture_of(snapshot)
        return (
            _assign(self._bar, "value", picture.fraction, anyway=anyway)
            + _assign(self._bar.style, "bar_color", static.COLOURS[picture.tone], anyway=anyway)
            + _assign(self._card, "value", static.card_text(snapshot), anyway=anyway)
        )

    def close(self) -> int:
        """As `View.close`; a widget that no plain HTML has replaced stays."""
        if not self._settled or self.widget.comm is None:
            return 0
        whole = (self.widget, self._bar, self._card)
        parts = [*whole, *(one.layout for one in whole), self._bar.style, self._card.style]
        for part in parts:
            part.close()
        return len(parts)


def _assign(widget: Any, trait: str, value: object, *, anyway: bool) -> int:  # noqa: ANN401  # no types
    if getattr(widget, trait) != value:
        setattr(widget, trait, value)
    elif anyway:
        widget.send_state(trait)
    else:
        return 0
    return 1
