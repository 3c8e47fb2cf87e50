import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.tables.intervals import wilson


@given(st.lists(st.integers(0, 50).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=8))
def test_wilson_is_the_published_interval(pairs: list[tuple[int, int]]) -> None:
    """The bounds solve Wilson's equation: each lies z standard errors of itself from the share."""
    k, n = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    low, high = wilson(k, n, 0.95)
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == (n == 0).tolist()
    for bound in (low[n > 0], high[n > 0]):
        share, tries = (k / np.maximum(n, 1))[n > 0], n[n > 0]
        gap = 1.959963984540054 * np.sqrt(bound * (1 - bound) / tries)
        np.testing.assert_allclose(np.abs(share - bound), gap, atol=1e-6)


def test_a_wider_level_gives_a_wider_interval() -> None:
    """99 percent intervals enclose 90 percent ones, within 0..1."""
    k, n = np.array([0, 5, 10]), np.array([10, 10, 10])
    (inner_low, inner_high), (outer_low, outer_high) = wilson(k, n, 0.9), wilson(k, n, 0.99)
    assert (outer_low <= inner_low).all()
    assert (outer_high >= inner_high).all()
    assert outer_low.min() >= 0
    assert outer_high.max() <= 1
