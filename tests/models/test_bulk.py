"""Columns of plain records: what is read is exact, what is odd is left alone."""

import pytest
from hypothesis import given

from docurift_nb.models import decode_record
from docurift_nb.models.bulk import PlainColumns, decode_columns
from tests.builders import (
    DOCUMENTED,
    Record,
    as_answer,
    as_bytes,
    make_error,
    make_job_record,
    make_result,
    typed_records,
)


def _row(columns: PlainColumns) -> dict[str, object]:
    return {name: values[0] for name, values in columns._asdict().items()}


@pytest.mark.parametrize("status", DOCUMENTED)
def test_documented_records_are_plain(status: str) -> None:
    """Each documented shape, in its envelope or without, is read as columns."""
    columns = decode_columns([DOCUMENTED[status], as_bytes(make_job_record(status))], first=7)
    assert (columns.row, columns.status) == ((7, 8), (status, status))


@pytest.mark.parametrize(
    "record",
    [
        make_job_record("archived"),
        make_job_record(id=None),
        make_job_record(progress="100"),
        make_job_record(data={}),
        make_job_record(result=[]),
        make_job_record(createdAt=5),
        make_job_record(result=make_result({"a": {"value": 1, "confidence": 2}})),
        make_job_record(result=make_result({"a": [[1]]})),
        make_job_record("failed", error=make_error(details=[])),
    ],
)
def test_odd_records_are_left_out(record: Record) -> None:
    """What might read otherwise key by key has no row, and costs its neighbours none."""
    columns = decode_columns([as_answer(make_job_record()), as_bytes(record), as_bytes(make_job_record())])
    assert columns.row == (0, 2)


@pytest.mark.parametrize("key", ["id", "status"])
def test_an_envelope_that_might_be_a_record_is_left_out(key: str) -> None:
    """An id or a status beside the data makes it unclear which of the two is the record."""
    assert decode_columns([as_bytes({"success": True, "data": make_job_record(), key: "x"})]).row == ()


def test_nothing_has_no_rows() -> None:
    """No records, or none that is plain, give empty columns."""
    assert decode_columns([]) == decode_columns([b"", b"{}", b"\xff"]) == PlainColumns()


@given(record=typed_records())
def test_columns_are_the_attributes_of_the_job(record: Record) -> None:
    """Where a record is plain, its columns are what decoding it gives."""
    job = decode_record(as_bytes(record))
    columns = decode_columns([as_bytes(record)])
    if columns.row:
        row = _row(columns)
        names = ("job_id", "status", "progress", "document_type", "document_id", "confidence")
        assert [row[name] for name in names] == [getattr(job, name) for name in names]
        assert row["n_fields"] == (None if job.extracted_fields is None else len(job.extracted_fields))
        assert columns.failure == [job.failure]
