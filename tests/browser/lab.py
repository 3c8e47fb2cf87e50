"""A real JupyterLab in a folder of its own, and the hand that clicks in it."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import ConsoleMessage, Page, Request

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
HERE = "127.0.0.1"


class Lab:
    """A JupyterLab server that knows nothing of the user's settings. Runs within the ``with`` block."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir(parents=True)
        self._folder = folder
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{HERE}:{self._port}"

    def __enter__(self) -> Self:
        config = self._folder / "jupyter_config_dir" / "labconfig" / "page_config.json"
        config.parent.mkdir(parents=True)
        # It would ask about news from the network, on top of everything else.
        config.write_text('{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}')
        with (self._folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter
                self._command(), env=self._environment(), cwd=self.files, stdout=log, stderr=log
            )
        self._wait_until_up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def write(self, name: str, cells: Sequence[str]) -> Path:
        """Write a notebook of code cells without outputs."""
        empty: dict[str, object] = {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
        }
        notebook = {
            "cells": [{**empty, "id": f"cell-{at}", "source": source} for at, source in enumerate(cells)],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path = self.files / name
        path.write_text(json.dumps(notebook))
        return path

    def _command(self) -> list[str]:
        settings = {
            "ServerApp.ip": HERE,
            "ServerApp.port": self._port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": self.files,
            "ServerApp.disable_check_xsrf": True,
            "IdentityProvider.token": "",
            "PasswordIdentityProvider.hashed_password": "",
            "LabApp.expose_app_in_browser": True,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *options]

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DOCURIFT_", "JUPYTER", "IPYTHON"))}
        places = (
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
            "JUPYTERLAB_WORKSPACES_DIR",
            "JUPYTERLAB_SETTINGS_DIR",
            "IPYTHONDIR",
        )
        return kept | {name: str(self._folder / name.lower()) for name in places} | {"PYTHONPATH": str(ROOT)}

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(urllib.error.URLError, ConnectionError),
                urllib.request.urlopen(f"{self.url}/api/status", timeout=5),  # noqa: S310  # loopback
            ):
                return
            threading.Event().wait(0.1)
        log = (self._folder / "server.log").read_text(errors="replace")
        raise TimeoutError(f"JupyterLab did not come up; expected {self.url} to answer, got:\n{log[-2000:]}")


class Desk:
    """One page with one notebook open in it. It remembers console errors and requests to other hosts."""

    def __init__(self, page: Page, lab: Lab) -> None:
        self.page = page
        self._lab = lab
        self.errors: list[str] = []
        self.outside: list[str] = []
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._note_request)

    def open(self, name: str) -> None:
        """Open a notebook in a fresh workspace and wait for its kernel."""
        self.page.goto(f"{self._lab.url}/lab/tree/{name}?reset")
        self._wait_for_kernel()

    def reload(self) -> None:
        """Reload the page; the kernel stays."""
        self.page.reload()
        self._wait_for_kernel()

    def leave(self) -> None:
        """Leave the notebook for an empty page; the kernel stays."""
        self.page.goto("about:blank")

    def run(self, *cells: int) -> None:
        """Run cells by index, one after the other, each until it has ended without an error."""
        for cell in cells:
            self.page.evaluate(
                """async cell => {
                    const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
                    notebook.activeCellIndex = cell;
                    await app.commands.execute('notebook:run-cell');
                    const outputs = notebook.widgets[cell].model.outputs.toJSON();
                    const error = outputs.find(output => output.output_type === 'error');
                    if (error) throw new Error(`cell ${cell}: ${error.ename}: ${error.evalue}`);
                }""",
                cell,
            )

    def interrupt(self, cell: int) -> None:
        """Start a cell that prints "waiting" and blocks, and interrupt it then."""
        self.page.evaluate(
            """async cell => {
                const app = window.jupyterapp, panel = app.shell.currentWidget;
                panel.content.activeCellIndex = cell;
                const run = app.commands.execute('notebook:run-cell');
                const kernel = panel.sessionContext.session.kernel;
                const output = panel.content.widgets[cell].node.querySelector('.jp-Cell-outputArea');
                while (!output.innerText.includes('waiting')) {
                    await new Promise(next => setTimeout(next, 50));
                }
                await kernel.interrupt();
                await run;
            }""",
            cell,
        )

    def save(self) -> None:
        """Save the notebook."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def theme(self, name: str) -> None:
        """Switch the theme, such as "JupyterLab Dark"."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name
        )
        self.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=name)

    def output(self, cell: int) -> str:
        """Return the visible text of a cell's output."""
        return str(self.page.evaluate(f"() => {_OUTPUT.format(cell)}?.innerText ?? ''"))

    def wait_for_output(self, cell: int, text: str) -> None:
        """Wait until a cell's output holds ``text``."""
        condition = f"text => {_OUTPUT.format(cell)}?.innerText.includes(text)"
        self.page.wait_for_function(condition, arg=text)

    def wait_for_change(self, cell: int, text: str) -> None:
        """Wait until a cell's output is no longer ``text``."""
        self.page.wait_for_function(f"text => {_OUTPUT.format(cell)}?.innerText !== text", arg=text)

    def watch_output(self, cell: int, until: str) -> list[tuple[str, str]]:
        """Return each new (bar width, text) of a cell's output until its text holds ``until``."""
        seen = self.page.evaluate(_RECORD % (_OUTPUT.format(cell), until))
        return [(width, text) for width, text in seen]

    def _wait_for_kernel(self) -> None:
        self.page.wait_for_function(
            """() => {
                const notebook = window.jupyterapp?.shell?.currentWidget;
                return notebook?.sessionContext?.session?.kernel?.status === 'idle';
            }"""
        )

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self._lab.url, "data:", "blob:")):
            self.outside.append(request.url)


_OUTPUT = (
    "window.jupyterapp.shell.currentWidget.content.widgets[{}].node.querySelector('.jp-Cell-outputArea')"
)
_RECORD = """() => new Promise((resolve, reject) => {
    const seen = [], started = Date.now();
    const timer = setInterval(() => {
        const output = %s, text = output?.innerText ?? '';
        const width = output?.querySelector('.progress-bar')?.style.width ?? '';
        if (!seen.length || seen.at(-1)[1] !== text) seen.push([width, text]);
        if (text.includes('%s')) { clearInterval(timer); resolve(seen); }
        if (Date.now() - started > 30000) { clearInterval(timer); reject(new Error(text)); }
    }, 50);
})"""


def read_outputs(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the saved outputs of each code cell."""
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            bundles = [output.get("data", {}) for output in cell["outputs"]]
            # On disk a text is a list of lines.
            yield [{k: "".join(v) if isinstance(v, list) else v for k, v in b.items()} for b in bundles]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])
