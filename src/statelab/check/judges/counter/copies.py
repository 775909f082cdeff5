"""Where the copies of the state live, and what is lost within them."""

from functools import partial

from statelab.check.judges.counter.levels import Parting
from statelab.check.judges.counter.levels import Partings
from statelab.check.judges.counter.levels import Quiet
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
"""How far the state really reaches, in words."""

_REQUEST = LEVELS.index("request")


def scope(partings: Partings) -> Parting | None:
    """The coarsest parting in which every part is the history of one counter."""
    return next((parting for parting in partings if parting.found.valid), None)


def scope_in_words(reach: Parting | None) -> str | None:
    """How far the state reaches. A thread or process that served one request only shows no reach beyond the request."""
    if reach is None:
        return None
    alone = len(reach.found.told.first) == len(reach.found.told.row)
    return SCOPES["request" if alone and reach.level != "whole" else reach.level]


def home(partings: Partings) -> Parting | None:
    """The parting whose parts have one copy of the state each, as far as the history can tell; None: no parting.

    The numbers decide first: where every part is the history of one counter, each has its own (one shared copy would
    have to hand out 1, 2, 3, ... without a gap in every part). Then the totals: parts that all end at exactly
    their own increments have a copy each. Else it is the coarsest parting in whose parts the reads
    agree. None of this looks at single requests, which have nothing to compare with.
    """
    candidates = [parting for parting in partings if parting.level != "request"]
    for fits in (_valid, _adds_up, partial(_agrees, partings.quiet)):
        found = next((parting for parting in candidates if fits(parting)), None)
        if found:
            return found
    return None


def _valid(parting: Parting) -> bool:
    return parting.found.valid


def _adds_up(parting: Parting) -> bool:
    total = parting.totals
    return bool((total.read & (total.low == total.acks) & (total.high == total.acks)).all())


def _agrees(quiet: Quiet, parting: Parting) -> bool:
    return disagreement(quiet, parting) is None


def lost(partings: Partings, at: Parting) -> Bounds | None:
    """Bounds of the lost updates, given one copy for each part of `at`; None where nothing was read at the end.

    Where some server was not read at the end, the copies may be finer than the reads show. The bounds then also cover
    every finer parting (short of single requests) in which no counter exceeds what its own increments can make.
    """
    bounds = at.lost
    finer = [parting for parting in partings if LEVELS.index(at.level) < LEVELS.index(parting.level) < _REQUEST]
    for parting in finer if bounds else []:
        possible = not parting.found.gap.any() and not bool(parting.totals.read[parting.totals.acks > 0].all())
        other = parting.lost
        if bounds and other and possible:
            bounds = Bounds(min=min(bounds.min, other.min), max=max(bounds.max, other.max))
    return bounds
