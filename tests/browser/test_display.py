"""The live display where things go wrong: reloaded pages, hostile texts."""

import pytest

from tests.browser.lab import Desk, Lab, read_outputs

pytestmark = pytest.mark.browser

START = """
import docurift_nb as dn
sandbox = dn.Sandbox(seed=1, speed=1000.0).open()
sandbox.clock.hold()
ids = sandbox.submit(40)
client = dn.Client(sandbox.api_key, sandbox.url)
watch = dn.watch(ids, client=client, schedule=dn.Backoff(start=0.2, cap=0.5))
watch
"""
GO_ON = "sandbox.clock.run()"
GO_ON_ALONE = "import threading; threading.Timer(1.0, sandbox.clock.run).start()"
END = "watch.stop(); client.close(); sandbox.close()"

HOSTILE = """
from tests.displays.snapshots import CATALOGUE, FakeWatch, make_snapshot, make_final, HOSTILE
from docurift_nb.displays import show
hostile = CATALOGUE["hostile"]
final = make_final(counts={HOSTILE: 200}, notices=(HOSTILE,))
"""
LIVE = "show(FakeWatch([hostile]), 'core')"
SETTLED = "show(FakeWatch([hostile] * 4 + [final]), 'core')"
REPLACED = "show(FakeWatch([hostile]), 'html')"


def test_a_reloaded_page_shows_the_true_state(desk: Desk, lab: Lab) -> None:
    """A reload in mid-run finds the display right and alive, a return after the end finds the end."""
    path = lab.write("reload.ipynb", [START, GO_ON_ALONE, END])
    desk.open("reload.ipynb")
    desk.run(0)
    desk.wait_for_output(0, "0 of 40 jobs ended")
    desk.save()
    [saved] = next(read_outputs(path))
    assert "A live display of 40 jobs stood here" in saved["text/html"]
    assert saved["text/plain"] == "Watch of 40 jobs"
    desk.reload()
    desk.wait_for_output(0, "0 of 40 jobs ended")
    desk.wait_for_change(0, desk.output(0))
    desk.run(1)
    desk.leave()
    desk.open("reload.ipynb")
    desk.wait_for_output(0, "all 40 jobs ended")
    desk.run(2)


def test_an_interrupted_wait_leaves_the_display_alive(desk: Desk, lab: Lab) -> None:
    """Interrupting the waiting stops neither the watch nor its display."""
    lab.write("interrupt.ipynb", [START, "print('waiting', flush=True)\nwatch.wait()", GO_ON, END])
    desk.open("interrupt.ipynb")
    desk.run(0)
    desk.interrupt(1)
    desk.wait_for_output(1, "the jobs and the watch go on")
    desk.run(2)
    desk.wait_for_output(0, "all 40 jobs ended")
    desk.run(3)


def test_hostile_texts_run_nothing(desk: Desk, lab: Lab) -> None:
    """Scripts, handlers and formulas in API texts stay text: live, settled, and replaced."""
    lab.write("hostile.ipynb", [HOSTILE, LIVE, SETTLED, REPLACED])
    desk.open("hostile.ipynb")
    desk.run(0, 1, 2, 3)
    for cell, said in ((1, "Refused by DocuRift"), (2, "Finished"), (3, "Refused by DocuRift")):
        desk.wait_for_output(cell, said)
        desk.wait_for_output(cell, "<script>")
    desk.page.wait_for_function("() => !document.querySelectorAll('.progress-bar')[1]")
    desk.save()
    assert desk.page.evaluate("() => window.hacked") is None
    forbidden = ".jp-OutputArea-output :is(script, img, mjx-container, [onclick], [onerror])"
    assert not desk.page.query_selector_all(forbidden)
