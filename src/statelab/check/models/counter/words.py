"""Proofs in words: why a few operations contradict each other, for a reader who does not know the algorithm."""

from dataclasses import dataclass

from statelab.check.kernels.words import Cast
from statelab.check.models.counter.race_events import RaceEvent
from statelab.check.models.counter.verdict import CounterVerdict, Smallest
from statelab.core.errors import counted
from statelab.record.columns import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The words for a counter that goes one way."""

    step: str
    by: int
    changes: str
    bound: str
    further: str
    more: str
    on: str
    alone: str
    rule: str


UP = Way(
    step="increment",
    by=1,
    changes="adds one",
    bound="least",
    further="higher",
    more="more",
    on="up",
    alone="it never goes down",
    rule="a counter never goes down",
)
DOWN = Way(
    step="decrement",
    by=-1,
    changes="takes one away",
    bound="most",
    further="lower",
    more="less",
    on="down",
    alone="it is never incremented",
    rule="a counter that is never incremented does not go up",
)


def proof(history: History, verdict: CounterVerdict, *, initial: int = 0, way: Way = UP) -> str:
    """Why a violated verdict's witness contradicts a counter that goes one way, by one for each request."""
    if verdict.witness is None:
        return "every answer fits one counter"
    if verdict.witness.kind == "duplicate":
        pairs = {(event.original, event.culprit): event for event in verdict.race_events}
        event = pairs[verdict.witness.rows[0], verdict.witness.rows[1]]
        return duplicate(history, event, lossy=verdict.lost is None or verdict.lost.max > 0, way=way)
    return contradiction(history, verdict.witness, initial, way)


def contradiction(history: History, witness: Smallest, initial: int = 0, way: Way = UP) -> str:
    """The proof of a witness that is not a duplicate."""
    cast = Cast(history, witness.rows)
    if witness.kind == "too-low":
        (row,) = cast.rows
        first_told = f"each {way.step} {way.changes}, so {initial + way.by:,} is the {way.bound}"
        rule = way.alone if cast.is_read(row) else first_told
        return f"{cast.told(row)}. The counter starts at {initial:,} and {rule}. {cast.introductions()}"
    if witness.kind == "gap":
        x, needed, asked = witness.rows[0], witness.needed or 0, witness.asked or 0
        name, others = cast.name(x), [row for row in cast.rows if row != x]
        text = (
            f"{cast.told(x)}, which takes {counted(needed, way.step)}; {asked:,} had been asked for when {name} ended"
        )
        if others:
            higher = ", ".join(cast.told(row) for row in others)
            left = counted(asked - len(others), way.step)
            text += f". But {higher}: {way.more} than {name} shows, and so after {name}. That leaves {left}"
        return f"{text}. Nobody can have produced {cast.value(x):,}. {cast.introductions()}"
    first, second = cast.rows
    apart = f"{cast.name(first)} had ended {cast.span(witness.slack_ns or 0)} before {cast.name(second)} started"
    if cast.value(first) == cast.value(second):
        claim = f"{apart}, which {cast.showed(second)}: a number cannot be seen before it is made"
    else:
        claim = f"{apart}, yet {cast.told(second)}: {way.rule}"
    return f"{cast.told(first)}. {claim}. {cast.introductions()}"


def duplicate(history: History, event: RaceEvent, *, lossy: bool, way: Way = UP) -> str:
    """The pair of a race event: two requests told one number and, where updates are `lossy`, what was rolled back."""
    cast = Cast(history, (event.original, event.culprit))
    first, second = (cast.name(row) for row in cast.rows)
    number = f"{event.first:,}"
    text = (
        f"{first} and {second} were both told {number}. A counter that {way.changes} for each request can hand out "
        f"{number} only once. {cast.introductions()}"
    )
    if not cast.overlap(event.original, event.culprit):
        return f"{text} {second} started after {first} had ended and was told nothing {way.further}."
    if not lossy:
        return text
    before, late = f"{event.first - way.by:,}", cast.name(event.culprit)
    if event.rolled_back == 1 or event.reissue is None:
        return f"{text} Each found {before} and made it {number}: one of the two updates is lost."
    most = "" if event.alone else "up to "
    return (
        f"{text} {late} found {before} early and wrote {number} late: before {late} ended, the numbers {way.on} to "
        f"{event.first + (event.rolled_back - 1) * way.by:,} had been handed out, and {event.first + way.by:,} was "
        f"handed out again ({cast.facts(event.reissue)}). {late} rolled back {most}{event.rolled_back:,} updates."
    )
