"""Formats numbers for all formats: the same digits and units everywhere, and a dash if there is no number."""

import math

from statelab.core.results import Bounds, Counts, Interval

NONE = "–"
PERCENT = "\N{NO-BREAK SPACE}%"


def count(number: int | None) -> str:
    return NONE if number is None else f"{number:,}"


def rate(ops_s: float | None) -> str:
    """Operations a second, no decimals."""
    return NONE if ops_s is None else f"{ops_s:,.0f}"


def milliseconds(ms: float | None) -> str:
    """Two decimals, which is fine enough for all differences that matter."""
    return NONE if ms is None else f"{ms:,.2f}"


def ratio(factor: float) -> str:
    """A factor with two significant digits."""
    return f"×{factor:,.0f}" if factor >= 9.95 else f"×{factor:.2f}" if factor >= 0.0995 else f"×{factor:.2g}"


def share(part: float) -> str:
    """A share in percent with two significant digits."""
    percent = 100 * part
    return (f"{percent:.0f}" if percent >= 9.95 or percent == 0 else f"{percent:.2g}") + PERCENT


def interval(bounds: Interval) -> str:
    return f"[{share(bounds.low)}, {share(bounds.high)}]"


def bound(overlaps: int) -> float:
    """The one-sided 95 % upper bound of the share of what was not seen in `overlaps` trials (rule of three)."""
    return 1.0 if overlaps <= 0 else -math.expm1(math.log(0.05) / overlaps)


def at_most(upper: float) -> str:
    """An upper bound in percent, rounded up to two significant digits so that it stays true."""
    percent = 100 * upper
    digit = 10.0 ** (math.floor(math.log10(percent)) - 1)
    return f"{math.ceil(round(percent / digit, 6)) * digit:.{max(0, -round(math.log10(digit)))}f}{PERCENT}"


def lost(bounds: Bounds | None, operations: Counts | None) -> str:
    """Lost updates (min–max) of the acknowledged ones, and the share that is certainly lost."""
    if bounds is None:
        return NONE
    span = count(bounds.min) if bounds.min == bounds.max else f"{count(bounds.min)}–{count(bounds.max)}"
    if not operations or not operations.ok:
        return span
    least = "" if bounds.min == bounds.max else "≥ "
    return f"{span} of {count(operations.ok)} ({least}{share(bounds.min / operations.ok)})"


def plain(value: object) -> str:
    """Any value in words: nested ones are joined, floats have one decimal, None is a dash."""
    if value is None:
        return NONE
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(inner) for inner in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)
