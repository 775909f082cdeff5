"""The report as one HTML page that needs nothing but itself: no network, no fonts, and no script to be complete."""

import re
from functools import cache

from jinja2 import Environment
from jinja2 import PackageLoader
from jinja2 import StrictUndefined
from markupsafe import Markup
from markupsafe import escape

from statelab.core.results import Witness
from statelab.report.content import states
from statelab.report.content.document import Report
from statelab.report.content.text import printable
from statelab.report.content.text import shortened
from statelab.report.timeline.svg import NAMESPACE
from statelab.report.timeline.svg import timeline


def render(report: Report) -> str:
    """The page's text."""
    return _environment().get_template("page.html").render(report=report, states=states)


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
    environment.filters["shortened"] = shortened
    environment.filters["timeline"] = _inline_timeline
    return environment


def _shown(value: object) -> object:
    """Every text goes through here before it is escaped."""
    return printable(value) if type(value) is str else value


def _ticked(text: str) -> Markup:
    """Escaped text with what stands in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(printable(text)))))


def _inline_timeline(witness: Witness) -> Markup:
    """The picture inside a page, which knows SVG without its namespace."""
    return Markup(timeline(witness).replace(NAMESPACE, "", 1))
