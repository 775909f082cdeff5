"""`itertools.count()` in a module: `next` is one step that nothing interrupts.

People take it for unique, since threads cannot get the same number; each process counts from 1 by itself.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator

from webapp.claims import PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request")

numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))


def new_id(key: str, window: Window) -> int:
    window()
    return next(numbers[key])
