"""Jobs frames for the tests of tables: written by hand, or drawn."""

import pandas as pd
from hypothesis import strategies as st

from docurift_nb.frames import JOBS_SCHEMA, jobs_frame, to_frame
from docurift_nb.models import Observation, Seen, decode_records
from tests.builders import OMIT, Record, make_error, make_job_record, make_result

START = pd.Timestamp("2024-01-27T10:00:00Z")
NO_JOBS = to_frame(JOBS_SCHEMA.empty_table())


def at(seconds: float) -> str:
    """Return the wire time that lies ``seconds`` after ``START``."""
    return (START + pd.Timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def completed(
    number: int, score: float | None = 0.9, seconds: float | None = 10.0, kind: str | None = "invoice"
) -> Record:
    """Return a completed record that was created at ``START`` and took ``seconds``."""
    return make_job_record(
        id=f"job_{number:03}",
        documentType=kind,
        result=make_result(confidence=score),
        createdAt=at(0),
        updatedAt=at(seconds or 0),
        completedAt=OMIT if seconds is None else at(seconds),
    )


def failed(
    number: int,
    code: str | None = "OCR_FAILED",
    *,
    seconds: float = 10.0,
    retryable: bool | None = None,
    kind: str | None = "invoice",
) -> Record:
    """Return a failed record that was created at ``START`` and took ``seconds``."""
    details = {"step": "text_extraction", "retryable": retryable}
    return make_job_record(
        "failed",
        id=f"job_{number:03}",
        documentType=kind,
        error=make_error(code, f"message {number}", details),
        createdAt=at(0),
        updatedAt=at(seconds),
        failedAt=at(seconds),
    )


def pending(number: int, *, seconds: float = 0.0, kind: str | None = "invoice") -> Record:
    """Return a record that was created at ``START``, last updated ``seconds`` later, and is open."""
    return make_job_record(
        "processing", id=f"job_{number:03}", documentType=kind, createdAt=at(0), updatedAt=at(seconds)
    )


def frame(*records: Record) -> pd.DataFrame:
    """Return the jobs frame of wire records."""
    return jobs_frame(decode_records(records))


def with_lost(jobs: pd.DataFrame) -> pd.DataFrame:
    """Add a job that was looked for and not found."""
    lost = jobs_frame([Observation(job_id="job_lost", seen=Seen.NOT_FOUND, ended=True)])
    return pd.concat([jobs, lost], ignore_index=True)


_kinds = st.sampled_from(["invoice", "receipt", None])
_seconds = st.sampled_from([-1.0, 0.0, 1.0, 2.5, 2.5, 10.0, 60.0])
_scores = st.sampled_from([None, -0.1, 0.0, 0.5, 0.8, 0.9, 0.9, 0.95, 1.0, 97.0]) | st.floats(0, 1)
_codes = st.sampled_from(["OCR_FAILED", "TIMEOUT", "=1+1", None])


@st.composite
def jobs_frames(draw: st.DrawFn) -> pd.DataFrame:
    """Draw frames of completed, failed, open and lost jobs, with ties and missing values."""
    n = draw(st.integers(0, 12))
    jobs = frame(*(draw(_record(number)) for number in range(n)))
    return with_lost(jobs) if draw(st.booleans()) else jobs


def _record(number: int) -> st.SearchStrategy[Record]:
    known, said = st.just(number), st.sampled_from([True, False, None])
    return (
        st.builds(completed, known, _scores, _seconds, _kinds)
        | st.builds(failed, known, _codes, seconds=_seconds, retryable=said, kind=_kinds)
        | st.builds(pending, known, seconds=_seconds, kind=_kinds)
    )
