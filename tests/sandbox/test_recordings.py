"""Reading recorded answers."""

import json
from pathlib import Path

import pytest

from docurift_nb.sandbox.recordings import read
from tests.sandbox import contract


@pytest.mark.parametrize("answer", [contract.COMPLETED, contract.FAILED])
@pytest.mark.parametrize("enveloped", [True, False])
@pytest.mark.parametrize("as_text", [True, False])
def test_every_form_of_a_record_gives_the_same_job(
    *, answer: dict[str, dict[str, object]], enveloped: bool, as_text: bool
) -> None:
    """Text or object, with or without envelope: the data and the served answer are the recorded ones."""
    record = answer if enveloped else answer["data"]
    [recording] = read([json.dumps(record) if as_text else record])
    assert recording.data == answer["data"]
    assert json.loads(recording.body) == answer
    assert recording.is_final


def test_duration_is_from_creation_to_the_end() -> None:
    """The recorded duration is the end minus createdAt, for completed and failed jobs."""
    completed, failed = read([contract.COMPLETED, contract.FAILED])
    assert (completed.duration_s, failed.duration_s) == (45, 20)


def test_recorded_text_is_served_byte_for_byte() -> None:
    """Numbers and escapes keep the very spelling of the recording."""
    line = '{"success": true, "data": {"id": "j", "n": 1250.00, "big": 1e400, "t": "\\u00e9"}}'
    [recording] = read([line])
    assert recording.body == line.encode()
    [bare] = read(['{"id": "j", "n": 1250.00}'])
    assert bare.body == b'{"success":true,"data":{"id": "j", "n": 1250.00}}'


def test_a_file_is_read_by_path(tmp_path: Path) -> None:
    """A path, as text or Path, is read line by line; blank lines do not count."""
    path = tmp_path / "jobs.ndjson"
    path.write_text(f"{json.dumps(contract.COMPLETED)}\n\n{json.dumps(contract.PENDING)}\n")
    assert [one.is_final for one in read(path)] == [True, False]
    assert [one.job_id for one in read(str(path))] == [contract.JOB_ID] * 2


def test_records_without_times_last_no_time() -> None:
    """A record that breaks the contract is kept, and its job ends at once."""
    recordings = list(read([{"id": "a"}, {"id": "b", "createdAt": "soon"}, {"id": "c", "createdAt": 5}]))
    assert [one.duration_s for one in recordings] == [0, 0, 0]


@pytest.mark.parametrize("line", ["{", "[1]", "17", '{"data": {"status": "completed"}}', '{"id": 5}'])
def test_what_is_no_job_is_refused(line: str) -> None:
    """A line without a job is an error that names the line."""
    with pytest.raises(ValueError, match=r"cannot replay (line|record) 2"):
        list(read(['{"id": "fine"}', line]))
