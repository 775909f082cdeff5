"""The report in a terminal, and the table of what state outlived."""

from collections.abc import Iterator
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from statelab.core.results import ENDINGS
from statelab.core.results import Results
from statelab.core.results import Survival
from statelab.report.content import figures
from statelab.report.content import states
from statelab.report.content.document import Report
from statelab.report.content.document import compose
from statelab.report.content.matrices import Matrix
from statelab.report.content.rows import Row
from statelab.report.content.store_comparison import StoreComparison
from statelab.report.content.text import printable
from statelab.report.content.text import shortened

STYLES = {
    "contradiction": "bold black on bright_yellow",
    "different": "magenta",
    "violated": "red",
    "not-seen": "cyan",
    "not-guaranteed": "yellow",
    "held": "green",
    "not-exercised": "dim",
    "unknown": "dim",
    "unavailable": "dim",
    "not-run": "dim",
}
LIVED = {"kept": "green", "lost": "red"}
PLAIN_WIDTH = 120
"""Columns to fill where nobody says how wide the paper is: a file or a pipe."""


def print_report(results: Results, console: Console, folder: Path | None = None) -> None:
    """Prints the report; where the output is no terminal it is as wide as a wide one. `folder` is where
    `write_report` put its page."""
    report = compose(results)
    width = console.width
    if not console.is_terminal:
        console.width = max(width, PLAIN_WIDTH)
    for part in _parts(report, console.width, folder):
        console.print(part)
    console.width = width


def _parts(report: Report, width: int, folder: Path | None) -> Iterator[Table | Text]:
    yield Text("  ".join(f"{name} {value}" for name, value in report.facts if name != "versions"), "dim")
    yield from _promises(report)
    for matrix in report.matrices:
        yield Text(f"\n{matrix.workload}, window {matrix.window}", "bold")
        yield from _tables(matrix, width)
    yield from _legend(report)
    yield from _findings(report)
    yield from _places(report.comparison)
    yield from _fixes(report, width)
    yield from (Text(printable(f"! {sentence}"), "yellow") for sentence in report.incomplete)
    yield _counts(report)
    yield Text(report.verdict, "bold red" if report.contradictions else "bold green")
    if folder is not None:
        yield Text(f"The page: {folder / 'index.html'}")


def _promises(report: Report) -> Iterator[Table | Text]:
    """How many mechanisms keep each promise; nothing where there is only one workload."""
    if len(report.promises) < 2:
        return
    yield Text("\nAll promises: mechanisms that keep it, of those measured", "bold")
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    grid.add_column("promise", no_wrap=True)
    for deployment in report.deployments:
        grid.add_column(_head(deployment.name), no_wrap=True)
    for promise in report.promises:
        grid.add_row(promise.workload, *(f"{s.kept}/{s.of}" if s.of else "–" for s in promise.shares))
    yield grid


def _tables(matrix: Matrix, width: int) -> Iterator[Table]:
    """One table, or as many as it takes to keep every line whole."""
    names = max([len("processes answered"), *(len(line.mechanism.name) for line in matrix.lines)])
    columns: list[int] = []
    used = names
    for place in range(len(matrix.deployments)):
        needed = _width(matrix, place) + 1
        if columns and used + needed > width:
            yield _table(matrix, columns)
            columns, used = [], names
        columns.append(place)
        used += needed
    yield _table(matrix, columns)


def _width(matrix: Matrix, place: int) -> int:
    marks = [_mark(line.rows[place]) for line in matrix.lines]
    return max(map(len, [*_head(matrix.deployments[place].name).split("\n"), *marks, matrix.coverage[place]]))


def _table(matrix: Matrix, columns: list[int]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True)
    for place in columns:
        table.add_column(_head(matrix.deployments[place].name), no_wrap=True, vertical="bottom")
    for group in matrix.groups:
        if group.name:
            table.add_row(Text(f"reaches {group.name}", "dim italic"))
        for line in group.lines:
            table.add_row(printable(line.mechanism.name), *(_cell(line.rows[place]) for place in columns))
    table.add_row(Text("processes answered", "dim"), *(Text(matrix.coverage[place], "dim") for place in columns))
    return table


def _head(name: str) -> str:
    """The name in lines short enough for a column of marks: broken after hyphens."""
    lines = [""]
    for part in printable(name).replace("-", "-\0").split("\0"):
        if lines[-1] and len(lines[-1] + part) > 8:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _mark(row: Row) -> str:
    """`✗LU,DV`, `≠DV+LU`, `◌LU`, `✓`, `?NX`: symbol and codes without spaces."""
    text = row.state.symbol
    for place, code in enumerate(row.codes or [states.SHORT_WORDS.get(row.state.name, "")]):
        text += code if place == 0 or code[0] in "+−" else f",{code}"
    return text


def _cell(row: Row) -> Text:
    return Text(printable(_mark(row)), STYLES[row.state.name])


def _legend(report: Report) -> Iterator[Table]:
    table = Table(box=SIMPLE_HEAD, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for state, _ in report.tally:
        sign = state.symbol + states.SHORT_WORDS.get(state.name, "")
        table.add_row(Text(sign, STYLES[state.name]), state.legend)
    for code, name, meaning in report.anomalies:
        table.add_row(Text(code, "bold"), f"{name}: {meaning}")
    table.add_row("n/m", "processes that answered of those expected, the fewest in the column; new: one each request")
    yield table


def _findings(report: Report) -> Iterator[Text]:
    kinds = (
        (states.CONTRADICTION, report.contradictions),
        (states.DIFFERENT, report.differences),
        (states.NOT_SEEN, report.not_seen),
    )
    for state, sentences in kinds:
        for sentence in sentences:
            yield Text.assemble((state.symbol, STYLES[state.name]), " ", printable(sentence.text).replace("`", ""))
    for absence in report.absences:
        yield Text.assemble((states.UNAVAILABLE.symbol, "dim"), " ", printable(absence.text).replace("`", ""))


def _places(comparison: StoreComparison | None) -> Iterator[Table | Text]:
    """One line a place: what holds, how fast, and what it outlives."""
    if comparison is None:
        return
    where = f" (speed under {comparison.deployment.name})" if comparison.deployment else ""
    yield Text(f"\nPlaces to keep a counter{where}", "bold")
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    lives = comparison.endings if comparison.tried else []
    for head in ("place", "read,\nwrite", "one\nstep", "by", "ops/s", "p95\nms", *map(_head, lives)):
        table.add_column(head, no_wrap=True, vertical="bottom")
    for place in comparison.places:
        naive = f"{place.naive.held}/{place.naive.of}" if place.naive else figures.NONE
        speeds = [text if factor else figures.NONE for text, factor in place.speeds]
        lived = [Text(mark.text, LIVED.get(mark.word, "dim")) for mark in (place.lived if lives else [])]
        table.add_row(
            place.name, naive, f"{place.atomic.held}/{place.atomic.of}", printable(place.atomic.name), *speeds, *lived
        )
    yield table
    yield Text(f"holds under so many deployments; {'then what it outlives; ' * bool(lives)}the page says more", "dim")


def _fixes(report: Report, width: int) -> Iterator[Text]:
    """One line a broken mechanism: what holds in its place, and its throughput over that of the broken one."""
    if report.broken:
        yield Text("\nNearest that holds, with its throughput over the broken one's", "bold")
    for broken in report.broken:
        told = [f"{change.fix.name} {change.rate_ratios}" for change in broken.changes]
        told += [f"none for {broken.without}"] if broken.unfixed else []
        yield Text("  " + shortened(printable(f"{broken.mechanism.name} → {'; '.join(told)}"), width - 2))


def _counts(report: Report) -> Text:
    parts = [(f"{state.symbol} {number:,} {state.title}", STYLES[state.name]) for state, number in report.tally]
    text = Text(f"\n{report.cells:,} cells: ")
    for place, (part, style) in enumerate(parts):
        text.append("  " if place else "").append(part, style)
    return text


Tried = dict[tuple[str, str], Survival]


def survival_table(survival: list[Survival]) -> Iterator[Table | Text]:
    """The table, its legend, and a sentence for each that was not found out."""
    tried = {(each.mechanism, each.ending): each for each in survival}
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("counter kept in", no_wrap=True)
    for ending in ENDINGS:
        table.add_column(ending, no_wrap=True)
    for mechanism in dict.fromkeys(each.mechanism for each in survival):
        table.add_row(printable(mechanism), *(_survived(tried[mechanism, ending]) for ending in ENDINGS))
    table.add_row(Text("ms to answer again", "dim"), *(Text(_ms(tried, ending), "dim") for ending in ENDINGS))
    yield table
    yield _endings_legend()
    for each in survival:
        if each.kept is None and each.predicted is not None:
            yield Text(printable(f"{states.UNKNOWN.symbol} {each.mechanism}, {each.ending}: {each.reason}"), "yellow")


def _survived(tried: Survival) -> Text:
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


def _endings_legend() -> Table:
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
