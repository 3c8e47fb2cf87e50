"""Snapshots as escaped HTML and as text: pure functions, the same for every display.

The HTML must survive where scripts, style blocks and ARIA are taken away (untrusted notebooks, code hosts,
mail): semantic tags with inline styles, colours that inherit from the page. No Jupyter, no clock.
"""

import html

from docurift_nb.displays.picture import Count, Note, Picture, Tone, jobs, moment, picture_of
from docurift_nb.watcher import Snapshot

# Okabe and Ito's colours, the light ones darkened until each has 3:1 on white and on near-black.
COLOURS = {
    Tone.QUIET: "#7a7a7a",
    Tone.BUSY: "#1f7fc1",
    Tone.GOOD: "#00936b",
    Tone.WARN: "#b37400",
    Tone.BAD: "#d55e00",
}
BAR_HEIGHT = "10px"
BAR_MARGIN = "6px 0 10px 0"
WIDTH = "640px"
INDENT = "6px"

_CARD = (
    f"max-width:{WIDTH};box-sizing:border-box;line-height:1.45;font-size:13px;text-align:left;"
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-variant-numeric:tabular-nums;"
    "overflow-wrap:anywhere"
)
_LIST = "list-style:none;display:flex;flex-wrap:wrap;gap:2px 20px;margin:6px 0;padding:0"
_ITEM = "margin:0;padding:0;white-space:normal"
_NONE = _ITEM + ";opacity:0.65"
_SMALL = "font-size:12px;opacity:0.8"
_NOTE = "margin:6px 0;padding:2px 0 2px 10px;border-left:3px solid"


def card(snapshot: Snapshot) -> str:
    """Return the whole display as HTML, the bar included; at most 20 kB whatever the snapshot holds.

    It may be saved and read much later, so it says as of when.
    """
    picture = picture_of(snapshot)
    as_of = "" if snapshot.is_over else f", as of {moment(snapshot.taken_at)}"
    return _wrapped(_bar(snapshot, picture) + _inner(picture, as_of), indent=INDENT)


def card_text(snapshot: Snapshot) -> str:
    """Return the HTML of all but the bar, for displays that have a bar of their own."""
    return _wrapped(_inner(picture_of(snapshot)))


def placeholder(snapshot: Snapshot) -> str:
    """Return the HTML to be seen where a live display was saved and can no longer be drawn.

    It states nothing that could have become false, and is the same at each run.
    """
    text = (
        f"A live display of {jobs(snapshot.total)} stood here; it was not running any more when this was"
        " opened. Run the cell again to see how far they are."
    )
    return _wrapped(f"<div>{text}</div>", indent=INDENT)


def caption(snapshot: Snapshot) -> str:
    """Return one line for ``text/plain`` that is the same at each run: no clock, no address.

    While jobs are open the numbers depend on the moment, so only the final ones are given.
    """
    total = jobs(snapshot.total)
    if not snapshot.is_over:
        return f"Watch of {total}"
    return f"Watch of {total}, {snapshot.phase}: {_listed(picture_of(snapshot)) or 'none'}"


def log_line(snapshot: Snapshot) -> str:
    """Return one line for a log: phase, jobs ended, counts, and whatever hinders."""
    picture = picture_of(snapshot)
    parts = [f"{picture.phase}: {picture.progress}", _listed(picture)]
    parts += [note_line(note) for note in picture.notes]
    return "; ".join(part.removesuffix(".") for part in parts if part)


def note_line(note: Note) -> str:
    """Return a note as one line of text."""
    return " ".join(part for part in (note.text, note.quote, note.advice) if part)


def _listed(picture: Picture) -> str:
    return ", ".join(f"{count.n:,} {count.word}" for count in picture.counts if count.n)


def _wrapped(inner: str, *, indent: str = "0") -> str:
    # MathJax, of whatever version, must stay away: a dollar sign in an error message is no formula.
    style = f"{_CARD};padding-left:{indent}"
    return f'<div class="docurift-nb mathjax_ignore tex2jax_ignore" style="{style}">{inner}</div>'


def _bar(snapshot: Snapshot, picture: Picture) -> str:
    style = f"display:block;width:100%;height:{BAR_HEIGHT};margin:{BAR_MARGIN};accent-color:"
    label = html.escape(picture.progress)
    return (
        f'<progress max="{max(1, snapshot.total)}" value="{snapshot.n_ended}" aria-label="{label}"'
        f' style="{style}{COLOURS[picture.tone]}"></progress>'
    )


def _inner(picture: Picture, as_of: str = "") -> str:
    head = f"{_glyph(picture.glyph, picture.tone)} <b>{picture.phase}</b>: {html.escape(picture.progress)}"
    items = " ".join(
        f'<li style="{_ITEM if count.n else _NONE}">{_count(count)}</li>' for count in picture.counts
    )
    return (
        f'<div style="font-size:14px">{head}</div>'
        f'<ul style="{_LIST}">{items}</ul>'
        + "".join(map(_note, picture.notes))
        + f'<div style="{_SMALL}">{html.escape(picture.ages + as_of)}</div>'
        f'<div style="{_SMALL}">{html.escape(picture.receipt)}</div>'
    )


def _count(count: Count) -> str:
    word = html.escape(count.word)
    return f"{_glyph(count.glyph, count.tone)} {count.n:,} <bdi>{word}</bdi>"


def _glyph(glyph: str, tone: Tone) -> str:
    style = f"color:{COLOURS[tone]};display:inline-block;min-width:1.1em;text-align:center"
    return f'<span style="{style}">{glyph}</span>'


def _note(note: Note) -> str:
    parts = [html.escape(note.text)]
    if note.quote:
        parts.append(f"<bdi>{html.escape(note.quote)}</bdi>")
    if note.advice:
        parts.append(f"<em>{html.escape(note.advice)}</em>")
    return f'<div style="{_NOTE} {COLOURS[note.tone]}">{" ".join(parts)}</div>'
