"""A faithful DocuRift on localhost, for trying, teaching and testing without an account.

It is written from the API's documentation alone and imports nothing else of this package, so that a
misreading in the client cannot be cancelled out by the same misreading here. `Sandbox` and `serve`
need the extra ``sandbox`` and are loaded on first use; the rest needs the standard library only.
"""

import importlib
from typing import TYPE_CHECKING

from docurift_nb.sandbox.clock import Clock
from docurift_nb.sandbox.faults import Fault, FaultKind, Faults, FaultSwitch
from docurift_nb.sandbox.requestlog import RequestLog, Requests
from docurift_nb.sandbox.scenarios import Confidence, Document, Failure, Scenario

if TYPE_CHECKING:
    from docurift_nb.sandbox.foreground import serve
    from docurift_nb.sandbox.local import Sandbox

__all__ = [
    "Clock",
    "Confidence",
    "Document",
    "Failure",
    "Fault",
    "FaultKind",
    "FaultSwitch",
    "Faults",
    "RequestLog",
    "Requests",
    "Sandbox",
    "Scenario",
    "serve",
]

_LAZY = {"Sandbox": "docurift_nb.sandbox.local", "serve": "docurift_nb.sandbox.foreground"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
