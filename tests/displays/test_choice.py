import importlib.util
import sys
import types
from collections.abc import Iterator

import pytest

from docurift_nb.displays import choice
from docurift_nb.displays.choice import choose, set_default
from docurift_nb.errors import ConfigError


@pytest.fixture(autouse=True)
def _no_default() -> Iterator[None]:
    """Take a default back that a test has set."""
    yield
    set_default("auto")


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process look like a kernel."""
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))


@pytest.mark.usefixtures("kernel")
def test_a_kernel_with_ipywidgets_gets_widgets() -> None:
    """The usual notebook shows widgets."""
    assert choose() == "core"


@pytest.mark.usefixtures("kernel")
def test_a_kernel_without_ipywidgets_gets_html(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the widget stack is missing, plain HTML is replaced."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert choose() == choose("core") == "html"


@pytest.mark.parametrize("mode", ["auto", "core", "html", "text"])
def test_without_a_kernel_there_is_text(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal shows text, whatever was asked for."""
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert choose(mode) == "text"


@pytest.mark.usefixtures("kernel")
def test_the_call_goes_before_the_default_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest wish wins."""
    monkeypatch.setenv(choice.VARIABLE, "text")
    assert choose() == "text"
    set_default("off")
    assert choose() == "off"
    assert choose("html") == "html"


@pytest.mark.usefixtures("kernel")
def test_auto_takes_a_default_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting the default to auto leaves the choice to the environment again."""
    monkeypatch.setenv(choice.VARIABLE, "HTML ")
    set_default("off")
    set_default("auto")
    assert choose() == "html"


def test_a_wrong_wish_names_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error is reported with what was meant, and where it stands."""
    with pytest.raises(ConfigError, match=r"display cannot be used.*'html'"):
        choose("htlm")
    monkeypatch.setenv(choice.VARIABLE, "widget")
    with pytest.raises(ConfigError, match=choice.VARIABLE):
        choose()
