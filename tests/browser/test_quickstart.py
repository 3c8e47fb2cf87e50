"""What a person sees who runs the quickstart in JupyterLab."""

import itertools
import json
import shutil

import pytest

from tests.browser.lab import ROOT, Desk, Lab, read_outputs

pytestmark = pytest.mark.browser

NAME = "01_quickstart.ipynb"
DONE = "all 200 jobs ended"
VIEW = "application/vnd.jupyter.widget-view+json"


def _cells(source: str) -> list[int]:
    """Return the indices of the code cells, the last of them the one that holds ``source``."""
    cells = json.loads((ROOT / "notebooks" / NAME).read_text())["cells"]
    code = [at for at, cell in enumerate(cells) if cell["cell_type"] == "code"]
    last = next(at for at in code if source in "".join(cells[at]["source"]))
    return [at for at in code if at <= last]


def test_the_bar_moves_to_the_end_and_settles(desk: Desk, lab: Lab) -> None:
    """The watch cell shows a live bar that ends at all jobs, and the saved output is plain HTML."""
    path = lab.files / NAME
    shutil.copy(ROOT / "notebooks" / NAME, path)
    desk.open(NAME)
    *before, watch = _cells("dn.watch(")
    desk.run(*before, watch)
    seen = desk.watch_output(watch, DONE)
    shares = [float(width.removesuffix("%")) for width, _ in seen if width]
    assert len(set(shares)) >= 5
    assert all(a <= b for a, b in itertools.pairwise(shares))
    assert any("ago" in text for _, text in seen)
    rest = [at for at in _cells("sandbox.close()") if at > watch]
    desk.run(*rest)
    desk.page.wait_for_function("() => !document.querySelector('.progress-bar')")
    desk.save()
    outputs = list(read_outputs(path))
    [saved] = outputs[len(before)]
    assert VIEW not in saved
    assert DONE in saved["text/html"]
    assert len(saved["text/html"].encode()) <= 20_000
    assert saved["text/plain"].startswith("Watch of 200 jobs, finished: ")
