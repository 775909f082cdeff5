"""Machines that there are not: clocks with an offset and a rate, and exchanges over a network with random delays."""

import random
from dataclasses import dataclass
from fractions import Fraction

import msgspec

from statelab.core.clocks import Exchange
from statelab.core.operation import Operation

HOUR = 3_600_000_000_000


@dataclass(frozen=True)
class Machine:
    """Its clock shows `zero + rate * t` when the master's shows t; from `steps_at` on it shows `step` more."""

    zero: int = 0
    rate: Fraction = Fraction(1)
    steps_at: int = 10**18
    step: int = 0

    def shows(self, at: int) -> int:
        return self.zero + int(self.rate * at) + (self.step if at >= self.steps_at else 0)

    def recorded(self, one: Operation) -> Operation:
        """The operation as this machine stamps it."""
        end = None if one.end is None else self.shows(one.end)
        return msgspec.structs.replace(one, start=self.shows(one.start), end=end)

    def exchange(self, at: int, rng: random.Random, delay: int) -> Exchange:
        """One that begins at a moment, over a network in which a message takes up to `delay`, either way its own."""
        received = at + rng.randint(0, delay)
        answered = received + rng.randint(0, delay)
        return Exchange(self.shows(at), received, answered, self.shows(answered + rng.randint(0, delay)))

    def exchanges(self, moments: range, rng: random.Random, delay: int) -> list[Exchange]:
        return [self.exchange(at, rng, delay) for at in moments]


APART = [
    Machine(zero=HOUR, rate=1 + Fraction(400, 10**6)),
    Machine(zero=-HOUR + 7),
    Machine(zero=3 * HOUR, rate=1 - Fraction(400, 10**6)),
]
"""Three machines an hour and more apart, of which two drift."""
