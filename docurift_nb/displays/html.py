"""The display for notebooks without widgets: plain HTML, replaced under its display id once a second.

Replaced outputs are lost on pages that were reloaded meanwhile, so this is the second choice.
"""

from docurift_nb.displays import static
from docurift_nb.displays.notebook import Output, settled_bundle
from docurift_nb.watcher import Snapshot


class HtmlView:
    """One output that is replaced as a whole."""

    interval_s = 1.0
    cost: int = 1

    def __init__(self) -> None:
        self._output = Output()

    def show(self, snapshot: Snapshot) -> None:
        """Put the first state into the output of the running cell."""
        self._output.show({"text/html": static.card(snapshot), "text/plain": static.caption(snapshot)})

    def update(self, snapshot: Snapshot) -> int:
        """As `View.update`."""
        self._output.replace({"text/html": static.card(snapshot), "text/plain": static.caption(snapshot)})
        return 1

    def finish(self, snapshot: Snapshot) -> int:
        """As `View.finish`."""
        self._output.replace(settled_bundle(snapshot))
        return 1

    def close(self) -> int:
        """As `View.close`: it holds nothing."""
        return 0
