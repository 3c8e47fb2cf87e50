from datetime import UTC, datetime
from itertools import product

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.frames.arrays import joined, plain_times

_PARTS = (
    ["1000", "2023", "2024", "2999", "0000", "3000", "١٩٩٩"],
    ["-01-01", "-01-31", "-02-28", "-02-29", "-04-31", "-12-31", "-13-01", "-00-10", "-10-00", "0101"],
    ["T00:00:00", "T23:59:59", "T24:00:00", "T00:60:00", "T00:00:60", " 00:00:00", "T00:00"],
    ["", ".1", ".123", ".123456", ".1234567", ".", ",123"],
    ["Z", "z", "", "+00:00", "-00:00", "+02:30", "-23:59", "+24:00", "+14:60", "+0200", "+02"],
)
TEXTS = ["".join(parts) for parts in product(*_PARTS)]


def _wrong(texts: list[str]) -> list[str]:
    stamps, plain = plain_times(pa.array(texts, pa.string()))
    return [
        text
        for text, stamp, is_plain in zip(texts, stamps.to_pylist(), plain, strict=True)
        if is_plain and msgspec.convert(text, datetime).astimezone(UTC) != stamp
    ]


@pytest.mark.parametrize("alone", [True, False], ids=["one by one", "together"])
def test_plain_times_are_what_the_decoder_reads(*, alone: bool) -> None:
    """Around each bound of a date, a time and a zone, what is called plain is what the decoder reads."""
    columns = [[text] for text in TEXTS if len(text) == 24] if alone else [TEXTS]
    assert [wrong for texts in columns for wrong in _wrong(texts)] == []


@given(st.lists(st.datetimes() | st.none(), max_size=5), st.sampled_from(["milliseconds", "microseconds"]))
def test_times_of_one_form_are_plain(times: list[datetime | None], digits: str) -> None:
    """Any moment of these centuries is read, and missing ones stay missing."""
    kept = [time and time.replace(year=1000 + time.year % 2000, day=min(time.day, 28)) for time in times]
    written = [time and time.isoformat(timespec=digits) + "Z" for time in kept]
    stamps, plain = plain_times(pa.array(written, pa.string()))
    assert stamps.to_pylist() == [text and datetime.fromisoformat(text) for text in written]
    assert plain.all()


@pytest.mark.parametrize("texts", [[], [None], ["yesterday", None], ["2024-01-27T10:30:00Z\n"], ["é" * 12]])
def test_times_that_are_not_plain_are_missing(texts: list[str | None]) -> None:
    """What is no time in a usual form is null and told apart from a time that is missing."""
    stamps, plain = plain_times(pa.array(texts, pa.string()))
    assert stamps.null_count == len(texts)
    assert plain.tolist() == [text is None for text in texts]


def test_two_texts_of_other_lengths_are_not_read_as_two_times() -> None:
    """Texts are judged one by one, not as one run of characters."""
    stamps, plain = plain_times(pa.array(["2024-01-27T10:30:00.123", "Z2024-01-27T10:30:00.123Z"]))
    assert (stamps.null_count, plain.tolist()) == (2, [False, False])


def test_a_slice_is_read_from_its_own_start() -> None:
    """A column that starts inside a larger one gives its own times."""
    texts = pa.array(["2024-01-27T10:30:00.000Z", "x", "2024-01-28T10:30:00.000Z"])
    assert plain_times(texts.slice(2))[0].to_pylist() == [datetime(2024, 1, 28, 10, 30, tzinfo=UTC)]


def test_joined_keeps_the_order() -> None:
    """Batches come out as one, in order."""
    batches = [pa.RecordBatch.from_pydict({"a": values}) for values in ([1, 2], [3])]
    assert joined(batches).to_pydict() == {"a": [1, 2, 3]}
