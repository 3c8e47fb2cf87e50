"""What people look at while jobs run.

One snapshot of a watch goes through these layers, and only the last knows where it is shown:

``picture``
    what is said, in words and numbers; every display says the same.
``static``
    the same as escaped HTML and as lines of text: pure, used live, when saved, and in reports.
``core``, ``html``, ``text``
    the places: ipywidgets, a replaced HTML output, a terminal. A view takes a snapshot and draws all of it,
    so that updating it equals making it anew.
``publisher``
    one thread that feeds all views of the process within one message budget.
``choice``
    which place it is.

A richer view is one more module with a class that satisfies ``view.View``, and one more line in ``show``.
"""

from docurift_nb.displays import static
from docurift_nb.displays.choice import choose, set_default
from docurift_nb.displays.notebook import Output, settled_bundle, settles
from docurift_nb.displays.publisher import Publisher
from docurift_nb.displays.view import View, Watched

__all__ = ["View", "Watched", "choose", "set_default", "show"]

publisher = Publisher()


def show(watch: Watched, mode: str = "auto") -> None:
    """Display a watch in the running cell and return at once; the display goes on by itself.

    A shown watch is kept alive until it is over, whether or not its cell was interrupted. Then the output
    settles: plain HTML and a line of text take the place of the widget. On a terminal, and with "text" or
    "off", what is known now is written once.

    Parameters
    ----------
    watch : Watch
    mode : {"auto", "core", "html", "text", "off"}

    Raises
    ------
    ConfigError
        When ``mode``, or ``DOCURIFT_NB_DISPLAY``, names no display.
    """
    tier = choose(mode)
    snapshot = watch.snapshot()
    if tier == "core" and (not snapshot.is_over or not settles()):
        from docurift_nb.displays.core import CoreView  # noqa: PLC0415  # the widget stack loads on first use

        view = CoreView(snapshot)
        view.show(snapshot)
        publisher.add(watch, view, snapshot)
    elif tier == "html" and not snapshot.is_over:
        from docurift_nb.displays.html import HtmlView  # noqa: PLC0415  # rarely needed

        page = HtmlView()
        page.show(snapshot)
        publisher.add(watch, page, snapshot)
    elif tier in {"core", "html"}:
        Output().show(settled_bundle(snapshot))
    elif tier == "text":
        Output().show({"text/plain": static.log_line(snapshot)})
    else:
        Output().show({"text/plain": repr(watch)})
