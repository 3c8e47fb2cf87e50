"""Errors are facts: one tree, sentences that say what to try, safe text, and whole after pickling."""

import copy
import pickle
import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb import errors
from docurift_nb.errors import (
    ApiError,
    ArchiveError,
    ConfigError,
    DocuriftError,
    JobFailedError,
    MissingExtraError,
    NoAnswerError,
    WaitTimeoutError,
    WatchStoppedError,
    did_you_mean,
    shorten,
    show,
)

CLASSES = sorted(
    (c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, DocuriftError)),
    key=lambda c: c.__name__,
)
HOSTILE = "\x1b[2J\r\n\u202e\u2066\u200b\ud800<script>" + "x" * 10_000

every_class = pytest.mark.parametrize("kind", CLASSES, ids=[c.__name__ for c in CLASSES])


def facts_of(kind: type[DocuriftError], text: str) -> dict[str, Any]:
    """Return a value for every fact of a class: ``text`` for a text, else something unlike the default."""
    values: dict[Any, Any] = {int: 7, float: 1.5, float | None: 2.5, bool | None: True}
    return {field.name: values.get(field.type, text) for field in fields(kind)}


def drawn_tree() -> dict[str, tuple[str, str]]:
    """Read the tree in the module's docstring: name -> (parent, built-in it resembles)."""
    stack, tree = [("DocuriftError", 4)], {}
    for line in (errors.__doc__ or "").splitlines():
        drawn = re.match(r"([ │]*[├└]── )(\w+)(?: \((\w+)\))?", line)
        if drawn:
            stack = [(name, depth) for name, depth in stack if depth < len(drawn[1])]
            tree[drawn[2]] = (stack[-1][0], drawn[3] or "")
            stack.append((drawn[2], len(drawn[1])))
    return tree


def test_drawn_tree_is_the_tree() -> None:
    """The tree in the docstring names exactly the classes, their parents and the built-ins they resemble."""
    actual = {
        c.__name__: (c.__bases__[0].__name__, c.__bases__[1].__name__ if len(c.__bases__) > 1 else "")
        for c in CLASSES
        if c is not DocuriftError
    }
    assert drawn_tree() == actual


@every_class
def test_is_a_docurift_error_with_a_default_sentence(kind: type[DocuriftError]) -> None:
    """Every error can be caught at the root and says something even without a fact."""
    error = kind()
    assert isinstance(error, DocuriftError)
    assert len(str(error)) > 10
    assert str(error).endswith((".", "]"))


@every_class
def test_sentence_has_what_expected_got_and_advice(kind: type[DocuriftError]) -> None:
    """What failed, on which job, expected, got, what to try: each given fact is in the sentence, in order."""
    error = kind(what="WHAT", job_id="JOB", expected="EXPECTED", got="GOT", advice="ADVICE")
    assert re.fullmatch(r"WHAT \(job 'JOB'\); expected EXPECTED; got GOT\. To try: ADVICE\.", str(error))


@every_class
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_whole(kind: type[DocuriftError], protocol: int) -> None:
    """An error from another process has the same facts, notes, sentence and type."""
    error = kind(**facts_of(kind, "text"))
    error.add_note("while reading")
    back = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301  # our own bytes
    assert type(back) is kind
    assert vars(back) == vars(error)
    assert (str(back), repr(back)) == (str(error), repr(error))


@every_class
def test_copies_whole(kind: type[DocuriftError]) -> None:
    """copy.copy and copy.deepcopy keep every fact and note."""
    error = kind(**facts_of(kind, "text"))
    error.add_note("note")
    for twin in (copy.copy(error), copy.deepcopy(error)):
        assert twin is not error
        assert vars(twin) == vars(error)


@every_class
def test_without_facts_pickles_to_the_same_sentence(kind: type[DocuriftError]) -> None:
    """Composed texts are not composed a second time on the way back."""
    assert str(pickle.loads(pickle.dumps(kind()))) == str(kind())  # noqa: S301  # our own bytes


@every_class
def test_hostile_text_is_shortened_and_visible(kind: type[DocuriftError]) -> None:
    """Whatever the facts hold, sentence and repr are printable, bounded and can be encoded."""
    error = kind(**facts_of(kind, HOSTILE))
    for text in (str(error), repr(error)):
        assert text.isprintable()
        assert len(text) < 4000
        assert text.encode()


@every_class
def test_single_hostile_fact_is_made_harmless(kind: type[DocuriftError]) -> None:
    """The same holds when one text alone is hostile and the rest is composed from it."""
    for field in fields(kind):
        if field.type in (str, str | None):
            error = kind(**{field.name: HOSTILE})
            assert str(error).isprintable()
            assert len(str(error)) < 4000


@every_class
def test_can_be_raised_chained_and_noted(kind: type[DocuriftError]) -> None:
    """An error keeps its cause and its notes as any exception does."""
    cause = RuntimeError("first")
    with pytest.raises(kind) as caught:
        raise kind(job_id="j") from cause
    caught.value.add_note("cell 3")
    assert caught.value.__cause__ is cause
    assert caught.value.__notes__ == ["cell 3"]


@every_class
def test_resembled_builtin_catches_it(kind: type[DocuriftError]) -> None:
    """Code that knows only the built-in of the tree catches the error too."""
    _, builtin = drawn_tree().get(kind.__name__, ("", ""))
    known = {c.__name__: c for c in Exception.__subclasses__() + OSError.__subclasses__()}
    assert not builtin or isinstance(kind(), known[builtin])


def test_errors_are_compared_by_identity() -> None:
    """Two errors with equal facts are two events, and both can be kept in a set."""
    assert len({ConfigError(what="x"), ConfigError(what="x")}) == 2


@pytest.mark.parametrize(
    ("error", "got"),
    [
        (ApiError(status=429), "HTTP 429"),
        (ApiError(status=404, code="JOB_NOT_FOUND"), "HTTP 404 (JOB_NOT_FOUND)"),
        (ApiError(status=404, message="no such job"), "HTTP 404 (no such job)"),
        (ApiError(status=404, code="C", message="m"), "HTTP 404 (C, m)"),
        (ApiError(status=404, got="something better"), "something better"),
        (JobFailedError(code="OCR_FAILED"), "OCR_FAILED"),
        (JobFailedError(code="OCR_FAILED", step="ocr", message="no text"), "OCR_FAILED at step ocr: no text"),
        (JobFailedError(message="no text"), "no error code: no text"),
        (WaitTimeoutError(waited_s=61.26), "1 job open after 61.3 s"),
        (WaitTimeoutError(waited_s=5, n_open=1200), "1,200 jobs open after 5.0 s"),
        (WatchStoppedError(n_open=1), "1 job unfinished"),
        (WatchStoppedError(n_open=3), "3 jobs unfinished"),
        (NoAnswerError(cause="connection refused"), "connection refused"),
    ],
)
def test_what_came_is_composed_from_the_facts(error: DocuriftError, got: str) -> None:
    """Numbers, codes and messages make up what came, unless the caller has said it better."""
    assert error.got == got
    assert f"got {got}" in str(error)


def test_missing_extra_names_the_command() -> None:
    """A missing part says how to install it, and where given, what it was needed for."""
    assert 'pip install "docurift-nb[sandbox]"' in str(MissingExtraError(extra="sandbox"))
    assert "'sandbox' is not installed" in str(MissingExtraError(extra="sandbox"))
    assert str(MissingExtraError(what="no server", extra="sandbox")).startswith("no server. To try: pip")


def test_archive_error_names_its_file() -> None:
    """Which file cannot be used stands in the sentence."""
    assert "(file 'jobs.docurift')" in str(ArchiveError(path="jobs.docurift"))


def test_no_answer_names_the_host() -> None:
    """Who was asked stands in the sentence."""
    assert "expected an answer from api.docurift.com" in str(NoAnswerError(host="api.docurift.com"))


@pytest.mark.parametrize(
    ("retryable", "advice"),
    [(True, "submit the document again"), (False, "look at the document"), (None, "look at the document")],
)
def test_failed_job_advises_by_retryable(*, retryable: bool | None, advice: str) -> None:
    """Submitting again is advised only where the service calls the error retryable."""
    assert advice in str(JobFailedError(code="X", retryable=retryable))


def test_sentence_ends_in_one_full_stop() -> None:
    """A message that brings its own full stop does not end in two."""
    assert ".." not in str(JobFailedError(code="X", message="Too low quality."))


@given(text=st.text(), limit=st.integers(0, 50))
def test_shorten_bounds_and_shows(text: str, limit: int) -> None:
    """The result is printable, at most ten times the limit, and unchanged where nothing was wrong."""
    short = shorten(text, limit)
    assert short.isprintable()
    assert len(short) <= 10 * limit + 1
    if text.isprintable() and len(text) <= limit:
        assert short == text


@pytest.mark.parametrize(
    "character",
    [
        "\x00",
        "\x1b",
        "\n",
        "\x7f",
        "\x85",
        "\u00ad",
        "\u200b",
        "\u200e",
        "\u202e",
        "\u2028",
        "\u2066",
        "\ufeff",
        "\ud800",
        "\U000e0041",
    ],
    ids=ascii,
)
def test_shorten_shows_what_cannot_be_seen(character: str) -> None:
    """Control, bidirectional, zero-width, tag and surrogate characters come out as their escapes."""
    shown = shorten(f"a{character}b")
    assert character not in shown
    assert re.fullmatch(r"a\\(x..|n|u....|U........)b", shown)


def test_show_quotes_or_names_the_type() -> None:
    """A value too deep or too long for its repr is named by its type instead of raising."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert show("45") == "'45'"
    assert show(10**5000) == "<int>"
    assert show(deep) == "<list>"
    assert len(show("x" * 10_000)) == 81


def test_did_you_mean_names_the_nearest_or_nothing() -> None:
    """A near miss gets a hint, anything else none, also with a hostile text."""
    assert did_you_mean("fleat", ["fleet", "card"]) == "did you mean 'fleet'?"
    assert did_you_mean(HOSTILE, ["fleet"]) == ""
    assert did_you_mean("x", []) == ""
