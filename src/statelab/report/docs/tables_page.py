"""Writes the headline tables of a run between the marks in docs/tables.md, to which the README links."""

import re
import sys
from pathlib import Path

from statelab.core.paths import REPORTS
from statelab.core.paths import ROOT
from statelab.report.formats.files import read_results
from statelab.report.formats.markdown import headline_markdown

PLACE = re.compile(r"(<!-- headline:.*?-->\n).*?(<!-- /headline -->)", re.DOTALL)


def with_headline(text: str, table: str) -> str:
    """The text with the table between its marks; raises ValueError if it has none."""
    if not PLACE.search(text):
        raise ValueError("docs/tables.md has no headline marks")
    return PLACE.sub(lambda found: f"{found.group(1)}\n{table.strip()}\n\n{found.group(2)}", text)


def main(run: Path) -> None:
    page = ROOT / "docs/tables.md"
    page.write_text(with_headline(page.read_text(), headline_markdown(read_results(run))))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else REPORTS / "latest")
