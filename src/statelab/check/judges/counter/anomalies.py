"""Names for what went wrong with a counter. A violation is proof whatever the coverage; its name needs more care."""

from dataclasses import dataclass

from statelab.check.judges.counter.copies import home
from statelab.check.judges.counter.copies import lost
from statelab.check.judges.counter.copies import scope
from statelab.check.judges.counter.levels import Parting
from statelab.check.judges.counter.levels import Partings
from statelab.check.models.counter.race_events import RaceEvent
from statelab.check.models.counter.race_events import race_events
from statelab.check.models.counter.ranked import Answers
from statelab.core.results import ANOMALIES
from statelab.core.results import Bounds
from statelab.record.columns import Mask


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Diagnosis:
    """Anomalies in the order of `results.ANOMALIES`, and what they were named from.

    `home` parts the history into what one copy of the state served (None: no parting does that); `events` are the
    race events inside the copies, where updates were lost. `reach` is the coarsest parting in which every part is one
    counter.
    """

    partings: Partings
    anomalies: tuple[str, ...]
    home: Parting | None
    reach: Parting | None
    events: tuple[RaceEvent, ...]
    lost: Bounds | None


def diagnose(given: Answers) -> Diagnosis:
    """What went wrong with the state, and the stall if there was one.

    - `never-persists`: two increments or more were acknowledged, all were told initial + 1, and every final read (if
      there is one) found the initial value. Then it is the only anomaly of the state.
    - `divergent`: the copies are finer than the whole; see `copies.home`. Unknown outcomes do not make it: one copy
      may change once for each increment that may still have been running.
    - within the copies: `overcounted` if one ended higher than all its increments could make it; `lost-update` if one
      ended lower than its acknowledged increments. If numbers contradict each other and neither is the case,
      `misreported` where they cannot be what the updates made: all differ, or more numbers went to nobody than there
      are unknown outcomes (as they always do where the total is right). Else each number may be true, so that two
      equal ones are a `lost-update`, which unknown outcomes or a missing final read keep from showing in the total.
    - `stalled`: an operation timed out.
    """
    partings = Partings(given)
    whole = partings.at("whole")
    stalled = {"stalled"} if given.history.timed_out.any() else set[str]()
    if whole.found.valid:
        return _diagnosis(partings, stalled, whole, whole.lost)
    if _never_persists(given):
        return _diagnosis(partings, stalled | {"never-persists"}, None, whole.lost)
    copies = home(partings)
    divergent = {"divergent"} if copies is None or copies.level != "whole" else set[str]()
    if copies is None:
        return _diagnosis(partings, stalled | divergent, None, None)
    return _diagnosis(partings, stalled | divergent | _inside(copies), copies, lost(partings, copies))


def _diagnosis(partings: Partings, names: set[str], copies: Parting | None, missing: Bounds | None) -> Diagnosis:
    return Diagnosis(
        partings=partings,
        anomalies=tuple(name for name in ANOMALIES if name in names),
        home=copies,
        reach=scope(partings),
        events=race_events(copies.found.told) if copies and "lost-update" in names else (),
        lost=missing,
    )


def _never_persists(given: Answers) -> bool:
    told = given.value[given.answered & given.increment]
    settled = given.value[given.settled]
    return len(told) >= 2 and bool((told == given.initial + 1).all() and (settled == given.initial).all())


def _inside(copies: Parting) -> set[str]:
    """What went wrong inside the copies."""
    if copies.found.valid:
        return set()
    names = {"overcounted"} if copies.totals.over.any() else set[str]()
    if copies.totals.gone.any():
        names.add("lost-update")
    if names:
        return names
    untrue = bool((copies.found.violated & too_many_untold(copies)).any())
    return {"misreported"} if untrue or not copies.found.duplicate.any() else {"lost-update"}


def too_many_untold(copies: Parting) -> Mask:
    """Copies with more numbers that nobody was told than increments without an answer: the answers are not true."""
    return copies.found.nobody > copies.totals.unknown + copies.totals.shared
