"""`make speed`, `make scale`: put what was measured last into docs/checking.md, with its plot, and docs/scale.md."""

import re
import sys

from benchmarks.checking import FOLDER
from statelab.core.paths import ROOT
from statelab.report.formats.markdown import marked, with_marked

MARKS = {"checking": "speed", "scale": "scale"}
"""For each page, the name of the marks between which its figures stand."""

PLOT = "checking-speed.svg"


def place(page: str) -> re.Pattern[str]:
    """Where the figures of a page stand."""
    return marked(MARKS[page])


def with_figures(page: str, text: str, figures: str) -> str:
    """The page's text with the figures between its marks; raises ValueError where there are none."""
    return with_marked(text, MARKS[page], figures)


def main() -> None:
    (page,) = sys.argv[1:]
    path, figures = ROOT / f"docs/{page}.md", (FOLDER / f"{page}-summary.md").read_text()
    if page == "checking":
        figures = f"{figures.strip()}\n\n![Seconds by number of operations]({PLOT})"
        (path.parent / PLOT).write_text((FOLDER / "checking.svg").read_text())
    path.write_text(with_figures(page, path.read_text(), figures))


if __name__ == "__main__":
    main()
