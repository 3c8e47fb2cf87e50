"""The record of what was asked."""

from docurift_nb.sandbox.requestlog import RequestLog


def filled() -> RequestLog:
    """Make a log of one job asked three times, the second answer being its last."""
    log = RequestLog()
    for final_of in (None, "a", "a"):
        log.asked("a")
        log.answered(200, final_of=final_of)
    log.asked()
    log.answered(404)
    log.faulted("hang")
    return log


def test_requests_after_the_end_are_counted() -> None:
    """Only requests that follow the delivered final answer count as asked after the end."""
    seen = filled().snapshot()
    assert seen.after_end == {"a": 1}
    assert seen.delivered == {"a"}
    assert (seen.total, seen.by_job, seen.by_status) == (4, {"a": 3}, {200: 3, 404: 1})
    assert seen.faults == {"hang": 1}


def test_a_snapshot_does_not_move() -> None:
    """A snapshot keeps its numbers while the log goes on."""
    log = filled()
    before = log.snapshot()
    log.asked("a")
    assert before.total == 4
    assert log.snapshot().total == 5


def test_reset_counts_from_zero() -> None:
    """After a reset all counts are empty; what was delivered is kept only on request."""
    log = filled()
    log.reset(keep_delivered=True)
    log.asked("a")
    assert log.snapshot().after_end == {"a": 1}
    log.reset()
    log.asked("a")
    assert log.snapshot().after_end == {}
    assert log.snapshot().total == 1
