"""The smallest piece of a queue's history that is itself a violation; what that means, kernels/forgetting.py says.

An answer that is forgotten leaves a request, and a dequeue may then take anything. So what was lost needs all dequeues
that could have taken it: each tells that it took something else. Which pieces are tried, the smallest first:
- never-enqueued: a dequeue of what nobody had asked to enqueue when it ended.
- duplicated: one dequeue of a value more than anybody had asked to enqueue it.
- out-of-order, false-empty: an enqueue, the dequeue of its value, and between them the dequeue of a later one, or one
  that found nothing. (Without the dequeue of its value where no other dequeue had been asked for by then.)
- lost: an operation that tells that some elements must be gone, one more enqueue of such than there are unknown
  dequeues, and all other dequeues that had started by then.
- false-empty: a dequeue that found nothing, and a chain of elements of which one was there at each moment.
- no-order: what the search found.
The second half puts it in words.
"""

import numpy as np

from statelab.check.kernels.forgetting import Violated, Witness, by_start
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.pairs import precedences
from statelab.check.kernels.search import smallest
from statelab.check.kernels.words import ALL_NAMED, Cast, named
from statelab.check.models.queue.rule import NONE, Judgement
from statelab.core.errors import counted
from statelab.record.columns import FAIL, INFO, OK, History, Integers

CHANGES = ("enqueue", "dequeue")

_FEW = 64
"""Up to how many operations a witness of `_lost` is made minimal; of a larger one the count is."""


def of_rule(history: History, judged: Judgement, violated: Violated, proving: Deadline) -> Witness:
    """The witness of the kind with the fewest operations that occurs."""
    elements = judged.elements
    if len(judged.early):
        never = judged.early[elements.asked[judged.of[judged.early]] == 0]
        some = never if len(never) else judged.early
        row = int(some[0])
        if len(never):
            return Witness("never-enqueued", (row,))
        asked = (judged.of == judged.of[row]) & history.is_op("enqueue")
        return Witness("never-enqueued", (row,), int(history.start[asked].min()) - int(history.end[row]))
    if len(judged.twice):
        element = int(judged.twice[np.argmin(elements.asked[judged.twice])])
        taken = (judged.of == element) & history.is_op("dequeue")
        some = np.flatnonzero(taken)[: int(elements.asked[element]) + 1]
        if elements.asked[element] == 1:
            return Witness("duplicated", by_start(history, some.tolist()))
        return smallest(history, some.tolist(), CHANGES, violated, proving, kind="duplicated")
    if len(judged.overtaken):
        took, by = elements.took[judged.overtaken], judged.by[judged.overtaken]
        worst = int(np.argmax(history.start[took] - history.end[by]))
        element = int(judged.overtaken[worst])
        kind = "out-of-order" if history.has_result[by[worst]] else "false-empty"
        rows = [int(elements.put[element]), int(by[worst]), int(took[worst])]
        return smallest(history, rows, CHANGES, violated, proving, kind=kind)
    if len(judged.lost):
        rows = _lost(history, judged)
        return smallest(history, rows, CHANGES, violated, proving, kind="lost", counted=len(rows) > _FEW)
    return smallest(history, int(judged.covered[0]), CHANGES, violated, proving, kind="false-empty")


def _lost(history: History, judged: Judgement) -> list[int]:
    """The first moment by which more must be gone than there are dequeues for it, and all operations that prove it.

    None of them can be left out: with one answer less there is a dequeue for each element.
    """
    elements = judged.elements
    element = int(judged.lost[np.argmin(history.end[judged.by[judged.lost]])])
    row, key = int(judged.by[element]), elements.key[element]
    end = history.end[row]
    begun = history.is_op("dequeue") & (history.key == key) & (history.start <= end) & (history.status != FAIL)
    begun[row] = False
    unknown = int(np.count_nonzero(begun & (history.status == INFO)))
    left = (elements.key == key) & (elements.took == NONE) & (judged.by != NONE)
    gone = np.flatnonzero(left)
    gone = gone[history.end[judged.by[gone]] <= end][: unknown + 1]
    return [*elements.put[gone].tolist(), row, *np.flatnonzero(begun & (history.status == OK)).tolist()]


def words(history: History, witness: Witness) -> str:
    """The proof of a witness; of more than six operations the first three and the last are named."""
    cast = Cast(history, witness.rows)
    many = len(cast.rows) > ALL_NAMED
    told = ". ".join(_did(history, cast, row) for row in named(cast.rows))
    if many:
        told = f"These are {len(cast.rows):,} operations; the first three and the last are named. {told}"
    before = "" if many or len(cast.rows) == 1 or witness.kind == "duplicated" else f" {precedences(history, cast)}"
    return f"{told}.{before} {_why(history, cast, witness.kind)} {cast.introductions(named(cast.rows))}"


def _did(history: History, cast: Cast, row: int) -> str:
    """`A enqueued 4`, `B dequeued 4` or `C found nothing`."""
    name = cast.name(row)
    if history.is_op("enqueue")[row]:
        return f"{name} enqueued {_text(history, _put(history)[row])}"
    return (
        f"{name} dequeued {_text(history, history.result[row])}" if history.has_result[row] else f"{name} found nothing"
    )


def _put(history: History) -> Integers:
    return np.zeros(len(history), np.int64) if history.value is None else history.value


def _text(history: History, number: int) -> str:
    value = history.shown(int(number))
    return f'"{value}"' if isinstance(value, str) else str(value)


def _why(history: History, cast: Cast, kind: str) -> str:
    last = cast.rows[-1]
    asked = history.is_op("enqueue") & (history.key == history.key[last]) & (history.status != FAIL)
    if kind in ("never-enqueued", "duplicated"):
        number = history.result[last]
        value = _text(history, number)
        asked &= _put(history) == number
        count = int(np.count_nonzero(asked & (history.start <= int(history.end[cast.rows].max()))))
        if count:
            return f"{value} was to be enqueued {counted(count, 'time')} by then, and each can be dequeued once."
        if not asked.any():
            return f"Nobody asked to enqueue {value}."
        later = cast.span(int(history.start[asked].min()) - int(history.end[last]))
        return f"The first who asked to enqueue {value} did so {later} after {cast.name(last)} had ended."
    if kind == "out-of-order":
        first = next(row for row in cast.rows if history.is_op("enqueue")[row])
        between = next(row for row in cast.rows if row != first and history.result[row] != _put(history)[first])
        value = _text(history, history.result[between])
        asked &= _put(history) == history.result[between]
        later = cast.span(int(history.start[asked].min()) - int(history.end[first]))
        return (
            f"Nobody asked to enqueue {value} until {later} after {cast.name(first)} had ended, so it came later. What "
            f"was enqueued first must be dequeued first."
        )
    if kind == "false-empty":
        return "Nobody can have taken all that was in the queue before the dequeue that found nothing ended."
    end = int(history.end[cast.rows].max())
    unknown = history.is_op("dequeue") & (history.key == history.key[last]) & (history.status != FAIL)
    unknown[list(cast.rows)] = False
    others = int(np.count_nonzero(unknown & (history.start <= end)))
    which = f"By then {counted(others, 'other dequeue')} had been asked for. " if others else ""
    if kind == "lost":
        return f"{which}Something that was enqueued must have been gone, and nobody can have dequeued it."
    return f"{which}Whatever those and all other enqueues did, in every order that the times allow an answer is wrong."
