"""Which display a place can show, and which one the user wants.

Decided by what is there (a kernel, ipywidgets), never by guessing the product; users may overrule it. A tier
that cannot be shown falls to the next: core, html, text. The rich widget tier will stand before core.
"""

import importlib.util
import os
import sys

from docurift_nb.errors import ConfigError, did_you_mean

MODES = ("auto", "core", "html", "text", "off")
VARIABLE = "DOCURIFT_NB_DISPLAY"

_wanted: dict[str, str] = {}


def set_default(mode: str) -> None:
    """Make ``mode`` the display of every watch of this process that asks for none in particular.

    It goes before ``DOCURIFT_NB_DISPLAY``; "auto" takes it back.

    Raises
    ------
    ConfigError
        When there is no such mode.
    """
    _wanted["default"] = _checked(mode, "display")


def choose(mode: str = "auto") -> str:
    """Return the display to use here: "core", "html", "text" or "off".

    Parameters
    ----------
    mode : str
        What the caller asks for; "auto" leaves it to ``set_default``, then to ``DOCURIFT_NB_DISPLAY``, then
        to what is there.

    Raises
    ------
    ConfigError
        When ``mode`` or the variable names no display.
    """
    for wish, source in (
        (mode, "display"),
        (_wanted.get("default", "auto"), "display"),
        (os.environ.get(VARIABLE, "").strip().lower() or "auto", VARIABLE),
    ):
        if _checked(wish, source) != "auto":
            return _possible(wish)
    return _possible("core")


def has_kernel() -> bool:
    """Tell whether this process is a Jupyter kernel."""
    # A kernel has imported IPython long ago; importing it here would only cost others time.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def _possible(wish: str) -> str:
    if wish in {"text", "off"}:
        return wish
    if not has_kernel():
        return "text"
    if wish == "core" and importlib.util.find_spec("ipywidgets") is None:
        return "html"
    return wish


def _checked(mode: str, source: str) -> str:
    if mode not in MODES:
        raise ConfigError(
            what=f"{source} cannot be used",
            expected=" or ".join(map(repr, MODES)),
            got=repr(mode),
            advice=did_you_mean(mode, MODES).rstrip("?"),
        )
    return mode
