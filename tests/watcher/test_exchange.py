import gc
from collections.abc import Collection, Iterator

from docurift_nb.models import Job, Observation, Seen
from docurift_nb.watcher.exchange import exchange_for
from tests.builders import make_job


class Listener:
    """A member that remembers what it hears and knows what it is given."""

    def __init__(self, *known: str) -> None:
        self.heard: list[str] = []
        self._known = known

    def offer(self, endings: Collection[tuple[Job, float]]) -> None:
        self.heard.extend(job.job_id for job, _ in endings)

    def known_endings(self, job_ids: Collection[str]) -> Iterator[Observation]:
        for job_id in self._known:
            if job_id in job_ids:
                yield Observation(job_id=job_id, job=make_job(id=job_id), seen=Seen.FRESH, ended=True)


def test_a_claim_is_exclusive_until_released() -> None:
    """Two watches never ask about one job at once."""
    exchange = exchange_for("claims")

    assert exchange.claim("a")
    assert not exchange.claim("a")
    exchange.release("a")
    assert exchange.claim("a")


def test_endings_are_announced_to_the_others_only() -> None:
    """Whoever paid for an answer is not told of it again."""
    exchange, sender, other = exchange_for("news"), Listener(), Listener()
    for member in (sender, other):
        exchange.join(member)
    exchange.announce(sender, [(make_job(id="a"), 0.0)])

    assert other.heard == ["a"]
    assert sender.heard == []


def test_a_newcomer_hears_what_others_know() -> None:
    """Only what it asks for."""
    exchange, old, new = exchange_for("known"), Listener("a", "b"), Listener()
    for member in (old, new):
        exchange.join(member)

    assert [o.job_id for o in exchange.known(new, ["b", "c"])] == ["b"]


def test_one_host_has_one_exchange_for_as_long_as_somebody_uses_it() -> None:
    """Hosts are kept apart, and nothing is kept for hosts nobody watches."""
    first = exchange_for("host one")

    assert exchange_for("host one") is first
    assert exchange_for("host two") is not first
    first.claim("a")
    del first
    gc.collect()
    assert exchange_for("host one").claim("a")
