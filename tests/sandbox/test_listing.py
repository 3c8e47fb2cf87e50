"""Parameters and answers of the job list."""

import pytest

from docurift_nb.sandbox import Sandbox
from docurift_nb.sandbox.listing import read_query
from docurift_nb.sandbox.service import Query
from docurift_nb.sandbox.wire import Refusal
from tests.sandbox import contract
from tests.sandbox.conftest import Ask


def test_no_parameters_mean_the_documented_defaults() -> None:
    """First page, twenty jobs, newest first."""
    assert read_query(b"") == Query(page=1, limit=20, sort_by="createdAt", descending=True)


def test_all_parameters_are_read() -> None:
    """Every documented parameter has its effect; a bare end date includes its day."""
    query = read_query(
        b"page=3&limit=100&status=failed&documentType=bill_of_lading&sortBy=updatedAt&sortOrder=asc"
        b"&startDate=1970-01-02T00%3A00%3A00Z&endDate=1970-01-02&other=ignored"
    )
    assert query == Query(
        page=3,
        limit=100,
        status="failed",
        document_type="bill_of_lading",
        start_s=86400,
        end_s=2 * 86400 - 0.001,
        sort_by="updatedAt",
        descending=False,
    )


@pytest.mark.parametrize(
    "parameter",
    [
        "page=0",
        "page=-1",
        "page=x",
        "page=",
        "page=99999999999",
        "limit=101",
        "limit=0",
        "limit=1.5",
        "status=queued",
        "sortBy=id",
        "sortOrder=up",
        "startDate=yesterday",
        "endDate=",
    ],
)
def test_bad_values_are_refused_by_name(parameter: str) -> None:
    """A value outside the documentation is a 400 that names the parameter."""
    with pytest.raises(Refusal) as caught:
        read_query(parameter.encode())
    assert caught.value.status == 400
    assert caught.value.details == {"field": parameter.partition("=")[0]}


def test_the_list_shows_jobs_as_they_are(sandbox: Sandbox, ask: Ask) -> None:
    """Each listed job is what asking for it gives, and the pagination counts all of them."""
    ids = sandbox.submit(45)
    sandbox.clock.advance(15)
    listed = ask("/jobs", params={"page": 3, "limit": 20}).json()["data"]
    assert listed["pagination"] == {"page": 3, "limit": 20, "total": 45, "totalPages": 3}
    assert {job["id"] for job in listed["jobs"]} <= set(ids)
    assert [ask(f"/jobs/{job['id']}").json()["data"] for job in listed["jobs"]] == listed["jobs"]


def test_recorded_jobs_are_listed_by_what_they_tell(sandbox: Sandbox, ask: Ask) -> None:
    """Recorded types and creation times are what the filters see, not the time of the replay."""
    sandbox.submit(3)
    sandbox.replay([contract.COMPLETED])

    def ids(**parameters: str) -> list[str]:
        return [job["id"] for job in ask("/jobs", params=parameters).json()["data"]["jobs"]]

    assert ids(endDate="2024-01-27") == [contract.JOB_ID]
    assert contract.JOB_ID in ids(documentType="invoice")
    assert ids(sortBy="updatedAt", sortOrder="asc")[0] == contract.JOB_ID


def test_an_empty_list_has_no_pages(ask: Ask) -> None:
    """Without jobs there is nothing to turn over."""
    data = ask("/jobs").json()["data"]
    assert data == {"jobs": [], "pagination": {"page": 1, "limit": 20, "total": 0, "totalPages": 0}}
