"""Watch, keep and tabulate thousands of DocuRift extraction jobs from a notebook.

>>> import docurift_nb as dn
>>> client = dn.Client("frc_example")
>>> client
<Client https://api.docurift.com/v1>

Importing this package is cheap: pandas, scipy, matplotlib, the widget stack and the sandbox's server load
when they are first used.
"""

import importlib
import logging
from typing import TYPE_CHECKING, Any

from docurift_nb import errors
from docurift_nb.client import Client
from docurift_nb.errors import DocuriftError, MissingExtraError
from docurift_nb.models import Job, Observation
from docurift_nb.schedule import Adaptive, Backoff, Schedule
from docurift_nb.session import Watch, watch

if TYPE_CHECKING:
    from docurift_nb import plots, tables
    from docurift_nb.results import Results
    from docurift_nb.sandbox import Sandbox

__version__ = "0.1.0"

__all__ = [
    "Adaptive",
    "Backoff",
    "Client",
    "DocuriftError",
    "Job",
    "Observation",
    "Results",
    "Sandbox",
    "Schedule",
    "Watch",
    "errors",
    "plots",
    "tables",
    "watch",
]

# A library's background thread must not print: without a handler, warnings would go to stderr.
logging.getLogger("docurift_nb").addHandler(logging.NullHandler())

_LAZY = {"Results": "results", "Sandbox": "sandbox", "plots": "plots", "tables": "tables"}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # a module or a class
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"{__name__}.{_LAZY[name]}")
        return module if name in {"plots", "tables"} else getattr(module, name)
    except ImportError as error:
        if name == "Sandbox":
            raise MissingExtraError(extra="sandbox", what=f"the sandbox needs {error.name}") from error
        raise


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
