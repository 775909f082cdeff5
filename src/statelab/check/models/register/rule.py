"""Which registers the rule for unique values decides, how, and what it counts; the others are left to the search."""

from dataclasses import dataclass

import numpy as np

from statelab.check.models.register.chains import blocks
from statelab.check.models.register.failed_cas import FailedCas
from statelab.check.models.register.failed_cas import judge_failed_cas
from statelab.check.models.register.values import cas_answer
from statelab.check.models.register.values import same_value
from statelab.check.models.register.values import sightings
from statelab.check.models.register.values import values
from statelab.check.models.register.witness import Scene
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
    failed_cas: FailedCas
    denied: Integers
    forked: Mask
    wrong: Mask
    open: Mask


def judge(history: History, initial: int | None) -> Judgement:
    """Applies the rule to all keys at once. O(n log n)."""
    given = sightings(history, initial)
    found = values(history, given)
    denied = np.zeros(0, np.int64)
    if history.seen is not None and history.has_seen is not None:  # a cas that saw what it expected and yet failed
        saw = cas_answer(history, False) & history.has_seen
        denied = np.flatnonzero(saw & same_value(history, "seen", "expected", initial))
    ambiguous = _keys(history, found.key[found.ambiguous])
    unique = ~ambiguous[found.key]
    forked = _keys(history, found.key[unique & (found.forks > 1)])
    broken = forked | _keys(history, found.key[unique & found.phantom])
    judged = blocks(found, np.flatnonzero(found.live & unique & ~broken[found.key]).astype(np.int32))
    wrong = broken | _keys(history, history.key[denied]) | _keys(history, judged.violated(found.key))
    failed = judge_failed_cas(history, given, found, judged).of(~wrong[history.key])
    wrong |= _keys(history, history.key[failed.row[failed.wrong]])
    undecided = (ambiguous | _keys(history, history.key[failed.row[failed.open]])) & ~wrong
    return Judgement(Scene(history, initial, given, found, judged), failed, denied, forked, wrong, undecided)


def _keys(history: History, codes: Integers | Codes) -> Mask:
    marked = np.zeros(len(history.keys), np.bool_)
    marked[codes] = True
    return marked


def counts(judgement: Judgement) -> dict[str, int]:
    """Values that nobody made (`phantom`), values replaced more than once (`lost-update`, extra times), values seen too
    soon (`future-read`) or after they were gone (`stale-read`), and `cas` that failed wrongly (`false-failure`)."""
    values, judged, failed = judgement.scene.values, judgement.scene.judged, judgement.failed_cas
    unique = ~judgement.open[values.key]
    found = {
        "phantom": int(np.count_nonzero(values.phantom & unique)) + len(judged.chains.endless),
        "lost-update": int(np.maximum(values.forks - 1, 0)[judgement.forked[values.key]].sum()),
        "future-read": int(np.count_nonzero(judged.future)),
        "stale-read": int(np.count_nonzero(judged.stale)) + len(judged.clashes),
        "false-failure": int(np.count_nonzero(failed.wrong)) + len(judgement.denied),
    }
    return {word: count for word, count in found.items() if count}
