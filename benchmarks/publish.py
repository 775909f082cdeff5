"""`make speed`: puts what `make bench BENCH=checking` measured last into docs/checking.md, and its plot beside it."""

import re

from benchmarks.checking import FOLDER
from statelab.core.paths import ROOT

PLACE = re.compile(r"(<!-- speed:.*?-->\n).*?(<!-- /speed -->)", re.DOTALL)
PLOT = "checking-speed.svg"


def with_figures(text: str, figures: str) -> str:
    """The text with the figures and the plot between its marks; raises ValueError where there are none."""
    if not PLACE.search(text):
        raise ValueError("docs/checking.md has no speed marks")
    shown = f"{figures.strip()}\n\n![Seconds by number of operations]({PLOT})"
    return PLACE.sub(lambda found: f"{found.group(1)}\n{shown}\n\n{found.group(2)}", text)


def main() -> None:
    page = ROOT / "docs/checking.md"
    page.write_text(with_figures(page.read_text(), (FOLDER / "checking-summary.md").read_text()))
    (page.parent / PLOT).write_text((FOLDER / "checking.svg").read_text())


if __name__ == "__main__":
    main()
