"""The models `queue` and `unordered-queue`: proofs in words, and what they count."""

import pytest

from agreement import check
from models.known import Known, Operations
from models.queue import KNOWN as QUEUE
from models.queue import dequeued, enqueued
from models.unordered_queue import KNOWN as UNORDERED

BOTH = pytest.mark.parametrize("known", [QUEUE, UNORDERED], ids=["queue", "unordered-queue"])

WORDS: dict[str, tuple[Operations, str]] = {
    "never enqueued": (
        [enqueued(4, 5, 1), dequeued(0, 1, 1)],
        "A dequeued 1. The first who asked to enqueue 1 did so 3 ns after A had ended. A: from 0 to 1 ns.",
    ),
    "duplicated": (
        [enqueued(0, 10, 7), dequeued(20, 30, 7), dequeued(25, 35, 7)],
        "A dequeued 7. B dequeued 7. 7 was to be enqueued 1 time by then, and each can be dequeued once. "
        "A: from 0 to 10 ns. B: from 5 to 15 ns.",
    ),
    "out of order": (
        [enqueued(0, 1, "a"), enqueued(3, 4, "b"), dequeued(5, 6, "b"), dequeued(5, None), dequeued(8, 9, "a")],
        'A enqueued "a". B dequeued "b". C dequeued "a". A had ended 4 ns before B started. B had ended 2 ns before C '
        'started. Nobody asked to enqueue "b" until 2 ns after A had ended, so it came later. What was enqueued first '
        "must be dequeued first. A: from 0 to 1 ns. B: from 5 to 6 ns. C: from 8 to 9 ns.",
    ),
    "lost": (
        [enqueued(0, 1, 1), dequeued(2, 3)],
        "A enqueued 1. B found nothing. A had ended 1 ns before B started. Something that was enqueued must have been "
        "gone, and nobody can have dequeued it. A: from 0 to 1 ns. B: from 2 to 3 ns.",
    ),
}


@pytest.mark.parametrize(("operations", "words"), WORDS.values(), ids=WORDS.keys())
def test_proof(operations: Operations, words: str) -> None:
    """The proof names the operations, what they did, when, and why that cannot be."""
    proof = check(QUEUE, operations).proof
    assert proof is not None
    assert proof.text == words


@BOTH
def test_counts(known: Known) -> None:
    """Each dequeue that is too many, each element out of its order and each that was lost is counted."""
    twice = [enqueued(0, 1, 1), dequeued(2, 3, 1), dequeued(4, 5, 1), dequeued(6, 7, 1)]
    assert check(known, twice).counts == {"duplicated": 2}
    assert check(known, [enqueued(0, 1, 1), enqueued(0, 1, 2), dequeued(2, 3)]).counts == {"lost": 2}
    over = [enqueued(0, 1, 1), enqueued(2, 3, 2), dequeued(4, 5, 2), dequeued(6, 7, 1)]
    assert check(known, over).counts == ({"out-of-order": 1} if known is QUEUE else {})


@BOTH
def test_which_unknown_dequeue_takes_what_is_found(known: Known) -> None:
    """The element that must be gone first gets the unknown dequeue that started first."""
    given = [enqueued(0, 1, 1), dequeued(2, None), dequeued(3, 4), enqueued(5, 6, 2), dequeued(7, None), dequeued(8, 9)]
    assert check(known, given).verdict == "held"
    assert check(known, given[1:] + given[:1]).verdict == "held"
    late = [enqueued(0, 1, 1), dequeued(5, None), dequeued(3, 4), enqueued(5, 6, 2), dequeued(7, None), dequeued(8, 9)]
    assert check(known, late).verdict == "violated"
