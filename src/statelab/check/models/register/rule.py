"""Which registers the rule for unique values decides, and how; which are left to the search."""

from dataclasses import dataclass

import numpy as np

from statelab.check.models.register.blocks import blocks
from statelab.check.models.register.misses import Misses
from statelab.check.models.register.misses import misses_of
from statelab.check.models.register.scene import Scene
from statelab.check.models.register.sightings import cas_answer
from statelab.check.models.register.sightings import same_value
from statelab.check.models.register.sightings import sightings
from statelab.check.models.register.values import values
from statelab.record.columns import Codes
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the rule says: masks over the keys of the history, shape `(keys,)`.

    `wrong` keys are violated, `open` ones undecided, the rest held. `denied` are the rows that found the very value
    that they were to replace and yet answered false; `forked` keys have a value that was replaced twice.
    """

    scene: Scene
    misses: Misses
    denied: Integers
    forked: Mask
    wrong: Mask
    open: Mask


def judge(history: History, initial: int | None) -> Judgement:
    """Applies the rule to all keys at once. O(n log n)."""
    given = sightings(history, initial)
    found = values(history, given)
    denied = np.flatnonzero(_denied(history, initial))
    ambiguous = _keys(history, found.key[found.ambiguous])
    unique = ~ambiguous[found.key]
    forked = _keys(history, found.key[unique & (found.forks > 1)])
    broken = forked | _keys(history, found.key[unique & found.phantom])
    judged = blocks(found, np.flatnonzero(found.live & unique & ~broken[found.key]).astype(np.int32))
    wrong = broken | _keys(history, history.key[denied]) | _keys(history, judged.violated(found.key))
    missed = misses_of(history, given, found, judged).of(~wrong[history.key])
    wrong |= _keys(history, history.key[missed.row[missed.wrong]])
    undecided = (ambiguous | _keys(history, history.key[missed.row[missed.open]])) & ~wrong
    return Judgement(Scene(history, initial, given, found, judged), missed, denied, forked, wrong, undecided)


def _keys(history: History, codes: Integers | Codes) -> Mask:
    marked = np.zeros(len(history.keys), np.bool_)
    marked[codes] = True
    return marked


def _denied(history: History, initial: int | None) -> Mask:
    """Which `cas` operations answered false although they saw what they expected."""
    found = cas_answer(history, False)
    if history.seen is None or history.has_seen is None:
        return np.zeros(len(history), np.bool_)
    return np.logical_and(found & history.has_seen, same_value(history, "seen", "expected", initial))
