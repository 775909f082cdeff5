"""Which anomalies a counter's history shows: whether it is violated is certain, what to call it takes some rules."""

from dataclasses import dataclass

from statelab.check.judges.counter.copies import home
from statelab.check.judges.counter.copies import lost
from statelab.check.judges.counter.copies import scope
from statelab.check.judges.counter.levels import Levels
from statelab.check.judges.counter.levels import Split
from statelab.check.models.counter.race_events import RaceEvent
from statelab.check.models.counter.race_events import race_events
from statelab.check.models.counter.ranked import Answers
from statelab.core.results import ANOMALIES
from statelab.core.results import Bounds
from statelab.record.columns import Mask


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Diagnosis:
    """Anomalies in the order of `results.ANOMALIES`, and what they follow from.

    `home` is the split in which each part was served by one copy of the state (None: there is no such split);
    `events` are the race events inside the copies, if updates were lost. `reach` is the coarsest split in which every
    part is the history of one counter.
    """

    levels: Levels
    anomalies: tuple[str, ...]
    home: Split | None
    reach: Split | None
    events: tuple[RaceEvent, ...]
    lost: Bounds | None


def diagnose(given: Answers) -> Diagnosis:
    """What went wrong with the state, and the stall if there was one.

    - `never-persists`: two increments or more were acknowledged, all were told initial + 1, and every final read (if
      there is one) found the initial value. Then it is the only anomaly of the state.
    - `divergent`: there is more than one copy of the state; see `copies.home`. Unknown outcomes alone do not cause
      it: one copy may change once for each increment that may still have been running.
    - within the copies: `overcounted` if one ended higher than all its increments could make it; `lost-update` if one
      ended lower than its acknowledged increments. If neither is the case but numbers contradict each other, it is
      `misreported` if they cannot be the values that the updates made: all differ, or more numbers were told to
      nobody than there are unknown outcomes (which is always so if the total is right). Otherwise each number may be
      true, so two equal numbers are a `lost-update`, hidden from the total by unknown outcomes or a missing final read.
    - `stalled`: an operation timed out.
    """
    levels = Levels(given)
    whole = levels.at("whole")
    stalled = {"stalled"} if given.history.timed_out.any() else set[str]()
    if whole.found.valid:
        return _diagnosis(levels, stalled, whole, whole.lost)
    if _never_persists(given):
        return _diagnosis(levels, stalled | {"never-persists"}, None, whole.lost)
    copies = home(levels)
    divergent = {"divergent"} if copies is None or copies.level != "whole" else set[str]()
    if copies is None:
        return _diagnosis(levels, stalled | divergent, None, None)
    return _diagnosis(levels, stalled | divergent | _inside(copies), copies, lost(levels, copies))


def _diagnosis(levels: Levels, names: set[str], copies: Split | None, missing: Bounds | None) -> Diagnosis:
    return Diagnosis(
        levels=levels,
        anomalies=tuple(name for name in ANOMALIES if name in names),
        home=copies,
        reach=scope(levels),
        events=race_events(copies.found.ranked) if copies and "lost-update" in names else (),
        lost=missing,
    )


def _never_persists(given: Answers) -> bool:
    told = given.value[given.answered & given.increment]
    settled = given.value[given.settled]
    return len(told) >= 2 and bool((told == given.initial + 1).all() and (settled == given.initial).all())


def _inside(copies: Split) -> set[str]:
    """The anomalies inside the copies."""
    if copies.found.valid:
        return set()
    names = {"overcounted"} if copies.totals.over.any() else set[str]()
    if copies.totals.gone.any():
        names.add("lost-update")
    if names:
        return names
    untrue = bool((copies.found.violated & too_many_untold(copies)).any())
    return {"misreported"} if untrue or not copies.found.duplicate.any() else {"lost-update"}


def too_many_untold(copies: Split) -> Mask:
    """Copies in which more numbers were told to nobody than increments have no answer: some answers must be wrong."""
    return copies.found.nobody > copies.totals.unknown + copies.totals.shared
