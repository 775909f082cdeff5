"""Intervals: against published values, against their definition, and by how often they hold the truth."""

import random
from math import comb

import pytest

from statelab.check.intervals import (
    beta_quantile,
    bootstrap_median,
    clopper_pearson,
    incomplete_beta,
    none_seen_bound,
    wilson,
)
from statelab.core.results import Interval


def at_least(hits: int, total: int, share: float) -> float:
    """The probability of `hits` or more in `total` independent trials."""
    return sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(hits, total + 1))


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (5, 5, 0.4782, 1.0),
        (81, 263, 0.2527, 0.3676),
    ],
)
def test_clopper_pearson_has_its_published_values(hits: int, total: int, low: float, high: float) -> None:
    """Exact limits as tables of the binomial distribution give them (81/263 is Newcombe's 1998 example)."""
    interval = clopper_pearson(hits, total)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("hits", "total"), [(1, 3), (3, 7), (20, 30), (1, 200), (250, 1000)])
def test_clopper_pearson_is_its_definition(hits: int, total: int) -> None:
    """At each limit the tail that was observed has exactly 2.5 %."""
    interval = clopper_pearson(hits, total)
    assert at_least(hits, total, interval.low) == pytest.approx(0.025, rel=1e-6)
    assert 1 - at_least(hits + 1, total, interval.high) == pytest.approx(0.025, rel=1e-6)


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_wilson_has_its_published_values(hits: int, total: int, low: float, high: float) -> None:
    """The four examples of Newcombe 1998, "Two-sided confidence intervals for the single proportion", and a mirror."""
    interval = wilson(hits, total)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
def test_intervals_are_mirror_images(interval: object) -> None:
    """What holds for violated runs holds for sound runs, the other way round."""
    assert callable(interval)
    for hits in range(8):
        one, other = interval(hits, 7), interval(7 - hits, 7)
        assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-12)


@pytest.mark.parametrize("total", [1, 5, 100, 51_960])
def test_none_seen_has_five_percent_at_its_bound(total: int) -> None:
    """At the bound, seeing nothing has a probability of 5 %; for many trials that is the rule of three."""
    bound = none_seen_bound(total)
    assert (1 - bound) ** total == pytest.approx(0.05)
    assert bound <= 3 / total
    if total > 50:
        assert bound == pytest.approx(3 / total, rel=0.02)


def test_clopper_pearson_covers() -> None:
    """For every share tried, the interval of 95 % holds it at least that often, summed over all outcomes."""
    for total in (5, 12):
        intervals = [clopper_pearson(hits, total) for hits in range(total + 1)]
        for share in [k / 40 for k in range(1, 40)]:
            held = sum(
                comb(total, hits) * share**hits * (1 - share) ** (total - hits)
                for hits, interval in enumerate(intervals)
                if interval.low <= share <= interval.high
            )
            assert held >= 0.95


@pytest.mark.parametrize(("hits", "total"), [(3, 2), (-1, 2), (0, 0)])
def test_nonsense_is_refused(hits: int, total: int) -> None:
    """More hits than trials, or no trial, is an error."""
    for interval in (wilson, clopper_pearson):
        with pytest.raises(ValueError, match="is not a share"):
            interval(hits, total)


def test_incomplete_beta_is_a_binomial_tail() -> None:
    """I_x(k, n - k + 1) is the probability of k or more hits; and it ends at 0 and 1."""
    for total, hits, share in [(5, 2, 0.3), (40, 39, 0.99), (300, 10, 0.02), (1000, 500, 0.5)]:
        assert incomplete_beta(share, hits, total - hits + 1) == pytest.approx(at_least(hits, total, share), rel=1e-9)
    assert (incomplete_beta(0, 2, 3), incomplete_beta(1, 2, 3)) == (0, 1)


def test_beta_quantile_inverts() -> None:
    """The quantile of a probability has that probability."""
    for probability in (1e-6, 0.025, 0.5, 0.975):
        assert incomplete_beta(beta_quantile(probability, 3.5, 40), 3.5, 40) == pytest.approx(probability, rel=1e-9)


def test_bootstrap_is_repeatable() -> None:
    """The same seed gives the same interval, another one nearly the same."""
    values = [random.Random(1).gauss(10, 2) for _ in range(12)]
    first = bootstrap_median(values, seed=7)
    assert first == bootstrap_median(values, seed=7)
    other = bootstrap_median(values, seed=8)
    assert (first.low, first.high) == pytest.approx((other.low, other.high), abs=1)


def test_bootstrap_lies_within_the_values() -> None:
    """Runs that all agree leave no doubt, and no interval is wider than what was seen."""
    assert bootstrap_median([0.4] * 5) == Interval(low=0.4, high=0.4)
    interval = bootstrap_median([0.1, 0.2, 0.3, 0.4, 0.9])
    assert 0.1 <= interval.low <= 0.3 <= interval.high <= 0.9


def test_bootstrap_needs_values() -> None:
    """There is no median of nothing."""
    with pytest.raises(ValueError, match="median of nothing"):
        bootstrap_median([])


def test_bootstrap_covers_about_as_often_as_it_says() -> None:
    """Of 200 samples of 15 with a known median, the 95 % interval holds it about as often (it is approximate)."""
    rng = random.Random(2)
    held = 0
    for _ in range(200):
        interval = bootstrap_median([rng.expovariate(1) for _ in range(15)], resamples=400)
        held += interval.low <= 0.6931 <= interval.high
    assert held >= 176
