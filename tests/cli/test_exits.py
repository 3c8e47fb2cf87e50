import pytest

from docurift_nb import errors
from docurift_nb.cli.exits import MEANINGS, Exit, exit_for_counts, exit_for_error
from docurift_nb.errors import DocuriftError

EXPECTED = {
    "ConfigError": 2,
    "MissingExtraError": 2,
    "AuthError": 3,
    "ForbiddenError": 3,
    "CreditsError": 3,
    "JobNotFoundError": 1,
    "JobFailedError": 1,
    "ApiError": 1,
    "RateLimitError": 4,
    "ServerError": 4,
    "NoAnswerError": 4,
    "AnswerTimeoutError": 4,
    "UnreadableAnswerError": 4,
    "WaitTimeoutError": 4,
    "WatchStoppedError": 4,
    "ArchiveError": 5,
    "NotAnArchiveError": 5,
    "ArchiveVersionError": 5,
    "ArchiveWriteError": 5,
    "DocuriftError": 1,
}


def test_each_code_has_a_meaning() -> None:
    """The help and the README can tell of every code there is."""
    assert set(MEANINGS) == set(Exit)


def test_every_error_has_its_code() -> None:
    """No error that the package raises is left to chance."""
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DocuriftError)
    ]
    assert {kind.__name__: exit_for_error(kind()) for kind in kinds} == EXPECTED


@pytest.mark.parametrize("word", ["failed", "not_found", "expired", "denied"])
def test_one_job_that_did_not_complete_is_told(word: str) -> None:
    """A single lost job among many shows in the code."""
    assert exit_for_counts({"completed": 999, word: 1}) == Exit.INCOMPLETE


def test_all_completed_is_success() -> None:
    """States without a job do not count."""
    assert exit_for_counts({"completed": 3, "failed": 0}) == Exit.OK
