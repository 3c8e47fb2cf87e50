"""One JupyterLab and one Chromium for all browser tests, one fresh profile for each."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.lab import Desk, Lab

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Find the system's Chromium; without one tests are skipped, but fail where CI must have it."""
    given = os.environ.get("DOCURIFT_NB_CHROMIUM")
    found = given or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = f"no browser: expected DOCURIFT_NB_CHROMIUM or one of {', '.join(NAMES)} on the path"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


# Not for the session: while Playwright lives, its event loop counts as running in this thread, and tests
# elsewhere could run none of their own.
@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Start a headless Chromium that calls nobody by itself."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:  # noqa: ARG001  # or skip
    """Start a JupyterLab on this machine."""
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def desk(browser: Browser, lab: Lab) -> Iterator[Desk]:
    """Open a page in a fresh profile; at the end it must have logged no error and asked no other host."""
    context = browser.new_context(viewport={"width": 1400, "height": 1600})
    desk = Desk(context.new_page(), lab)
    yield desk
    context.close()
    assert not desk.errors
    assert not desk.outside
