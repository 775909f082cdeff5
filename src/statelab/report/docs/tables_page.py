"""Writes the headline tables of a run between the marks in docs/tables.md, to which the README links."""

import sys
from pathlib import Path

from statelab.core.paths import REPORTS, ROOT
from statelab.report.formats.files import read_results
from statelab.report.formats.markdown import headline_markdown, with_marked


def main(run: Path) -> None:
    page = ROOT / "docs/tables.md"
    page.write_text(with_marked(page.read_text(), "headline", headline_markdown(read_results(run))))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else REPORTS / "latest")
