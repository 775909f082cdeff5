"""A true time axis: nanoseconds to pixels, and round ticks in ms."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timescale:
    """Maps [start, end] in ns to [left, right] in pixels; labels count from `zero`."""

    start: int
    end: int
    zero: int
    left: float
    right: float

    def x(self, stamp: float) -> float:
        return self.left + (stamp - self.start) / (self.end - self.start) * (self.right - self.left)

    def ticks(self) -> list[tuple[float, str]]:
        """About eight round ticks as pixel and text; the text has the decimals that the step needs."""
        step = _round_step((self.end - self.start) / 1e6 / 8)
        decimals = max(0, -math.floor(math.log10(step)))
        first, last = (self.start - self.zero) / 1e6 / step, (self.end - self.zero) / 1e6 / step
        steps = range(math.ceil(first), math.floor(last) + 1)
        return [(self.x(self.zero + k * step * 1e6), f"{k * step:,.{decimals}f}".replace("-", "−")) for k in steps]


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
