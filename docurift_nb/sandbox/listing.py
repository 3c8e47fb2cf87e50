"""``GET /v1/jobs``: reading its parameters and writing its answer.

The documentation shows the parameters but not the answer; its shape here is the sandbox's choice.
"""

import math
from typing import Any, cast
from urllib.parse import parse_qsl

from docurift_nb.sandbox.service import DAY_S, Page, Query
from docurift_nb.sandbox.wire import Answer, Refusal, data_body, dumps, time_value

MAX_LIMIT = 100
_WORDS = {
    "status": ("pending", "processing", "completed", "failed"),
    "sortBy": ("createdAt", "updatedAt"),
    "sortOrder": ("asc", "desc"),
}


def read_query(query_string: bytes) -> Query:
    """Read the parameters of a list request; unknown ones are ignored.

    Raises
    ------
    Refusal
        400 with ``details.field`` for a value that the documentation does not allow.
    """
    given = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
    for name, words in _WORDS.items():
        if given.get(name, words[0]) not in words:
            raise _bad(name, f"one of {', '.join(words)}", given[name])
    return Query(
        page=_whole(given, "page", 1, most=None),
        limit=_whole(given, "limit", 20, most=MAX_LIMIT),
        status=given.get("status"),
        document_type=given.get("documentType"),
        start_s=_moment(given, "startDate"),
        end_s=_moment(given, "endDate", whole_day=True),
        sort_by=cast("Any", given.get("sortBy", "createdAt")),
        descending=given.get("sortOrder", "desc") == "desc",
    )


def list_answer(page: Page, query: Query, now: float) -> Answer:
    """Write one page of jobs, each in the shape that ``GET /v1/jobs/:id`` gives it."""
    pagination = {
        "page": query.page,
        "limit": query.limit,
        "total": page.total,
        "totalPages": math.ceil(page.total / query.limit),
    }
    jobs = [job.data(now) for job in page.jobs]
    return Answer(200, data_body(dumps({"jobs": jobs, "pagination": pagination})))


def _whole(given: dict[str, str], name: str, default: int, *, most: int | None) -> int:
    text = given.get(name, str(default))
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if value < 1 or (most is not None and value > most):
        raise _bad(name, "a whole number >= 1" if most is None else f"a whole number from 1 to {most}", text)
    return value


def _moment(given: dict[str, str], name: str, *, whole_day: bool = False) -> float | None:
    if name not in given:
        return None
    text = given[name]
    value = time_value(text)
    if value is None:
        raise _bad(name, "an ISO 8601 date or time", text)
    # A bare end date means "up to the end of that day".
    return value + DAY_S - 0.001 if whole_day and len(text) <= len("2024-01-31") else value


def _bad(name: str, expected: str, got: str) -> Refusal:
    message = f"Invalid value for '{name}': expected {expected}, got '{got[:80]}'"
    return Refusal(400, "INVALID_REQUEST", message, details={"field": name})
