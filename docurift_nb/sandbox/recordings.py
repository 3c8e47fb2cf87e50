"""Recorded final answers: read from NDJSON, kept exactly as they were.

It reads values and times; when a job starts and who may see it is not its business.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docurift_nb.sandbox.wire import data_body, dumps, time_value

Source = str | Path | Iterable[str | bytes | Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded answer.

    Parameters
    ----------
    data
        The job object as recorded.
    body
        The whole answer to serve: the recorded text itself where there was one with an envelope.
    created_s
        Recorded ``createdAt`` in seconds since 1970; None where the record has no readable one.
    duration_s
        Recorded seconds from ``createdAt`` to the end; 0 where the record does not tell.
    """

    data: Mapping[str, Any]
    body: bytes
    created_s: float | None
    duration_s: float

    @property
    def job_id(self) -> str:
        """The recorded id."""
        return str(self.data["id"])

    @property
    def is_final(self) -> bool:
        """Whether the record says that the job ended."""
        return self.data.get("status") in ("completed", "failed")


def read(source: Source) -> Iterator[Recording]:
    """Read recordings from a file of NDJSON, or from lines or objects, with or without envelope.

    Blank lines are skipped. A record needs nothing but an id: those that break the contract in other
    ways are served as they are, so that clients can be tried on them.

    Raises
    ------
    ValueError
        If a line is not JSON or has no job id; names the line, counted from 1.
    """
    if isinstance(source, str | Path):
        with Path(source).open("rb") as lines:
            yield from _read_lines(lines)
    else:
        yield from _read_lines(source)


def _read_lines(lines: Iterable[str | bytes | Mapping[str, Any]]) -> Iterator[Recording]:
    for number, line in enumerate(lines, 1):
        if isinstance(line, Mapping):
            yield _recording(line, None, number)
        elif line.strip():
            text = line.encode() if isinstance(line, str) else line
            yield _recording(_parsed(text, number), text.strip(), number)


def _parsed(text: bytes, number: int) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(
            f"cannot replay line {number}: expected one JSON object per line, got {text[:60]!r} ({error})"
        ) from error


def _recording(record: object, text: bytes | None, number: int) -> Recording:
    data = _job_object(record)
    if data is None:
        raise ValueError(
            f'cannot replay record {number}: expected a job with an "id", got {str(record)[:80]!r}; '
            "give final answers of GET /v1/jobs/:id, one a line"
        )
    # Text is served byte for byte: encoding the parsed values again could round numbers.
    bare = dumps(dict(data)) if text is None else text
    body = text if text is not None and data is not record else data_body(bare)
    created_s = time_value(data.get("createdAt"))
    return Recording(data, body, created_s, _duration(data, created_s))


def _job_object(record: object) -> Mapping[str, Any] | None:
    if not isinstance(record, Mapping):
        return None
    data = record["data"] if isinstance(record.get("data"), Mapping) else record
    return data if isinstance(data.get("id"), str) else None


def _duration(data: Mapping[str, Any], created_s: float | None) -> float:
    ends = (time_value(data.get(name)) for name in ("completedAt", "failedAt", "updatedAt"))
    ended_s = next((end for end in ends if end is not None), None)
    return 0.0 if created_s is None or ended_s is None else max(ended_s - created_s, 0.0)
