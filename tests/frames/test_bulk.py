"""Reading in bulk is reading one by one: whatever the records are, the tables are the same."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.frames import read_raw, read_records
from docurift_nb.frames.bulk import raw_blocks
from docurift_nb.models import decode_records
from tests.builders import (
    CATALOGUE,
    as_answer,
    as_bytes,
    broken_records,
    json_values,
    make_error,
    make_job_record,
    make_result,
    typed_records,
)

Raw: TypeAlias = bytes | str | Mapping[str, Any]
PIECES = [b'"', b"\\", b"{", b"[", b",", b"1e999", b"NaN", b"null", b"\xed\xa0\x80"]
SOUND = [
    make_job_record(),
    make_job_record("failed"),
    make_job_record("pending"),
    make_job_record("processing", updatedAt="2024-01-27T12:30:15.250+02:00"),
    make_job_record("failed", error=make_error()),
    make_job_record(
        result=make_result({"items": [{"sku": "A", "qty": 2}, 3, None], "paid": True, "n": 10**30})
    ),
]


def assert_same(records: list[Raw]) -> None:
    """Compare all that can be read from records, both ways."""
    bulk, single = read_raw(records), read_records(decode_records(records), compact=True)
    assert bulk.jobs.to_pylist() == single.jobs.to_pylist()
    assert bulk.problems.to_pylist() == single.problems.to_pylist()
    assert bulk.fields().to_pylist() == single.fields().to_pylist()
    assert (bulk.jobs.schema, [*bulk.sources]) == (single.jobs.schema, [*single.sources])


def _body(data: object, *, bare: bool) -> bytes:
    return as_bytes(data) if bare else as_answer(data)


@st.composite
def damaged_lines(draw: st.DrawFn) -> bytes:
    """Draw sound lines with a piece cut out, put in or written over."""
    line = _body(draw(st.sampled_from(SOUND)), bare=draw(st.booleans()))
    at = draw(st.integers(0, len(line)))
    piece = draw(st.binary(max_size=3) | st.sampled_from(PIECES))
    return line[:at] + piece + line[at + draw(st.integers(0, 4)) :]


records = st.sampled_from(SOUND) | typed_records() | broken_records()
named = st.builds(lambda record, n: record | {"id": f"job_{n}"}, records, st.integers(0, 9))
lines: st.SearchStrategy[Raw] = (
    st.builds(_body, named, bare=st.booleans())
    | st.builds(_body, records, bare=st.booleans())
    | st.sampled_from([case.body for case in CATALOGUE.values()])
    | damaged_lines()
    | st.binary(max_size=9)
    | json_values.map(as_bytes)
)
forms = lines | named | named.map(lambda record: as_answer(record).decode()) | st.text(max_size=9)


@given(st.lists(forms, max_size=9))
def test_any_records_read_as_one_by_one(records: list[Raw]) -> None:
    """Sound, odd, broken and damaged records, of both shapes and all types, give the same tables."""
    assert_same(records)


@pytest.mark.parametrize("name", CATALOGUE)
def test_awkward_records_read_as_one_by_one(name: str) -> None:
    """Each awkward record, alone and between sound ones of either shape, gives the same tables."""
    body = CATALOGUE[name].body
    neighbours = [as_answer(make_job_record(id="a")), as_bytes(make_job_record(id="b"))]
    assert_same([body])
    assert_same([neighbours[0], body, neighbours[1]])


def test_order_holds_over_many_blocks() -> None:
    """Twenty thousand records, odd ones among them, keep their order, their index and their duplicates."""
    odd = [case.body for case in CATALOGUE.values() if len(case.body) < 5000]
    records: list[Raw] = [as_answer(make_job_record(id=f"job_{number % 18_000}")) for number in range(20_000)]
    for number in range(0, 20_000, 97):
        records[number] = odd[number % len(odd)]
    assert_same(records)


@pytest.mark.parametrize("n", [0, 1, 1023, 1024, 1025, 8191, 8192, 8193])
def test_no_record_is_lost_at_an_edge(n: int) -> None:
    """Around the sizes of a chunk and of a block every record is there, once."""
    body = as_answer(make_job_record(id="job_@"))
    blocks = [*raw_blocks(body.replace(b"@", b"%d" % number) for number in range(n))]
    assert [position for block in blocks for position in block.positions] == [*range(n)]
    assert [job_id for block in blocks for job_id in block.rows["job_id"].to_pylist()] == [
        f"job_{k}" for k in range(n)
    ]


def test_records_are_read_lazily() -> None:
    """An iterator is asked for a block at a time, so that a large file is never held twice."""
    numbers = iter(range(100_000))
    body = as_answer(make_job_record())
    next(raw_blocks(body for _ in numbers))
    assert next(numbers) < 20_000
