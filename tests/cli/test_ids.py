import io
import sys
from pathlib import Path

import pytest

from docurift_nb.cli.ids import read_ids
from docurift_nb.errors import ConfigError

SAME = {
    "a list": b"job_1\njob_2\n",
    "no last line end": b"job_1\njob_2",
    "blank lines, comments and blanks around": b"# mine\n\n  job_1\t\n   # more\njob_2\n\n",
    "Windows": b"\xef\xbb\xbfjob_1\r\njob_2\r\n",
    "UTF-16": "job_1\r\njob_2\r\n".encode("utf-16"),
    "twice": b"job_1\njob_2\njob_1\n",
    "CSV": b"status,job_id\ncompleted,job_1\nfailed,job_2\n",
    "CSV of one column": b"job_id\njob_1\njob_2\n",
    "CSV with marks": b'\xef\xbb\xbf"job_id";"name"\n"job_1";"x;y"\n\n"job_2";\n"";"none"\n',
    "tabs": b"n\t job_id\n1\tjob_1\n2\tjob_2\n3\n",
}


@pytest.mark.parametrize("content", SAME.values(), ids=SAME.keys())
def test_ids_are_read_as_people_keep_them(tmp_path: Path, content: bytes) -> None:
    """The same two ids come out of every usual form."""
    path = tmp_path / "ids"
    path.write_bytes(content)
    assert read_ids(str(path)) == ["job_1", "job_2"]


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids can be piped in."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"job_1\njob_2\n")))
    assert read_ids("-") == ["job_1", "job_2"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "got none"),
        (b"# only\n\n", "got none"),
        (b"job_id\n", "got none"),
        (b"id,status\njob_1,completed\n", "name the column with the ids job_id"),
        (b"\xff\x00binary", "cannot be read"),
    ],
)
def test_a_file_without_ids_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """The error says what was expected and what stands there."""
    path = tmp_path / "ids"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        read_ids(str(path))


@pytest.mark.parametrize("name", ["missing", "", "bad\0name"])
def test_a_file_that_cannot_be_opened_is_a_config_error(tmp_path: Path, name: str) -> None:
    """No OSError or ValueError reaches the user."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_ids(str(tmp_path / name))
