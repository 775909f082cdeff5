"""A `random.Random` made when the module is imported: 63 random bits.

People trust that random numbers differ. Processes that were forked after the import all go on from the same seed.
"""

import random

from webapp.claims import PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request", copies="alike-after-fork")

generator = random.Random()


def new_id(key: str, window: Window) -> int:
    window()
    return generator.getrandbits(63)
