"""What state outlived, as one table in the terminal: mechanisms down, endings across, predicted beside measured."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from statelab.core.results import ENDINGS
from statelab.core.results import Survival
from statelab.report.content import figures
from statelab.report.content import states
from statelab.report.content.text import printable

Tried = dict[tuple[str, str], Survival]


def survival_table(survival: list[Survival]) -> Iterator[Table | Text]:
    """The table, its legend, and a sentence for each that was not found out."""
    tried = {(each.mechanism, each.ending): each for each in survival}
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("counter kept in", no_wrap=True)
    for ending in ENDINGS:
        table.add_column(ending, no_wrap=True)
    for mechanism in dict.fromkeys(each.mechanism for each in survival):
        table.add_row(printable(mechanism), *(_mark(tried[mechanism, ending]) for ending in ENDINGS))
    table.add_row(Text("ms to answer again", "dim"), *(Text(_ms(tried, ending), "dim") for ending in ENDINGS))
    yield table
    yield _legend()
    for each in survival:
        if each.kept is None and each.predicted is not None:
            yield Text(printable(f"{states.UNKNOWN.symbol} {each.mechanism}, {each.ending}: {each.reason}"), "yellow")


def _mark(tried: Survival) -> Text:
    if tried.kept is None:
        sign = figures.NONE if tried.predicted is None else states.UNKNOWN.symbol
        return Text(sign, "dim")
    word = f"{states.HELD.symbol} kept" if tried.kept else f"{states.VIOLATED.symbol} {tried.counted} → {tried.found}"
    if tried.agrees:
        return Text(word, "green" if tried.kept else "red")
    said = "kept" if tried.predicted else "lost"
    return Text(f"{states.CONTRADICTION.symbol} {word}, {said} predicted", "bold black on bright_yellow")


def _ms(tried: Tried, ending: str) -> str:
    return next((f"{each.ms:,.0f}" for each in tried.values() if each.ending == ending), figures.NONE)


def _legend() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    signs = {
        f"{states.HELD.symbol} kept": "read back as it was",
        f"{states.VIOLATED.symbol} n → m": "lost: counted to n before, m after",
        figures.NONE: "it needs no store that could end",
        states.CONTRADICTION.symbol: "the rule says otherwise: the lab, or the claim `survives`, is wrong",
    }
    for sign, meaning in (signs | ENDINGS).items():
        table.add_row(Text(sign, "bold"), meaning)
    return table
