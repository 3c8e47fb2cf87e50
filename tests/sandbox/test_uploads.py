"""Handing documents in."""

from typing import Any

import pytest
import requests

from docurift_nb.sandbox import Sandbox
from docurift_nb.sandbox.uploads import MAX_FILE_BYTES
from tests.sandbox.conftest import Ask

UPLOAD = "/documents/process/async"
PDF = ("a.pdf", b"%PDF-1.7", "application/pdf")


def hand_in(ask: Ask, file: tuple[Any, ...] = PDF, **fields: str) -> requests.Response:
    """Upload one file."""
    return ask(UPLOAD, "POST", files={"file": file}, data=fields)


def test_an_upload_becomes_a_job(sandbox: Sandbox, ask: Ask) -> None:
    """The answer is 202 with the job's id, which can be asked for until it ends."""
    answer = hand_in(ask, documentType="invoice")
    data = answer.json()["data"]
    assert (answer.status_code, data["status"], data["jobId"]) == (202, "pending", data["id"])
    assert ask(f"/jobs/{data['id']}").json()["data"]["status"] == "processing"
    sandbox.clock.advance(3600)
    assert ask(f"/jobs/{data['id']}").json()["data"] == sandbox.truth(data["id"])


def test_the_type_is_generic_unless_told(ask: Ask) -> None:
    """Without documentType the documented default applies."""
    assert hand_in(ask).json()["data"]["documentType"] == "generic"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.PDF", "application/pdf"),
        ("a.jpg", "image/jpeg"),
        ("a.jpeg", "image/jpeg"),
        ("a.png", "application/octet-stream"),
        ("a.webp", ""),
        ("ü.tiff", "image/tiff"),
    ],
)
def test_documented_file_types_are_accepted(ask: Ask, name: str, media_type: str) -> None:
    """Six formats are taken by extension, with their own media type or an unspecific one."""
    assert hand_in(ask, (name, b"x", media_type)).status_code == 202


@pytest.mark.parametrize(
    ("name", "media_type"), [("a.docx", ""), ("a", "application/pdf"), ("a.pdf", "text/html")]
)
def test_other_file_types_are_refused(ask: Ask, name: str, media_type: str) -> None:
    """Other extensions, and media types that contradict theirs, are INVALID_FILE_TYPE."""
    answer = hand_in(ask, (name, b"x", media_type))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_FILE_TYPE")


def test_fifty_megabytes_are_the_limit(ask: Ask) -> None:
    """Exactly 50 MB pass and one byte more is FILE_TOO_LARGE."""
    content = b"x" * (MAX_FILE_BYTES + 1)
    assert hand_in(ask, ("a.pdf", content[:-1])).status_code == 202
    answer = hand_in(ask, ("a.pdf", content))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "FILE_TOO_LARGE")


def test_an_absurd_length_is_refused_unread(sandbox: Sandbox, ask: Ask) -> None:
    """A body that announces gigabytes is refused by its announcement."""
    headers = {"X-API-Key": sandbox.api_key, "Content-Length": str(10**10)}
    assert ask(UPLOAD, "POST", headers=headers).status_code == 413


@pytest.mark.parametrize("fields", [{"documentType": "novel"}, {"priority": "urgent"}])
def test_bad_fields_are_refused_by_name(ask: Ask, fields: dict[str, str]) -> None:
    """A field outside the documentation is a 400 that names it."""
    answer = hand_in(ask, PDF, **fields)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] in fields


def test_a_form_without_a_file_is_refused(ask: Ask) -> None:
    """The file is required and must be a file."""
    answer = ask(UPLOAD, "POST", files={"documentType": (None, "invoice")})
    assert answer.json()["error"]["details"]["field"] == "file"


def test_what_is_no_form_is_refused(sandbox: Sandbox, ask: Ask) -> None:
    """Another content type and a broken form are both a 400."""
    assert ask(UPLOAD, "POST", json={}).status_code == 400
    headers = {"X-API-Key": sandbox.api_key, "Content-Type": "multipart/form-data"}
    assert ask(UPLOAD, "POST", headers=headers, data=b"x").status_code == 400
