"""Every key of a key-value history decided: by the order that its texts force, or else by search."""

from dataclasses import dataclass
from dataclasses import field

from statelab.check.kernels.model import Deadline
from statelab.check.models.key_value.blocks import Blocks
from statelab.check.models.key_value.blocks import Contradiction
from statelab.check.models.key_value.order import forced
from statelab.check.models.key_value.search import MOST
from statelab.check.models.key_value.search import search
from statelab.check.models.key_value.texts import Calls
from statelab.check.models.key_value.texts import by_key
from statelab.record.columns import History


@dataclass(frozen=True, slots=True)
class Judged:
    """What is wrong, in rows of the history.

    `alone` are (kind, get, slack), `forks` pairs of gets, `inversions` and `overlaps` the worst cases of two lemmas;
    `searched` are keys that are violated as only the search could tell: (key, number of its calls); `undecided` are
    (key, why). `keys` are all that are violated.
    """

    alone: list[tuple[str, int, int | None]] = field(default_factory=list)
    forks: list[tuple[int, int]] = field(default_factory=list)
    inversions: list[Contradiction] = field(default_factory=list)
    overlaps: list[Contradiction] = field(default_factory=list)
    searched: list[tuple[int, int]] = field(default_factory=list)
    undecided: list[tuple[int, str]] = field(default_factory=list)
    keys: set[int] = field(default_factory=set)


def judge(history: History, initial: str, deadline: Deadline, most: int = MOST) -> Judged:
    """Decides every key. `keys` are those that are violated; none that is undecided is among them."""
    judged, blocks = Judged(), Blocks()
    for key, calls in by_key(history, initial):
        found = forced(calls, initial)
        if found is None:
            _search(judged, key, calls, initial, deadline, most)
        elif found.alone or found.forks:
            judged.keys.add(key)
            judged.alone.extend((kind, calls.row[get], slack) for kind, get, slack in found.alone)
            judged.forks.extend((calls.row[one], calls.row[other]) for one, other in found.forks)
        else:
            blocks.add(calls, found)
    laid = blocks.laid(history)
    for kept, (keys, worst) in ((judged.inversions, laid.inversions()), (judged.overlaps, laid.overlaps())):
        kept.extend(worst)
        judged.keys.update(keys.tolist() if worst else ())
    return judged


def _search(judged: Judged, key: int, calls: Calls, initial: str, deadline: Deadline, most: int) -> None:
    outcome = search(calls, initial, deadline, most)
    if outcome.verdict == "unknown":
        judged.undecided.append((key, outcome.why))
    elif outcome.verdict == "violated":
        judged.keys.add(key)
        judged.searched.append((key, len(calls)))
