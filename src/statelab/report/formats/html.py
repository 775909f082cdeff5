"""The report as one HTML file: it needs no network and no fonts, and its tables need no script.

The first view is small. Details of a cell, a fix or a mechanism open on demand, each at its own address.
"""

import gzip
import re
from base64 import b64encode
from functools import cache
from typing import Any

import msgspec
from jinja2 import Environment
from jinja2 import PackageLoader
from jinja2 import StrictUndefined
from markupsafe import Markup
from markupsafe import escape

from statelab.core.results import Witness
from statelab.report.content import states
from statelab.report.content.document import Report
from statelab.report.content.rows import anchor
from statelab.report.content.text import printable
from statelab.report.timeline.svg import NAMESPACE
from statelab.report.timeline.svg import timeline

COMMON = "all"
"""The part with the views that belong to no single workload."""


def render(report: Report) -> str:
    """The text of the page: the first view as HTML, everything else compressed, by workload."""
    parts = [(name, _packed(found)) for name, found in views(report).items()]
    return _environment().get_template("page.html").render(report=report, states=states, parts=parts)


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
        found[mechanism.workload] = part
    for change in (change for broken in report.broken for change in broken.changes):
        found[change.mechanism.workload][change.anchor] = make.change(change)
    return found


def _packed(found: dict[str, str]) -> str:
    """As JSON, gzip, base64; equal views give equal text."""
    return b64encode(
        gzip.compress(msgspec.json.encode({address: str(text) for address, text in found.items()}), mtime=0)
    ).decode()


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
