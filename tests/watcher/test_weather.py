from docurift_nb.schedule import ErrorBackoff
from docurift_nb.watcher.weather import OFFLINE_AFTER, Weather


def _stormy() -> Weather:
    weather = Weather(ErrorBackoff(seed=0))
    for _ in range(OFFLINE_AFTER):
        weather.bad(100.0)
    return weather


def test_a_few_failures_hold_nothing_back() -> None:
    """Single losses are the job's own affair."""
    weather = Weather(ErrorBackoff(seed=0))
    for _ in range(OFFLINE_AFTER - 1):
        weather.bad(100.0)

    assert not weather.offline
    assert weather.hold_s(100.0, in_flight=5) == 0.0


def test_an_outage_lets_one_probe_out_at_a_time() -> None:
    """While a probe is under way, nothing else goes out."""
    weather = _stormy()
    wait = weather.hold_s(100.0, in_flight=0)

    assert wait is not None
    assert 1.0 <= wait <= 1.5
    assert weather.hold_s(100.0 + wait, in_flight=0) == 0.0
    assert weather.hold_s(100.0 + wait, in_flight=1) is None


def test_probes_grow_rarer() -> None:
    """A long outage costs about one request a minute."""
    weather = _stormy()
    for _ in range(10):
        weather.bad(100.0)

    wait = weather.hold_s(100.0, in_flight=0)
    assert wait is not None
    assert wait >= 60.0


def test_one_answer_ends_the_outage() -> None:
    """After it everything may go out again."""
    weather = _stormy()
    weather.good()

    assert not weather.offline
    assert weather.hold_s(100.0, in_flight=5) == 0.0
