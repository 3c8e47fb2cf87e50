"""What the package itself offers."""

import subprocess
import sys

import pytest

import docurift_nb.sandbox as package


def test_all_names_are_there() -> None:
    """Everything announced can be had, and nothing else is made up."""
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Sandpit'"):
        _ = package.Sandpit


def test_the_light_part_needs_no_server() -> None:
    """Scenarios and faults load without starlette and uvicorn."""
    code = (
        "import sys; from docurift_nb.sandbox import Fault, Scenario; Scenario(); Fault('hang');"
        "print(sorted({'starlette', 'uvicorn', 'httptools'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 -- our own code
    assert shown.stdout.strip() == "[]"
