"""Makes operations of events: what each client asked for, and how it ended.

A client (`:process`) does one operation at a time, so an invoke goes with the next event of its process. `info`, and an
invoke without an end, leave the outcome unknown. The events of `:nemesis`, and of a process that never asks for
anything, are not operations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from statelab.core.operation import Unit
from statelab.foreign.events import Event
from statelab.foreign.refused import Refused

NS = 10**9
SECONDS = "stamps in seconds, read to the ns"

MIX = (
    "is a fraction or a whole number, unlike the ones before; either all are seconds with fractions, or all are whole "
    "numbers of one unit"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """An operation: its first event, its last one if there is any, and when they were."""

    asked: Event
    ended: Event | None
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Paired:
    """The operations of a history in the order in which they were asked for.

    `unit` is that of the stamps: `event` if they are places in the order of the events. `skipped` counts the events
    that belong to no operation. `order` says by what the events are ordered. `seconds`: the stamps were seconds with
    fractions, and are in ns now.
    """

    pairs: list[Pair]
    unit: Unit | None
    order: str
    skipped: int
    seconds: bool


def paired(events: Sequence[Event], time_unit: Unit | None) -> Paired:
    """The operations of events in any order; raises Refused. `time_unit` is the unit of whole-numbered times."""
    asking = {event.process for event in events if event.type == "invoke"}
    client = [event for event in events if event.process in asking and event.process != "nemesis"]
    ordered, stamps, unit, order = _stamped(client, time_unit)
    pairs: list[Pair] = []
    open_at: dict[int | str, int] = {}
    for event, stamp in zip(ordered, stamps, strict=True):
        place = open_at.pop(event.process, None)
        if event.type == "invoke":
            if place is not None:
                raise Refused(
                    f"process {event.process} asks for {event.f} before its {pairs[place].asked.f} of line "
                    f"{pairs[place].asked.line} ended, and a process does one operation at a time",
                    event.line,
                )
            open_at[event.process] = len(pairs)
            pairs.append(Pair(event, None, stamp, None))
        elif place is None:
            raise Refused(f"{event.type} of {event.f} by process {event.process}, which asked for nothing", event.line)
        elif event.f != pairs[place].asked.f:
            asked = pairs[place].asked
            raise Refused(
                f"{event.type} of {event.f} by process {event.process}, which asked for {asked.f} in line {asked.line}",
                event.line,
            )
        else:
            pairs[place] = replace(pairs[place], ended=event, end=None if event.type == "info" else stamp)
    seconds = unit == "ns" and any(isinstance(event.time, Decimal) for event in client)
    return Paired(pairs, unit, order, len(events) - len(client), seconds)


def _stamped(events: list[Event], time_unit: Unit | None) -> tuple[list[Event], list[int], Unit | None, str]:
    """The events in order, a stamp for each, the unit of the stamps, and by what they are ordered.

    The index orders them; without one, the place in the file, or the times if they go back in the file. The times are
    the stamps if they say all that the order says.
    """
    seconds = any(isinstance(event.time, Decimal) for event in events)
    unit: Unit | None = "ns" if seconds else time_unit
    if indexed := bool(events) and all(event.index is not None for event in events):
        events = sorted(events, key=lambda event: event.index or 0)
        for before, after in pairwise(events):
            if before.index == after.index:
                raise Refused(f"the index {after.index} is that of line {before.line} already", after.line)
    times = _times(events)
    if times is not None and not indexed and any(after < before for before, after in pairwise(times)):
        places = sorted(range(len(events)), key=lambda place: times[place])
        return [events[place] for place in places], [times[place] for place in places], unit, "by :time"
    if times is not None and _say_the_same(events, times):
        return events, times, unit, "by :time"
    return events, list(range(len(events))), "event", "by :index" if indexed else "in the order of the file"


def _times(events: list[Event]) -> list[int] | None:
    """The times in ns, or as the file has them; None where some event has none. Raises Refused for a mix."""
    if not events or any(event.time is None for event in events):
        return None
    fractions = [isinstance(event.time, Decimal) for event in events]
    if any(fractions) and not all(fractions):
        odd = events[fractions.index(not fractions[0])]
        raise Refused(f"the time {odd.time} {MIX}", odd.line)
    return [round(event.time * NS) if isinstance(event.time, Decimal) else event.time or 0 for event in events]


def _say_the_same(events: list[Event], times: list[int]) -> bool:
    """Whether the times say all that the order of the events says.

    They do not if one goes back, or if they stand still between an end and an invoke: these would count as concurrent.
    """
    ended_at = None
    for event, time in zip(events, times, strict=True):
        if event.type == "invoke" and ended_at == time:
            return False
        if event.type in ("ok", "fail"):
            ended_at = time
    return all(before <= after for before, after in pairwise(times))
