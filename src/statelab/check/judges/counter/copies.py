"""Where the copies of the state are, and how many updates got lost in them."""

from statelab.check.judges.counter.levels import Levels, Split
from statelab.check.judges.counter.quiet_reads import disagreement
from statelab.check.kernels.levels import LEVELS, Level
from statelab.core.results import Bounds

SCOPES: dict[Level, str] = {
    "whole": "one value for all",
    "host": "one value per host",
    "process": "one value per process",
    "thread": "one value per thread",
    "greenlet": "one value per greenlet",
    "request": "one value per request",
}
"""Who shares one value, in words."""

_REQUEST = LEVELS.index("request")


def scope(levels: Levels) -> Split | None:
    """The coarsest split in which each part behaves as one counter."""
    return next((split for split in levels if split.found.valid), None)


def scope_in_words(reach: Split | None) -> str | None:
    """Who shares one value. If each thread or process served one request only, nothing shows that they share more."""
    if reach is None:
        return None
    alone = len(reach.found.by_number.first) == len(reach.found.by_number.row)
    return SCOPES["request" if alone and reach.level != "whole" else reach.level]


def home(levels: Levels) -> Split | None:
    """The split with one copy of the state for each part, as far as the history can tell; None: there is none.

    Three criteria, the first that fits some split decides. The numbers: each part behaves as one counter (if the parts
    shared a copy, it could not give 1, 2, 3, ... without a gap to every part). The totals: each part ends at exactly
    the number of its own increments. The reads: those of each part agree. The coarsest split that fits is taken.
    Single requests are left out, because each has only one answer.
    """
    candidates = [split for split in levels if split.level != "request"]
    for fits in (lambda split: split.found.valid, _adds_up, lambda split: disagreement(levels.quiet, split) is None):
        found = next((split for split in candidates if fits(split)), None)
        if found:
            return found
    return None


def _adds_up(split: Split) -> bool:
    total = split.totals
    return bool((total.read & (total.low == total.acks) & (total.high == total.acks)).all())


def lost(levels: Levels, at: Split) -> Bounds | None:
    """Bounds of the lost updates, given one copy for each part of `at`; None if nothing was read at the end.

    If some server was not read at the end, there may be more copies than the reads show. The bounds then also cover
    every finer split (except that by request) in which no counter is higher than its own increments can make it.
    """
    bounds = at.lost
    finer = [split for split in levels if LEVELS.index(at.level) < LEVELS.index(split.level) < _REQUEST]
    for split in finer if bounds else []:
        possible = not split.found.gap.any() and not bool(split.totals.read[split.totals.acks > 0].all())
        other = split.lost
        if bounds and other and possible:
            bounds = Bounds(min=min(bounds.min, other.min), max=max(bounds.max, other.max))
    return bounds
