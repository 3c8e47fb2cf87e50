import math

from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.schedule.samples import N_QUANTILES, Samples, normal_quantiles, spread_evenly

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200)


@given(values, st.integers(1, 40))
def test_a_spread_is_in_order_and_of_the_sample(sample: list[float], n: int) -> None:
    """No value is invented, whatever the sizes."""
    ordered = sorted(sample)
    spread = spread_evenly(ordered, n)

    assert len(spread) == n
    assert list(spread) == sorted(spread)
    assert set(spread) <= set(ordered)


def test_a_spread_leaves_equally_much_between_its_values() -> None:
    """They are the mid-point quantiles."""
    assert spread_evenly([float(i) for i in range(100)], 5) == (10.0, 30.0, 50.0, 70.0, 90.0)


def test_normal_quantiles_are_those_of_the_distribution() -> None:
    """Symmetric, and nearly as wide as asked for."""
    quantiles = normal_quantiles(2.0)

    assert len(quantiles) == N_QUANTILES
    assert math.isclose(sum(quantiles), 0.0, abs_tol=1e-9)
    assert 1.7 < math.sqrt(sum(q * q for q in quantiles) / N_QUANTILES) < 2.0


@given(values, st.integers(1, 50))
def test_only_the_newest_values_are_kept(sample: list[float], size: int) -> None:
    """Older ones are forgotten, so that shifts are followed."""
    samples = Samples(size)
    for value in sample:
        samples.add(value)

    assert len(samples) == min(len(sample), size)
    assert samples.ordered() == sorted(sample[-size:])


def test_what_is_not_finite_is_left_out() -> None:
    """One wild value would spoil every mean."""
    samples = Samples()
    for value in (math.nan, math.inf, -math.inf, 1.0):
        samples.add(value)

    assert samples.ordered() == [1.0]


def test_quantiles_are_renewed_after_an_eighth() -> None:
    """Until then readings are free, and ``version`` says that nothing has changed."""
    samples = Samples(80)
    for _ in range(80):
        samples.add(0.0)
    before = samples.quantiles(), samples.version
    for _ in range(9):
        samples.add(1.0)
    assert (samples.quantiles(), samples.version) == before

    samples.add(1.0)

    assert samples.quantiles()[-1] == 1.0
    assert samples.version == before[1] + 1
