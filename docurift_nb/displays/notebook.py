"""The way into a notebook's outputs: mimebundles under a display id, and when to settle them.

An output that still refers to a live widget shows an error once its kernel is gone. Settling replaces it,
through its display id, by plain HTML and text, which survive in every viewer.
"""

import os
import uuid
from typing import Any

from docurift_nb.displays import static
from docurift_nb.watcher import Snapshot


class Output:
    """One output area of the running cell. ``show`` from the cell's thread, ``replace`` from any."""

    def __init__(self) -> None:
        self._id = uuid.uuid4().hex

    def show(self, bundle: dict[str, Any]) -> None:
        """Make the output in the running cell."""
        self._publish(bundle, update=False)

    def replace(self, bundle: dict[str, Any]) -> None:
        """Put something else in its place; nothing happens where the output was cleared."""
        self._publish(bundle, update=True)

    def _publish(self, bundle: dict[str, Any], *, update: bool) -> None:
        from IPython.display import publish_display_data  # noqa: PLC0415  # costs start-up time

        place = {"display_id": self._id}
        publish_display_data(bundle, transient=place, update=update)  # type: ignore[no-untyped-call]  # IPython's


def settles() -> bool:
    """Tell whether finished displays are replaced by plain HTML; ``DOCURIFT_NB_SETTLE=0`` switches it off.

    nbval, for one, does not understand replaced outputs.
    """
    return os.environ.get("DOCURIFT_NB_SETTLE", "1").strip().lower() not in {"0", "false", "no", "off"}


def settled_bundle(snapshot: Snapshot) -> dict[str, Any]:
    """Return what stays in the notebook: HTML without scripts or widgets, and a line of text."""
    return {"text/html": static.card(snapshot), "text/plain": static.caption(snapshot)}
