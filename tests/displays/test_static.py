from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.displays import static
from docurift_nb.displays.picture import Tone
from tests.displays.snapshots import CATALOGUE, make_final, make_snapshot

TAGS = {"div", "progress", "ul", "li", "span", "b", "bdi", "em"}
ATTRIBUTES = {"style", "class", "max", "value", "aria-label"}


class _Reader(HTMLParser):
    """Notes tags, attributes and text; fails on tags that are not closed in order."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, str | None] = {}
        self.text = ""
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= dict(attrs)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_html_holds_our_tags_only(name: str) -> None:
    """Whatever the snapshot holds, the HTML is well formed and has no tag or attribute but ours."""
    for markup in (static.card(CATALOGUE[name]), static.placeholder(CATALOGUE[name])):
        read = _Reader(markup)
        assert read.tags <= TAGS
        assert set(read.attributes) <= ATTRIBUTES


@given(st.text(), st.text(min_size=1), st.text())
def test_no_text_from_outside_becomes_markup(trouble: str, status: str, notice: str) -> None:
    """No trouble, status word or notice can add a tag or an attribute."""
    shot = make_snapshot(phase="denied", trouble=trouble, counts={status: 1}, notices=(notice,))
    read = _Reader(static.card(shot))
    assert read.tags <= TAGS
    assert set(read.attributes) <= ATTRIBUTES


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_html_stays_small(name: str) -> None:
    """Nothing makes the settled form larger than 20 kB."""
    assert len(static.card(CATALOGUE[name]).encode()) <= 20_000


def test_mathjax_is_kept_away() -> None:
    """The classes that MathJax skips, old and new, are on the outermost element."""
    assert static.card(CATALOGUE["hostile"]).startswith(
        '<div class="docurift-nb mathjax_ignore tex2jax_ignore"'
    )


def test_html_says_as_of_when_it_was_drawn() -> None:
    """A card that is saved in mid-run carries its date."""
    assert "as of 2026-01-05 12:00:00 UTC" in _Reader(static.card(make_snapshot())).text


def test_the_bar_has_a_value_and_words() -> None:
    """The bar is a native one, whose value is read out in words."""
    bar = _Reader(static.card(make_snapshot())).attributes
    assert (bar["max"], bar["value"], bar["aria-label"]) == ("200", "120", "120 of 200 jobs ended (60 %)")


def test_counts_are_words_and_numbers() -> None:
    """Without any style, as on code hosts, the text still reads."""
    text = _Reader(static.card(make_final())).text
    assert "✓ 188 completed ✗ 12 failed" in text


@pytest.mark.parametrize("tone", list(Tone))
@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_colours_are_visible_on_light_and_dark(tone: Tone, page: str) -> None:
    """Each colour has the contrast of 3:1 that graphics need, on white and on JupyterLab's dark."""
    low, high = sorted((_luminance(static.COLOURS[tone]), _luminance(page)))
    assert (high + 0.05) / (low + 0.05) >= 3


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_caption_of_an_open_watch_tells_no_moment() -> None:
    """While jobs are open, text/plain is the same at each run."""
    assert static.caption(make_snapshot()) == "Watch of 200 jobs"


def test_the_caption_of_the_end_tells_the_outcome() -> None:
    """At the end, text/plain gives the counts and no time."""
    assert static.caption(make_final()) == "Watch of 200 jobs, finished: 188 completed, 12 failed"


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_lines_are_single_and_printable(name: str) -> None:
    """Lines for logs and text/plain hold no control character, whatever the API says."""
    assert static.log_line(CATALOGUE[name]).isprintable()
    assert static.caption(CATALOGUE[name]).isprintable()


def test_a_log_line_says_what_hinders() -> None:
    """One line holds phase, progress, counts and hindrances."""
    line = static.log_line(CATALOGUE["throttled"])
    assert line.startswith("Throttled: 120 of 200 jobs ended (60 %); 12 pending, 68 processing")
    assert "asking again in 12 s" in line
