"""Where the copies of the state live, and what is lost within them."""

from functools import partial

from statelab.check.judges.counter.levels import Levels
from statelab.check.judges.counter.levels import Quiet
from statelab.check.judges.counter.levels import Split
from statelab.check.judges.counter.quiet_reads import disagreement
from statelab.core.results import Bounds
from statelab.record.columns import LEVELS
from statelab.record.columns import Level

SCOPES: dict[Level, str] = {
    "whole": "one value for all",
    "host": "one value per host",
    "process": "one value per process",
    "thread": "one value per thread",
    "greenlet": "one value per greenlet",
    "request": "one value per request",
}
"""What each level says about how far the state reaches."""

_REQUEST = LEVELS.index("request")


def scope(levels: Levels) -> Split | None:
    """The coarsest split in which every part is the history of one counter."""
    return next((split for split in levels if split.found.valid), None)


def scope_in_words(reach: Split | None) -> str | None:
    """How far the state reaches. If each thread or process served only one request, it reaches no further than that."""
    if reach is None:
        return None
    alone = len(reach.found.ranked.first) == len(reach.found.ranked.row)
    return SCOPES["request" if alone and reach.level != "whole" else reach.level]


def home(levels: Levels) -> Split | None:
    """The split in which each part has one copy of the state, as far as the history shows; None: there is none.

    First the numbers: if every part is the history of one counter, each part has its own copy (one shared copy would
    have to hand out 1, 2, 3, ... without a gap in every part). Then the totals: if every part ends at exactly the
    number of its own increments, each has its own copy. Otherwise the coarsest split in which the reads of each part
    agree. The level `request` is not tried: a single request has nothing to compare with.
    """
    candidates = [split for split in levels if split.level != "request"]
    for fits in (_valid, _adds_up, partial(_agrees, levels.quiet)):
        found = next((split for split in candidates if fits(split)), None)
        if found:
            return found
    return None


def _valid(split: Split) -> bool:
    return split.found.valid


def _adds_up(split: Split) -> bool:
    total = split.totals
    return bool((total.read & (total.low == total.acks) & (total.high == total.acks)).all())


def _agrees(quiet: Quiet, split: Split) -> bool:
    return disagreement(quiet, split) is None


def lost(levels: Levels, at: Split) -> Bounds | None:
    """Bounds on the lost updates if each part of `at` has one copy; None if nothing was read at the end.

    If some server was not read at the end, there may be more copies than the reads show. Then the bounds also cover
    every finer split (except `request`) in which no counter exceeds what its own increments can make.
    """
    bounds = at.lost
    finer = [split for split in levels if LEVELS.index(at.level) < LEVELS.index(split.level) < _REQUEST]
    for split in finer if bounds else []:
        possible = not split.found.gap.any() and not bool(split.totals.read[split.totals.acks > 0].all())
        other = split.lost
        if bounds and other and possible:
            bounds = Bounds(min=min(bounds.min, other.min), max=max(bounds.max, other.max))
    return bounds
