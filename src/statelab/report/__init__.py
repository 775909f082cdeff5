"""The last stage: results in, and one set of rows out as terminal text, Markdown, one HTML page, CSV and JSON.

Nothing is measured or judged here; the input is a `Results` value and nothing else.
"""

from pathlib import Path

from rich.console import Console

from statelab.core.results import Results
from statelab.report import terminal
from statelab.report.document import compose
from statelab.report.files import read_results
from statelab.report.files import write_report
from statelab.report.markdown import headline_markdown
from statelab.report.states import contradicts
from statelab.report.svg import timeline

__all__ = ["contradicts", "headline_markdown", "print_report", "read_results", "timeline", "write_report"]


def print_report(results: Results, console: Console, folder: Path | None = None) -> None:
    """Prints the report; `folder` is where `write_report` put its page."""
    terminal.show(compose(results), console, folder)
