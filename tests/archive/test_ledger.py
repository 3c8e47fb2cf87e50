"""What the archive remembers, which answer stands, its history and its news."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docurift_nb.archive import Archive, Entry, Transition
from docurift_nb.errors import ConfigError
from docurift_nb.models import Seen
from tests.archive.records import START, answer, at, gone, only, states


def test_watched_ids_come_back_in_the_order_first_added(archive: Archive) -> None:
    """Watching again neither repeats nor reorders."""
    archive.watch(["b", "a"])
    archive.watch(["c", "a", "b"])
    assert list(archive.watched()) == ["b", "a", "c"]


def test_a_hundred_thousand_ids_are_watched_at_once(archive: Archive) -> None:
    """Bulk ids go in and come out in order, across many pages, and twice changes nothing."""
    ids = [f"job_{n}" for n in range(100_000)]
    archive.watch(ids)
    archive.watch(ids)
    assert list(archive.watched()) == ids


def test_stored_but_never_watched_jobs_are_observed_and_not_watched(archive: Archive) -> None:
    """A commit does not make a job watched; watching it later does."""
    archive.commit([answer("a", "completed")])
    assert (list(archive.watched()), states(archive)) == ([], {"a": "completed"})
    archive.watch(["a"])
    assert list(archive.watched()) == ["a"]
    assert states(archive) == {"a": "completed"}


def test_what_was_committed_is_there_after_reopening(path: Path) -> None:
    """Answer, times and watched ids outlive the object."""
    with Archive(path) as archive:
        archive.watch(["a", "b"])
        archive.commit([answer("a", "completed", 1.000001)])
    with Archive(path) as archive:
        first, second = archive.observations()
    assert (first.state, first.seen, first.ended) == ("completed", Seen.FRESH, True)
    assert first.observed_at == first.looked_at == at(1.000001)
    assert first.job is not None
    assert first.job.raw == answer("a", "completed").raw
    assert (second.state, second.observed_at, second.looked_at) == ("unseen", None, None)


def test_times_of_any_zone_come_back_as_the_same_instant_in_utc(archive: Archive) -> None:
    """A time with another offset is kept exactly, to the microsecond, also before 1970."""
    time = datetime(1969, 12, 31, 23, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    archive.commit([Entry(job_id="a", observed_at=time, seen=Seen.FRESH, raw=b"{}")])
    observed_at = only(archive).observed_at
    assert observed_at == time
    assert observed_at is not None
    assert observed_at.tzinfo is UTC


@pytest.mark.parametrize("job_id", ["a\0b", "a\0c", "ü/😀", "' OR 1=1 --", " ", "\n", "x" * 10_000])
def test_odd_ids_round_trip(archive: Archive, job_id: str) -> None:
    """Whatever UTF-8 can hold comes back as it went in and is found again."""
    archive.watch([job_id, "a\0"])
    archive.commit([answer(job_id, "completed")])
    assert list(archive.watched()) == [job_id, "a\0"]
    assert [seen.job_id for seen in archive.endings([job_id])] == [job_id]


@pytest.mark.parametrize("job_ids", [["a\ud800"], [""], [3], [None], [b"a"], "job_1"])
def test_ids_that_cannot_be_kept_are_refused_at_the_call(archive: Archive, job_ids: list[str]) -> None:
    """A lone surrogate, no text, or one text instead of several: ConfigError, nothing stored."""
    for call in (archive.watch, archive.endings, archive.observations_of):
        with pytest.raises(ConfigError):
            call(job_ids)
    assert list(archive.watched()) == []


@pytest.mark.parametrize(
    "entry",
    [
        Entry(job_id="a", observed_at=datetime(2026, 1, 1), seen=Seen.FRESH, raw=b"{}"),  # noqa: DTZ001  # the point
        Entry(job_id="a", observed_at=START, seen=Seen.FRESH),
        Entry(job_id="a", observed_at=START, seen=Seen.THROTTLED, ended=True),
        Entry(job_id="", observed_at=START, seen=Seen.NOT_FOUND, ended=True),
    ],
    ids=["no zone", "no answer", "no ending", "no id"],
)
def test_entries_that_contradict_themselves_are_refused(archive: Archive, entry: Entry) -> None:
    """A bad entry is refused with its whole batch, before anything is written."""
    with pytest.raises(ConfigError):
        archive.commit([answer("b", "completed"), entry])
    assert list(archive.observations()) == []


def test_the_first_final_answer_wins_for_ever(archive: Archive) -> None:
    """Neither another final answer nor an open, lost or expired one moves it."""
    archive.commit([answer("a", "completed", 5, note="first")])
    archive.commit([answer("a", "failed", 4), answer("a", "completed", 9, note="second")])
    archive.commit([answer("a", "processing", 10), gone("a", Seen.EXPIRED, 11)])
    seen = only(archive)
    assert (seen.state, seen.seen, seen.ended, seen.observed_at) == ("completed", Seen.FRESH, True, at(5))
    assert seen.job is not None
    assert seen.job.document_id == "first"


def test_expired_keeps_the_answer_and_ends_the_job(archive: Archive) -> None:
    """The last answer stays readable with its own time; only the observation is marked."""
    archive.commit([answer("a", "processing", 1)])
    archive.commit([gone("a", Seen.EXPIRED, 2)])
    seen = only(archive)
    assert (seen.state, seen.seen, seen.ended) == ("expired", Seen.EXPIRED, True)
    assert (seen.observed_at, seen.looked_at) == (at(1), at(2))
    assert seen.job is not None
    assert seen.job.status == "processing"


@pytest.mark.parametrize("seen", [Seen.NOT_FOUND, Seen.DENIED, Seen.EXPIRED])
@pytest.mark.parametrize("second", [0, 1, 2])
def test_a_true_final_answer_replaces_an_ending_without_one(
    archive: Archive, seen: Seen, second: int
) -> None:
    """Not found, denied or expired give way to a final answer, whichever was observed first."""
    archive.commit([gone("a", seen, 1)])
    assert only(archive).state == seen
    archive.commit([answer("a", "failed", second)])
    assert (only(archive).state, only(archive).seen) == ("failed", Seen.FRESH)


def test_a_newer_open_answer_reopens_a_job_not_found(archive: Archive) -> None:
    """A job that answers again exists, so it is open; an older answer does not reopen it."""
    archive.commit([gone("a", Seen.NOT_FOUND, 5)])
    archive.commit([answer("a", "pending", 4)])
    assert (only(archive).ended, only(archive).looked_at) == (True, at(5))
    archive.commit([answer("a", "processing", 6)])
    assert (only(archive).state, only(archive).ended) == ("processing", False)
    assert list(archive.endings(["a"])) == []


def test_of_two_open_answers_the_newer_observed_stands(archive: Archive) -> None:
    """A second process that commits an older look late does not turn time back."""
    archive.commit([answer("a", "processing", 2)])
    archive.commit([answer("a", "pending", 1)])
    assert (only(archive).state, only(archive).observed_at) == ("processing", at(2))


ENTRIES = st.one_of(
    st.builds(
        answer,
        st.sampled_from("ab"),
        st.sampled_from(["pending", "processing", "completed", "failed", "a new word"]),
        st.integers(0, 4),
    ),
    st.builds(
        gone,
        st.sampled_from("ab"),
        st.sampled_from([Seen.NOT_FOUND, Seen.EXPIRED, Seen.DENIED]),
        st.integers(0, 4),
    ),
    st.builds(
        lambda job_id, second: Entry(job_id=job_id, observed_at=at(second), seen=Seen.THROTTLED),
        st.sampled_from("ab"),
        st.integers(0, 4),
    ),
)


def plainly(entries: Sequence[Entry]) -> tuple[bytes | None, Seen, bool, datetime | None]:
    """Say what one job's entries, in the order of commits, should leave: raw, seen, ended, observed_at."""
    answers = [entry for entry in entries if entry.raw]
    finals = [entry for entry in answers if entry.ended]
    if finals:
        return finals[0].raw, Seen.FRESH, True, finals[0].observed_at
    # max() keeps the first of equals, so the later commit wins when they are reversed.
    newest = max(reversed(answers), key=lambda e: e.observed_at, default=None)
    telling = [entry for entry in entries if entry.raw or entry.ended]
    last = max(reversed(telling), key=lambda e: e.observed_at, default=None)
    kept = (None, None) if newest is None else (newest.raw, newest.observed_at)
    if last is None:
        return None, Seen.UNSEEN, False, None
    return kept[0], last.seen, last.ended, kept[1]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(ENTRIES, max_size=5), max_size=6))
def test_any_commits_leave_what_a_plain_reading_of_them_says(batches: list[list[Entry]]) -> None:
    """However entries are cut into batches and ordered, the latest state and the history follow the rules."""
    told: dict[str, dict[Entry, None]] = {}
    with Archive() as archive:
        for batch in batches:
            archive.commit(batch)
            for entry in batch:
                told.setdefault(entry.job_id, {})[entry] = None
        found = {
            seen.job_id: (seen.job and seen.job.raw, seen.seen, seen.ended, seen.observed_at)
            for seen in archive.observations()
        }
        assert found == {job_id: plainly(list(entries)) for job_id, entries in told.items()}
        ended = {seen.job_id for seen in archive.endings(["a", "b"])}
        assert ended == {job_id for job_id, state in found.items() if state[2]}
        assert {seen.job_id for seen in archive.news(0)[1]} == ended
        assert len(list(archive.transitions())) == sum(map(len, told.values()))


def test_transitions_of_one_job_come_in_the_order_of_their_times(archive: Archive) -> None:
    """Late commits are sorted in; other jobs stay out; words, progress and endings are kept."""
    archive.commit([answer("a", "completed", 3), answer("b", "pending", 1)])
    archive.commit([Entry(job_id="a", observed_at=at(2), seen=Seen.FRESH, raw=b"{}", progress=45.5)])
    assert list(archive.transitions("a")) == [
        Transition(job_id="a", observed_at=at(2), seen=Seen.FRESH, progress=45.5),
        Transition(job_id="a", observed_at=at(3), seen=Seen.FRESH, status="completed", ended=True),
    ]
    assert [change.job_id for change in archive.transitions()] == ["a", "b", "a"]
    assert list(archive.transitions("unknown")) == []


def test_committing_the_same_batch_again_changes_nothing(archive: Archive) -> None:
    """A batch repeated within itself, at once, or after later ones leaves one transition per entry."""
    batch = [answer("a", "pending", 1), answer("a", "processing", 2), gone("b", Seen.DENIED, 1)]
    archive.commit([*batch, *batch])
    archive.commit([answer("a", "completed", 3)])
    before = list(archive.observations()), list(archive.transitions()), archive.sequence()
    archive.commit(batch)
    assert (list(archive.observations()), list(archive.transitions()), archive.sequence()) == before


def test_history_pages_without_gaps(archive: Archive) -> None:
    """Several thousand jobs and transitions stream completely, each once."""
    ids = [f"job_{n}" for n in range(1_501)]
    for status in ("pending", "completed"):
        archive.commit([answer(job_id, status, status == "completed") for job_id in ids])
    assert [seen.job_id for seen in archive.observations()] == ids
    assert len(set(archive.transitions())) == 2 * len(ids)
    assert sorted(seen.job_id for seen in archive.endings(reversed(ids))) == sorted(ids)


def test_text_that_no_file_can_hold_is_softened_and_not_fatal(archive: Archive) -> None:
    """A status with a lone surrogate, or a progress that is no number, does not block a batch."""
    entry = Entry(
        job_id="a", observed_at=START, seen=Seen.FRESH, raw=b"\xff", status="x\udfff", progress=float("nan")
    )
    archive.commit([entry])
    (change,) = archive.transitions()
    assert (change.status, change.progress) == ("x?", None)


def test_news_are_the_endings_of_any_connection_since_a_number(path: Path, archive: Archive) -> None:
    """Both connections hear of both endings, once, and of nothing that is still open."""
    with Archive(path) as other:
        since = other.sequence()
        archive.commit([answer("a", "completed"), answer("b", "pending")])
        other.commit([answer("c", "failed")])
        since, endings = other.news(since)
        assert [(seen.job_id, seen.state) for seen in endings] == [("a", "completed"), ("c", "failed")]
        assert other.news(since) == (since, [])
        archive.commit([answer("b", "completed", 1)])
        assert [seen.job_id for seen in other.news(since)[1]] == ["b"]


def test_news_tell_again_when_a_true_answer_replaces_an_ending(archive: Archive) -> None:
    """Who took a job for lost hears of its answer."""
    archive.commit([gone("a", Seen.NOT_FOUND)])
    since, lost = archive.news(0)
    archive.commit([answer("a", "completed", 1)])
    assert [seen.state for seen in lost + archive.news(since)[1]] == ["not_found", "completed"]


def test_threads_share_one_archive(archive: Archive) -> None:
    """Commits and readings from several threads at once all succeed and all count."""
    failures: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for n in range(50):
                archive.commit([answer(f"{name}/{n}", "completed")])
                assert archive.news(0)[1]
        except BaseException as error:  # noqa: BLE001  # handed to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(states(archive)) == 200
