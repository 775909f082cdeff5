"""How often each kind of contradiction was met, in the keys that the rule decides."""

import numpy as np

from statelab.check.models.register.rule import Judgement


def counts(judgement: Judgement) -> dict[str, int]:
    """Values that nobody made (`phantom`), values replaced more than once (`lost-update`, extra times), values seen too
    soon (`future-read`) or after they were gone (`stale-read`), and `cas` that failed wrongly (`false-failure`)."""
    values, judged, misses = judgement.scene.values, judgement.scene.judged, judgement.misses
    unique = ~judgement.open[values.key]
    found = {
        "phantom": int(np.count_nonzero(values.phantom & unique)) + len(judged.chains.endless),
        "lost-update": int(np.maximum(values.forks - 1, 0)[judgement.forked[values.key]].sum()),
        "future-read": int(np.count_nonzero(judged.future)),
        "stale-read": int(np.count_nonzero(judged.stale)) + len(judged.clashes),
        "false-failure": int(np.count_nonzero(misses.wrong)) + len(judgement.denied),
    }
    return {word: count for word, count in found.items() if count}
