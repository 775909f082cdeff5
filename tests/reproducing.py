"""Names for what the tests of reproductions take: how to find a target, and how to play it."""

from collections.abc import Callable

from statelab.repro.outcome import Outcome
from statelab.repro.targets import Target

Find = Callable[[str, str], Target]
Reproduce = Callable[[Target], Outcome]
