from datetime import timedelta

import pytest

from docurift_nb.displays.picture import age_in_words, picture_of, quoted
from docurift_nb.watcher import Phase, Receipt
from tests.displays.snapshots import CATALOGUE, HOSTILE, NOON, make_final, make_snapshot


def _notes(name: str) -> str:
    return " ".join(f"{note.text} {note.quote} {note.advice}" for note in picture_of(CATALOGUE[name]).notes)


def test_progress_names_its_denominator() -> None:
    """Jobs ended are given out of all, with the share rounded down."""
    assert picture_of(make_snapshot()).progress == "120 of 200 jobs ended (60 %)"


def test_all_but_one_is_not_a_hundred_percent() -> None:
    """A share just below one is not rounded up."""
    assert picture_of(CATALOGUE["large"]).progress == "999,999 of 1,000,000 jobs ended (99 %)"


def test_documented_states_are_always_listed() -> None:
    """The four states keep their places from the first look to the last, so that nothing jumps."""
    words = [[c.word for c in picture_of(shot).counts][:4] for shot in CATALOGUE.values()]
    assert set(map(tuple, words)) == {("pending", "processing", "completed", "failed")}


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_counts_lose_no_job(name: str) -> None:
    """Whatever states there are, the shown counts add up to those of the snapshot."""
    shot = CATALOGUE[name]
    assert sum(count.n for count in picture_of(shot).counts) == sum(shot.counts.values())


def test_unknown_status_is_shown_as_a_quoted_word() -> None:
    """A status word of the future is neither dropped nor mistaken for one of ours."""
    assert [c.word for c in picture_of(CATALOGUE["unknown word"]).counts][-1] == "“archived”"


def test_many_unknown_states_are_summed_up() -> None:
    """Two hundred different words take a dozen places and one line for the rest."""
    last = picture_of(CATALOGUE["many words"]).counts[-1]
    assert (last.n, last.word) == (188, "in 188 other states")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("throttled", "asking again in 12 s"),
        ("throttled", "14 jobs throttled"),
        ("offline", "80 jobs unreachable"),
        ("offline", "jobs are not affected"),
        ("stale", "3 jobs stale"),
        ("stale", "1 job denied"),
        ("paused", "watch.resume()"),
        ("denied", "did not accept the API key"),
        ("denied", "renew_key"),
        ("blocked", "the disk is full"),
        ("timed out", "80 jobs still open"),
        ("broken down", "RuntimeError: bug"),
        ("lost ones", "30 jobs"),
        ("lost ones", "15 jobs"),
        ("hostile", "15 more notices"),
    ],
)
def test_what_hinders_is_said(name: str, said: str) -> None:
    """Each way of not seeing, and each way of standing still, is named, with what to do."""
    assert said in _notes(name)


def test_a_good_run_has_no_notes() -> None:
    """Nothing is said where nothing is wrong."""
    assert not picture_of(make_snapshot()).notes
    assert not picture_of(make_final()).notes


def test_not_seen_is_never_failed() -> None:
    """Throttled and unreachable jobs leave the counts by state as they are."""
    assert picture_of(CATALOGUE["offline"]).counts == picture_of(CATALOGUE["running"]).counts


def test_ages_count_from_the_moment_of_the_snapshot() -> None:
    """Ages need no clock: they are part of the snapshot."""
    assert picture_of(make_snapshot()).ages == "Newest answer 2 s ago, oldest open 9 s ago"


def test_the_next_look_is_announced_when_it_is_not_due_yet() -> None:
    """A watch that waits says until when, so that nobody takes it for stuck."""
    shot = make_snapshot(receipt=Receipt(next_look_s=7.9))
    assert picture_of(shot).ages.endswith("next look in 8 s")


def test_a_watch_that_is_over_gives_times_instead_of_ages() -> None:
    """What is saved in a notebook stays true when it is read a year later."""
    assert picture_of(make_final()).ages == "Newest answer 2026-01-05 11:59:57 UTC"
    assert picture_of(make_final(newest_at=None)).ages == "No answer came"


def test_no_answer_yet_is_said() -> None:
    """Before the first answer there is no age."""
    assert picture_of(CATALOGUE["nothing seen"]).ages == "No answer yet"


def test_only_ages_move_by_themselves() -> None:
    """Two pictures of a quiet watch differ in nothing lasting."""
    one, other = picture_of(CATALOGUE["running"]), picture_of(CATALOGUE["a second later"])
    assert one != other
    assert one.lasting == other.lasting


@pytest.mark.parametrize("phase", list(Phase))
def test_each_phase_has_a_sign_and_words(phase: Phase) -> None:
    """No phase is told by colour alone."""
    picture = picture_of(make_snapshot(phase=phase))
    assert picture.glyph
    assert picture.phase


def test_text_from_outside_is_short_and_inert() -> None:
    """A megabyte with control and bidirectional characters becomes one short printable line."""
    shown = quoted(HOSTILE * 9000)
    assert len(shown) <= 301
    assert shown.isprintable()


def test_ages_are_rounded_down() -> None:
    """Each unit starts when it is full."""
    ages = [0.99, 1, 60, 119, 3600, 48 * 3600, -5]
    assert [age_in_words(s) for s in ages] == [
        "just now",
        "1 s ago",
        "1 min ago",
        "1 min ago",
        "1 h ago",
        "2 days ago",
        "just now",
    ]


def test_a_clock_set_back_gives_no_negative_age() -> None:
    """An answer from the future is called new."""
    shot = make_snapshot(newest_at=NOON + timedelta(hours=1), oldest_at=None)
    assert picture_of(shot).ages == "Newest answer just now"
