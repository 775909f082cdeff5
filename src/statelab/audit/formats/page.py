"""The audit as one self-contained HTML page that looks like the report."""

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from statelab.audit.finding import MEANINGS, Audit
from statelab.audit.http_file import written
from statelab.audit.tell import differences
from statelab.audit.text import CODES, cell, groups, outcome
from statelab.report.content.text import printable


def render(audit: Audit) -> str:
    numbers = {id(finding): number for number, finding in enumerate(audit.findings, 1)}
    return (
        _environment()
        .get_template("audit.html")
        .render(
            audit=audit,
            outcome=outcome(audit),
            groups=groups(audit),
            numbers=numbers,
            cell=cell,
            codes=CODES,
            meanings=MEANINGS,
            written=written,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("statelab.audit.formats"), PackageLoader("statelab.report.formats")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.globals["marked"] = _marked
    environment.globals["id"] = id
    return environment


def _marked(text: str, other: str) -> Markup:
    """The text, with the parts marked that differ from the other text."""
    pieces = (
        Markup("<mark>{}</mark>").format(printable(piece)) if differs else escape(printable(piece))
        for piece, differs in differences(other, text)
    )
    return Markup("").join(pieces)
