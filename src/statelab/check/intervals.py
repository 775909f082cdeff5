"""Intervals for shares and medians. The independent trial is the run, not the operation: violations come in bursts.

Wilson for display (Brown, Cai & DasGupta 2001, "Interval Estimation for a Binomial Proportion", recommend it for
general use), Clopper-Pearson (1934) where coverage is claimed: it is exact and conservative.
"""

from collections.abc import Sequence
from math import exp, expm1, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist

import numpy as np

from statelab.core.results import Interval


def wilson(hits: int, total: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of the share hits/total of independent trials."""
    _validate(hits, total)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / total
    middle = share + z * z / (2 * total)
    half = z * sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    scale = 1 + z * z / total
    low, high = (middle - half) / scale, (middle + half) / scale
    return Interval(low=0.0 if hits == 0 else low, high=1.0 if hits == total else high)


def clopper_pearson(hits: int, total: int, confidence: float = 0.95) -> Interval:
    """The exact interval of the share hits/total: quantiles of Beta(x, n - x + 1) and Beta(x + 1, n - x)."""
    _validate(hits, total)
    tail = (1 - confidence) / 2
    return Interval(
        low=beta_quantile(tail, hits, total - hits + 1) if hits else 0.0,
        high=beta_quantile(1 - tail, hits + 1, total - hits) if hits < total else 1.0,
    )


def none_seen_bound(total: int, confidence: float = 0.95) -> float:
    """The one-sided upper bound of a share of which no case was seen in `total` trials: about 3/total at 95 %."""
    _validate(0, total)
    return -expm1(log(1 - confidence) / total)


def bootstrap_median(
    values: Sequence[float], *, seed: int = 0, confidence: float = 0.95, resamples: int = 10_000
) -> Interval:
    """The percentile bootstrap interval (Efron 1979) of the median; the same seed gives the same interval."""
    if not values:
        raise ValueError("the median of nothing has no interval")
    drawn = np.random.default_rng(seed).choice(np.asarray(values, np.float64), (resamples, len(values)))
    low, high = np.quantile(np.median(drawn, axis=1), ((1 - confidence) / 2, (1 + confidence) / 2))
    return Interval(low=float(low), high=float(high))


def _validate(hits: int, total: int) -> None:
    if not 0 <= hits <= total or total < 1:
        raise ValueError(f"{hits} of {total} is not a share")


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = probability, by bisection down to neighbouring floats or 1e-15."""
    low, high = 0.0, 1.0
    while high - low > 1e-15:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if incomplete_beta(middle, a, b) < probability else (low, middle)
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b) (Abramowitz & Stegun 26.5.8, by Lentz's method)."""
    if x <= 0 or x >= 1:
        return float(x > 0)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)  # there the fraction of the mirrored case converges quickly
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    return front / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + ...)), the continued fraction of I_x(a, b)."""
    value, c, d, step = 1.0, 1.0, 0.0, inf
    m = 0
    while abs(step - 1) > 1e-15 and m < 10_000:
        m += 1
        half = m // 2
        if m % 2:
            term = -(a + half) * (a + b + half) * x / ((a + m - 1) * (a + m))
        else:
            term = half * (b - half) * x / ((a + m - 1) * (a + m))
        d = 1 / _not_zero(1 + term * d)
        c = _not_zero(1 + term / c)
        step = c * d
        value *= step
    return value


def _not_zero(number: float) -> float:
    return number if abs(number) > 1e-300 else 1e-300
