"""``POST /v1/documents/process/async``: reading the upload and writing its answer.

The documentation gives the form fields and limits; the answer's shape is the sandbox's choice, and
offers the job id as both ``jobId`` and ``id``. Webhooks are accepted and never called.
"""

from dataclasses import dataclass
from pathlib import PurePath

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from docurift_nb.sandbox.documents import DOCUMENT_TYPES
from docurift_nb.sandbox.jobs import Job
from docurift_nb.sandbox.wire import Answer, Refusal, data_body, dumps, time_text

MAX_FILE_BYTES = 50 * 2**20
_MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
_UNSPECIFIC = ("", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Upload:
    """A document that was handed in."""

    content: bytes
    document_type: str


async def read_upload(request: Request) -> Upload:
    """Read and check the multipart form.

    Raises
    ------
    Refusal
        400 for a missing file, a wrong type of file or of document; 413 for more than 50 MB.
    """
    _refuse_beyond_reason(request)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise _bad("Content-Type", "expected multipart/form-data")
    try:
        async with request.form(max_files=4) as form:
            return await _checked(form)
    except MultiPartException as error:
        raise _bad("body", f"the form cannot be read: {error.message}") from error


def accepted(job: Job) -> Answer:
    """Write the answer to an accepted upload."""
    created = time_text(job.arrival_s)
    data = {
        "jobId": job.id,
        "id": job.id,
        "status": "pending",
        "progress": 0,
        "documentType": job.document_type,
        "createdAt": created,
        "updatedAt": created,
    }
    return Answer(202, data_body(dumps(data)))


def _refuse_beyond_reason(request: Request) -> None:
    length = request.headers.get("content-length", "0")
    # Up to this the form is read to its end, since a client in mid-upload may miss an early answer.
    if length.isdigit() and int(length) > 4 * MAX_FILE_BYTES:
        raise _too_large()


async def _checked(form: FormData) -> Upload:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise _bad("file", "a file is required")
    if (file.size or 0) > MAX_FILE_BYTES:
        raise _too_large()
    _check_media_type(file)
    if form.get("priority", "normal") not in ("normal", "high"):
        raise _bad("priority", "expected normal or high")
    document_type = form.get("documentType", "generic")
    if not isinstance(document_type, str) or document_type not in DOCUMENT_TYPES:
        raise _bad("documentType", f"expected one of {', '.join(sorted(DOCUMENT_TYPES))}")
    return Upload(await file.read(), document_type)


def _check_media_type(file: UploadFile) -> None:
    expected = _MEDIA_TYPES.get(PurePath(file.filename or "").suffix.lower())
    given = (file.content_type or "").partition(";")[0].strip().lower()
    if expected is None or given not in (expected, *_UNSPECIFIC):
        message = "Unsupported file type. Supported: PDF, PNG, JPG, JPEG, WEBP, TIFF"
        raise Refusal(400, "INVALID_FILE_TYPE", message, details={"field": "file"})


def _too_large() -> Refusal:
    return Refusal(413, "FILE_TOO_LARGE", "File exceeds the maximum size of 50 MB")


def _bad(name: str, problem: str) -> Refusal:
    return Refusal(400, "INVALID_REQUEST", f"Invalid '{name}': {problem}", details={"field": name})
