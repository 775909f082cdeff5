"""The report as one HTML file: it needs no network and no fonts, and its tables need no script.

The first view is small. Details of a cell, a fix or a mechanism open on demand, each at its own address.
"""

import gzip
import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from statelab.core.results import Witness
from statelab.report.comparison import RunComparison, in_words, throughput_in_words
from statelab.report.content import figures, states
from statelab.report.content.document import Report
from statelab.report.content.finder import questions
from statelab.report.content.orders import games
from statelab.report.content.rows import Row, anchor
from statelab.report.content.text import printable
from statelab.report.formats.plot_over_time import plot
from statelab.report.over_time import OverTime, conditions
from statelab.report.timeline.svg import NAMESPACE, timeline
from statelab.theory.failures import RUNS

COLOURS = {
    "contradiction": "loud",
    "different": "other",
    "violated": "broken",
    "violated-not-predicted": "broken",
    "not-seen": "unseen",
    "not-guaranteed": "open",
    "held-not-predicted": "open",
    "held": "held",
    "not-exercised": "grey",
    "unknown": "grey",
    "unavailable": "grey",
    "not-run": "grey",
}
"""The colour of the style sheet that each state has in a picture."""

COMMON = "all"
"""The part with the views that belong to no single workload."""


def render(report: Report) -> str:
    """The text of the page: the first view as HTML; everything else by workload, as JSON in gzip in base64."""
    parts = []
    for name, found in views(report).items():
        text = msgspec.json.encode({address: str(view) for address, view in found.items()})
        # Without a time stamp in the gzip header equal views give equal text.
        parts.append((name, b64encode(gzip.compress(text, mtime=0)).decode()))
    return _rendered("page.html", report=report, states=states, parts=parts)


def render_comparison(found: RunComparison, names: tuple[str, str], pages: tuple[str, str]) -> str:
    """The text of the page of a comparison. `names` are what the runs are called, `pages` where their own pages are,
    seen from this one."""
    shown = {"verdicts": found.verdicts, "anomalies": found.anomalies, "throughput": found.throughput}
    return _rendered(
        "comparison.html",
        found=found,
        before=names[0],
        after=names[1],
        pages=pages,
        states=states,
        changes={kind: [(each, Row(each.before), Row(each.after)) for each in of] for kind, of in shown.items()},
        ratio=lambda change: figures.ratio((change.after.rate_ops_s or 0) / (change.before.rate_ops_s or 1)),
        throughput=throughput_in_words(found),
    )


def render_over_time(found: OverTime, pages: Sequence[str | None]) -> str:
    """The text of the page of many runs. `pages` are where the runs' own pages are, seen from this one."""
    names = [run.name for run in found.runs]
    return _rendered(
        "over_time.html",
        found=found,
        runs=list(zip(found.runs, [None, *found.steps], pages, strict=True)),
        others=[cell for cell in found.cells if not cell.turns],
        states=states,
        colours=[(state.name, COLOURS[state.name]) for state in states.STATES],
        plot=lambda cell: Markup(plot(cell, names)),
        anchor=lambda key: anchor(key.workload, key.mechanism, key.deployment, key.window),
        in_words=in_words,
        conditions=conditions,
    )


def views(report: Report) -> dict[str, dict[str, str]]:
    """The HTML of everything that opens on demand: workload -> address on the page -> HTML."""
    make: Any = _environment().get_template("views.html").module
    found: dict[str, dict[str, str]] = {COMMON: {}}
    if report.examples:
        found[COMMON]["proofs"] = make.proofs(report)
    if report.broken:
        found[COMMON]["fixes"] = make.fixes(report)
    for matrix in report.matrices:
        found.setdefault(matrix.workload, {})[f"{matrix.anchor}.speed"] = make.speed(matrix)
    for mechanism, rows in report.mechanisms:
        part, address = found[mechanism.workload], anchor(mechanism.workload, mechanism.name)
        part[address] = make.mechanism(report, mechanism, rows)
        part[f"{address}.source"] = make.source(mechanism, address)
        part |= {row.anchor: make.cell(report, row) for row in rows}
    for change in (change for broken in report.broken for change in broken.changes):
        found[change.mechanism.workload][change.anchor] = make.change(change)
    found["play"] = _plays()
    found["finder"] = _finder(frozenset(row.anchor for row in report.rows if row.ran))
    return found


@cache
def _plays() -> dict[str, str]:
    """What can be played, by address; `play` is the first of them."""
    make: Any = _environment().get_template("play.html").module
    found: dict[str, str] = {}
    for game in games():
        data = {"moments": game.moments, "ends": [str(make.end(game, end)) for end in game.ends], "shown": game.shown}
        found[game.address] = make.play(game, games(), msgspec.json.encode(data).decode())
    return {"play": next(iter(found.values())), **found}


def _finder(measured: frozenset[str]) -> dict[str, str]:
    """The finder, and each of its answers at an address of its own; `measured` are the cells that a page has."""
    make: Any = _environment().get_template("finder.html").module
    answers = {
        each.address: make.answer(each, measured, RUNS)
        for left in questions().values()
        for found in left.values()
        for each in found
    }
    return {"finder": make.finder(questions(), measured, RUNS), **answers}


def play_page(home: str = "") -> str:
    """A page of its own with all that can be played; the link in its head leads to `home`."""
    pieces = [(address, text) for address, text in _plays().items() if address != "play"]
    body = Markup("").join(Markup('<div data-piece="{}">{}</div>').format(*piece) for piece in pieces)
    return alone("play the scheduler", body, home, script=True)


def finder_page(home: str = "") -> str:
    """A page of its own with the finder, which needs no script."""
    return alone("what is your symptom?", _finder(frozenset())["finder"], home)


def alone(title: str, body: str, home: str, *, script: bool = False) -> str:
    """A page of its own with one thing on it; `script` adds the script for what is played."""
    return _rendered("alone.html", title=title, body=body, home=home, script=script)


def _rendered(template: str, **values: object) -> str:
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("statelab.report.formats"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["ticked"] = _ticked
    environment.filters["timeline"] = _inline_timeline
    return environment


def _shown(value: object) -> object:
    """Removes control characters from every text before it is escaped."""
    return printable(value) if type(value) is str else value


def _ticked(text: str) -> Markup:
    """The text escaped, with code where it has backticks."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(printable(text)))))


def _inline_timeline(witness: Witness) -> Markup:
    """The picture for use inside a page, where SVG needs no namespace."""
    return Markup(timeline(witness).replace(NAMESPACE, "", 1))
