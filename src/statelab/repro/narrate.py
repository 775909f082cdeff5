"""A reproduction in words: step by step who did what, where, what it found and left."""

from collections.abc import Iterator
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.table import Table

from statelab.history import Operation
from statelab.history import ServedBy
from statelab.report.text import joined
from statelab.repro.outcome import Outcome
from statelab.repro.stage import Event
from statelab.repro.targets import Target
from statelab.results import ANOMALIES

NO_GATE = "It needs no gate: the copies differ although no request overlaps another."


def where(server: ServedBy | None) -> str:
    """`pid 12, thread 13`, and the greenlet where there is one."""
    if server is None:
        return ""
    greenlet = f", greenlet {server.greenlet}" if server.greenlet else ""
    return f"pid {server.pid}, thread {server.thread}{greenlet}"


def headline(target: Target) -> str:
    predicted = joined(target.prediction.anomalies) or "held"
    return f"{target.name}: {target.deployment.description}\npredicted: {predicted} ({target.prediction.reason})"


def steps(outcome: Outcome) -> Table:
    """One line for each thing that happened, in ms since the first request was sent."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("who", no_wrap=True)
    table.add_column("where", no_wrap=True)
    table.add_column("what")
    zero = min(operation.start for operation in outcome.play.operations)
    for event, what in _told(outcome):
        table.add_row(f"{(event.at - zero) / 1e6:,.1f}", event.who, where(event.server), what)
    return table


def _told(outcome: Outcome) -> Iterator[tuple[Event, str]]:
    """Each event in words; of several answers in a row to one client all but the last are told together."""
    for _, grouped in groupby(outcome.play.events, key=lambda event: (event.who, event.what)):
        *before, last = grouped
        if before:
            told = joined(str(event.operation.result) for event in before if event.operation)
            yield before[-1], f"is told {told}; is sent again, to meet the process that it has to meet"
        yield last, _what(outcome.target, last)


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
            return _failure(event.operation)
        case "answered":
            assert event.operation
            return target.script.in_words(event.operation, target.claims)


def _failure(operation: Operation | None) -> str:
    assert operation
    return "got no answer in time" if operation.timed_out else f"failed: {operation.error}"


def conclusion(outcome: Outcome) -> str:
    """What was shown, why, and the proof that the judge gives."""
    target, judgement = outcome.target, outcome.judgement
    if outcome.kind == "cannot happen here":
        return f"Cannot happen here: {target.prediction.reason}. Judged: {judgement.verdict}, {judgement.reason}."
    if outcome.kind == "not reproduced":
        return f"Not reproduced: {target.anomaly} is predicted. Judged: {judgement.verdict}, {judgement.reason}."
    name = target.anomaly or judgement.anomalies[0]
    gate = "" if target.schedule.gated else f"\n{NO_GATE}"
    return f"{outcome.kind.capitalize()}: {name}, {ANOMALIES[name]}\n{judgement.witnesses[name].text}{gate}"
