"""A reproduction in words: step by step, which request did what, where, and what it found and wrote."""

from collections.abc import Iterator
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.table import Table

from statelab.core.errors import counted
from statelab.core.operation import ServedBy
from statelab.core.results import ANOMALIES
from statelab.report.content.text import joined
from statelab.repro.outcome import Outcome
from statelab.repro.stage import Event
from statelab.repro.targets import Target

MOST_SHOWN = 8
"""If a step has more answers than this, only the first few and the last are shown."""


def _process(target: Target, server: ServedBy) -> str:
    """`pid 12`, and before it the host if there are several."""
    return f"{server.host}, pid {server.pid}" if target.deployment.hosts > 1 else f"pid {server.pid}"


def where(target: Target, server: ServedBy | None) -> str:
    """`pid 12, thread 13`, and the greenlet if there is one."""
    if server is None:
        return ""
    greenlet = f", greenlet {server.greenlet}" if server.greenlet else ""
    return f"{_process(target, server)}, thread {server.thread}{greenlet}"


def headline(target: Target) -> str:
    predicted = joined(target.prediction.anomalies) or "held"
    return f"{target.name}: {target.deployment.description}\npredicted: {predicted} ({target.prediction.reason})"


def steps(outcome: Outcome) -> Table:
    """One line for each event, in ms since the first request was sent."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("who", no_wrap=True)
    table.add_column("where", no_wrap=True)
    table.add_column("what")
    zero = min(operation.start for operation in outcome.play.operations)
    for at, *words in _rows(outcome):
        table.add_row(f"{(at - zero) / 1e6:,.1f}", *words)
    return table


def _rows(outcome: Outcome) -> Iterator[tuple[int, str, str, str]]:
    """Each event as time, who, where, what. Several answers of one step (`B1`, `B2`) share a line for each copy."""
    same_step = groupby(outcome.play.events, key=lambda event: (event.who.rstrip("0123456789"), event.what))
    for (who, what), grouped in same_step:
        events = list(grouped)
        if len(events) > 1 and what == "answered":
            yield from _together(outcome.target, who, events)
        else:
            for event in events:
                yield event.at, event.who, where(outcome.target, event.server), _what(outcome.target, event)


def _together(target: Target, who: str, events: list[Event]) -> Iterator[tuple[int, str, str, str]]:
    by_copy: dict[object, list[Event]] = {}
    for event in events:
        by_copy.setdefault(event.server and target.copy_of(event.server), []).append(event)
    for same in by_copy.values():
        # where all of them were answered: the one server if there is one, else the processes
        servers = [event.server for event in same if event.server]
        processes = dict.fromkeys(_process(target, server) for server in servers)
        if len(set(servers)) == 1:
            place = where(target, servers[0])
        else:
            place = joined(processes) if len(processes) < 3 else f"{len(processes)} processes"
        answers = [str(event.operation.result) for event in same if event.operation]
        shown = answers if len(answers) <= MOST_SHOWN else [*answers[: MOST_SHOWN - 2], "...", answers[-1]]
        yield same[-1].at, who, place, f"{counted(len(same), 'request')} here, told {joined(shown)}"


def _what(target: Target, event: Event) -> str:
    match event.what:
        case "held":
            return f"has come to its gate and is held {target.schedule.held_where}"
        case "passed":
            return "did not come to its gate"
        case "waits":
            return f"got no answer within {target.schedule.patience_s:g} s and waits"
        case "released":
            return "is let go"
        case "failed":
            assert event.operation
            return "got no answer in time" if event.operation.timed_out else f"failed: {event.operation.error}"
        case "answered":
            assert event.operation
            return target.script.in_words(event.operation, target.claims)


def conclusion(outcome: Outcome) -> str:
    """What was shown, why, and the judge's proof."""
    target, judgement = outcome.target, outcome.judgement
    kind = outcome.kind.capitalize()
    if outcome.kind == "cannot happen here":
        return f"{kind}: {target.prediction.reason}. Judged: {judgement.verdict}, {judgement.reason}."
    if outcome.kind in ("not reproduced", "undecided") or outcome.witness is None:
        predicted = target.anomaly or "held"
        return f"{kind}: {predicted} is predicted. Judged: {judgement.verdict}, {judgement.reason}."
    name, gate = outcome.witness.anomaly, "" if target.schedule.gated else f"\n{target.schedule.without_gate}"
    return f"{kind}: {name}, {ANOMALIES[name]}\n{outcome.witness.text}{gate}"
