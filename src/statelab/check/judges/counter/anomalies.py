"""Names for what went wrong with a counter.

That something went wrong is proved by the checker; which name fits depends on where the copies of the state are."""

from dataclasses import dataclass

from statelab.check.judges.counter.copies import home, lost, scope
from statelab.check.judges.counter.levels import Levels, Split
from statelab.check.models.counter.race_events import RaceEvent, race_events
from statelab.check.models.counter.ranked import Answers
from statelab.core.results import ANOMALIES, Bounds
from statelab.record.columns import Mask


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Diagnosis:
    """Anomalies in the order of `results.ANOMALIES`, and what they were named from.

    `home` is the split with one copy of the state for each part (None: there is no such split); `events` are the race
    events inside the copies, if updates were lost. `reach` is the coarsest split in which each part behaves as one
    counter.
    """

    levels: Levels
    anomalies: tuple[str, ...]
    home: Split | None
    reach: Split | None
    events: tuple[RaceEvent, ...]
    lost: Bounds | None


def diagnose(given: Answers, *, stalled: bool = False) -> Diagnosis:
    """What went wrong with the state, and the stall if there was one.

    - `never-persists`: at least two increments were acknowledged, all were answered with initial + 1, and every final
      read (if there is one) found the initial value. Then no other anomaly of the state is named.
    - `divergent`: there are several copies; see `copies.home`. Unknown outcomes alone never lead to this name: one
      copy may change once for each increment that may still have been running.
    - within the copies: `overcounted` if one ended higher than all its increments could make it; `lost-update` if one
      ended lower than its acknowledged increments. If neither is the case but the answers contradict each other:
      `misreported` if the updates cannot have made these numbers: either no number was given twice, or more numbers
      are missing from the answers than there are unknown outcomes (always so if the total is right). Otherwise two
      equal numbers are a `lost-update` that the total does not show, because of unknown outcomes or for want of a
      final read.
    - `stalled`: the caller says so (`judgement.stalled`).
    """
    levels = Levels(given)
    whole = levels.at("whole")
    timed_out = {"stalled"} if stalled else set[str]()
    if whole.found.valid:
        return _diagnosis(levels, timed_out, whole, whole.lost)
    numbers, settled = given.value[given.answered & given.increment], given.value[given.settled]
    if len(numbers) >= 2 and (numbers == given.initial + 1).all() and (settled == given.initial).all():
        return _diagnosis(levels, timed_out | {"never-persists"}, None, whole.lost)
    copies = home(levels)
    divergent = {"divergent"} if copies is None or copies.level != "whole" else set[str]()
    if copies is None:
        return _diagnosis(levels, timed_out | divergent, None, None)
    return _diagnosis(levels, timed_out | divergent | _inside(copies), copies, lost(levels, copies))


def _diagnosis(levels: Levels, names: set[str], copies: Split | None, missing: Bounds | None) -> Diagnosis:
    return Diagnosis(
        levels=levels,
        anomalies=tuple(name for name in ANOMALIES if name in names),
        home=copies,
        reach=scope(levels),
        events=race_events(copies.found.by_number) if copies and "lost-update" in names else (),
        lost=missing,
    )


def _inside(copies: Split) -> set[str]:
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


def too_many_untold(copies: Split) -> Mask:
    """Copies where more numbers are missing from the answers than increments got no answer: some answer is false."""
    return copies.found.nobody > copies.totals.unknown + copies.totals.shared
