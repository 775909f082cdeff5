"""The report in a terminal, and the table of what state outlived."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from statelab.core.calls import EVERYTHING
from statelab.core.results import ENDINGS, Results, Survival
from statelab.plan.profiles import ESSENTIALS
from statelab.report.content import figures, states
from statelab.report.content.document import Report, compose
from statelab.report.content.matrices import Deployment, Matrix, PromiseLine, Share
from statelab.report.content.rows import Row
from statelab.report.content.states import State
from statelab.report.content.store_comparison import StoreComparison
from statelab.report.content.summary import Sentence
from statelab.report.content.text import printable, shortened

STYLES = {
    "contradiction": "bold black on bright_yellow",
    "different": "magenta",
    "violated": "red",
    "violated-not-predicted": "red",
    "not-seen": "cyan",
    "not-guaranteed": "yellow",
    "held-not-predicted": "yellow",
    "held": "green",
    "not-exercised": "dim",
    "unknown": "dim",
    "unavailable": "dim",
    "not-run": "dim",
}
TONES = {"held": "green", "violated": "red", "some": "yellow", "not-run": "dim"}
LIVED = {"kept": "green", "lost": "red"}
PLAIN_WIDTH = 120
"""Width in columns if the output is no terminal: a file or a pipe."""
SCREEN_LINES, SCREEN_WIDTH = 45, 100
"""One screen of text. A report that is longer with all of its tables is printed without them."""
MOST, MOST_OF_PROOF = 270, 360
"""Where a report is to fit on one screen: the most characters of a sentence about a surprise, and of its proof."""

FACTS = ("profile", "engine", "started")
NAMED = 3
"""How many mechanisms of a workload a sentence names, and how many surprises are shown with their proof."""


def print_report(results: Results, console: Console, folder: Path | None = None, *, tables: bool | None = None) -> None:
    """Prints one screen. If the output is no terminal, it gets the width of a wide terminal.

    `folder` is where `write_report` put its page. `tables` prints every table, however long (None: only if all of them
    fit on one screen).
    """
    report = compose(results)
    width = console.width
    if not console.is_terminal:
        console.width = max(width, PLAIN_WIDTH)
    parts = list(_parts(report, console.width, folder, tables=True))
    if tables is None:
        tables = sum(len(console.render_lines(part)) for part in parts) <= SCREEN_LINES
    if not tables:
        console.width = min(console.width, SCREEN_WIDTH)
        parts = list(_parts(report, console.width, folder, tables=False))
    for part in parts:
        console.print(part)
    console.width = width


def _parts(report: Report, width: int, folder: Path | None, *, tables: bool) -> Iterator[Table | Padding | Text]:
    """The most important parts come last, next to the prompt: surprises with their proofs, the verdict, the page."""
    yield Text("  ".join(f"{name} {value}" for name, value in report.facts if tables or name in FACTS), "dim")
    if tables:
        for matrix in report.matrices:
            yield Text(f"\n{matrix.workload}, window {matrix.window}", "bold")
            yield from _tables(matrix, width)
        yield from _legend(report)
        yield from _sentences(states.NOT_SEEN, report.not_seen)
        yield from (Text.assemble((states.UNAVAILABLE.symbol, "dim"), f" {_plain(a.text)}") for a in report.absences)
        yield from _store_comparison(report.comparison)
        yield from _fixes(report, width)
    else:
        yield Text("\nThe promises: mechanisms that keep it, of those measured", "bold")
        yield from promise_tables(report.promises, report.deployments, width)
        for absence in report.absences[:NAMED]:
            said = shortened(_plain(f"{len(absence.rows)} unavailable: {absence.text}"), width - 2)
            yield Text.assemble((states.UNAVAILABLE.symbol, "dim"), f" {said}")
    yield from (Text(printable(f"! {sentence}"), "yellow") for sentence in report.incomplete)
    counts = [Text(f"{state.symbol} {number:,} {state.title}", STYLES[state.name]) for state, number in report.tally]
    yield Text.assemble(f"\n{report.cells:,} cells: ", Text("  ").join(counts))
    yield from (Text(printable(f"= {column.text}"), "dim") for column in report.same_columns)
    yield Text.assemble(("What breaks: ", "bold"), report.breaks)
    holding = [f"{workload}: {names[0]}" + f" +{len(names) - 1}" * (len(names) > 1) for workload, names in report.holds]
    found = printable("; ".join(holding) or "nothing")
    yield Text.assemble(("What holds wherever it was measured: ", "bold"), f"{found}.")
    yield from _surprises(report, short=not tables)
    yield Text(report.verdict, "bold red" if report.fails else "bold green")
    if dict(report.facts).get("profile", "").startswith(ESSENTIALS):
        yield Text(f"Every mechanism under every deployment: {_plain(EVERYTHING)}")
    if folder is not None:
        yield Text.assemble("The page: ", page_of(folder))


def page_of(folder: Path) -> Text:
    """Where the page of a run is."""
    return location(folder / "index.html")


def location(page: Path) -> Text:
    """A file's path as seen from the working directory, as a link: terminals that support links open it at a click."""
    page = page.absolute()
    shown = page.relative_to(Path.cwd()) if page.is_relative_to(Path.cwd()) else page
    return Text(str(shown), f"link {page.as_uri()}")


def _plain(text: str) -> str:
    return printable(text).replace("`", "")


def promise_tables(promises: Sequence[PromiseLine], deployments: Sequence[Deployment], width: int) -> Iterator[Table]:
    """How many mechanisms keep each promise under each deployment."""
    names = max([len("promise"), *(len(promise.workload) for promise in promises)])
    heads = [_head(deployment.name) for deployment in deployments]
    marks = [[_share(promise.shares[place]) for promise in promises] for place in range(len(deployments))]
    widths = [max(*map(len, head.split("\n")), *map(len, column)) for head, column in zip(heads, marks, strict=True)]
    for places in _side_by_side(names, widths, width):
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        table.add_column("promise", no_wrap=True, min_width=names)
        for place in places:
            table.add_column(heads[place], no_wrap=True, vertical="bottom", min_width=widths[place])
        for line, promise in enumerate(promises):
            table.add_row(promise.workload, *(marks[place][line] for place in places))
        yield table


def _share(share: Share) -> Text:
    """`✗ 4/10`, where some break the promise; `✓ 2/2`, where none does."""
    if not share.of:
        return Text(states.NOT_RUN.symbol, "dim")
    sign = states.VIOLATED if share.broken else states.HELD if share.kept == share.of else states.UNKNOWN
    return Text(f"{sign.symbol} {share.kept}/{share.of}", TONES[share.tone])


def _sentences(state: State, sentences: list[Sentence]) -> Iterator[Text]:
    return (Text.assemble((state.symbol, STYLES[state.name]), f" {_plain(s.text)}") for s in sentences)


def _surprises(report: Report, *, short: bool) -> Iterator[Padding | Text]:
    """What was seen although it was not predicted, the first few with their proofs; for an app of which nothing is
    predicted, the broken promises. `short`: only the first has its proof, and the beginning of it is enough."""
    seen = report.broken_promises or report.surprises
    if report.of_own_app and not seen:
        return
    if not seen:
        yield Text.assemble(("What surprised: ", "bold"), "nothing was seen that was not predicted.")
        return
    title = "Broken promises:" if report.broken_promises else "What surprised (seen, although it was not predicted):"
    yield Text(title, "bold")
    for place, sentence in enumerate(seen[:NAMED]):
        text = shortened(sentence.text, MOST) if short else sentence.text
        yield from _sentences(sentence.rows[0].state, [Sentence(text)])
        if sentence.proof and sentence.proof.cell.witness and not (short and place):
            proof = sentence.proof.cell.witness.text
            shown = printable(shortened(proof, MOST_OF_PROOF) if short else proof)
            yield Padding(Text(shown, "dim"), (0, 0, 0, 4), expand=False)
        if sentence.proof and sentence.proof.repro:
            yield Text(f"    {sentence.proof.repro}")
    others = len(seen) - NAMED
    if others > 0:
        yield Text(f"{others} more such sentences, with their proofs, come first on the page and in report.md.")


def _tables(matrix: Matrix, width: int) -> Iterator[Table]:
    """One table, or several if the lines would be too long for one."""
    names = max([len("processes answered"), *(len(line.mechanism.name) for line in matrix.lines)])
    widths = []
    for place, (deployment, answered) in enumerate(zip(matrix.deployments, matrix.coverage, strict=True)):
        cells = [_cell(line.rows[place]).plain for line in matrix.lines]
        widths.append(max(map(len, [*_head(deployment.name).split("\n"), *cells, answered])))
    return (_table(matrix, columns) for columns in _side_by_side(names, widths, width))


def _side_by_side(names: int, widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """The columns that fit beside the names, table by table."""
    columns: list[int] = []
    used = names
    for place, wide in enumerate(widths):
        if columns and used + wide + 1 > width:
            yield columns
            columns, used = [], names
        columns.append(place)
        used += wide + 1
    yield columns


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
    """The name, broken after hyphens so that it fits a narrow column."""
    lines = [""]
    for part in printable(name).replace("-", "-\0").split("\0"):
        if lines[-1] and len(lines[-1] + part) > 8:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _cell(row: Row) -> Text:
    """`✗LU,DV`, `≠DV+LU`, `✗LU(DV)`, `◌LU`, `✓`, `?NX`: symbol and codes without spaces; in brackets what was predicted
    and not seen."""
    mark = row.state.symbol
    for place, code in enumerate(row.codes or [states.SHORT_WORDS.get(row.state.name, "")]):
        mark += code if place == 0 or code[0] == "+" else f",{code}"
    unseen = f"({row.unseen.removeprefix('not seen: ').replace(' ', ',')})" if row.unseen else ""
    return Text(printable(mark), STYLES[row.state.name]).append(printable(unseen), "dim not bold")


def _legend(report: Report) -> Iterator[Table]:
    table = Table(box=SIMPLE_HEAD, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for state, _ in report.tally:
        sign = state.symbol + states.SHORT_WORDS.get(state.name, "")
        table.add_row(Text(sign, STYLES[state.name]), state.legend)
    for code, name, meaning in report.anomalies:
        table.add_row(Text(code, "bold"), f"{name}: {meaning}")
    if any(row.unseen for row in report.rows):
        table.add_row("(…)", "not seen, although it was predicted as well")
    table.add_row("n/m", "processes that answered of those expected, the fewest in a column; new: one for each request")
    yield table


def _store_comparison(comparison: StoreComparison | None) -> Iterator[Table | Text]:
    """One line for each place: what holds, how fast it is, and what it outlives."""
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
    yield Text(
        f"n/m: holds under n of m deployments{'; then what it outlives' * bool(lives)}; the page says more", "dim"
    )


def _fixes(report: Report, width: int) -> Iterator[Text]:
    """One line for each broken mechanism: its fixes, and their throughput divided by that of the broken one."""
    if report.broken:
        yield Text("\nWhat holds instead, and its throughput divided by that of the broken mechanism", "bold")
    for broken in report.broken:
        told = [f"{change.fix.name} {change.rate_ratios} ({change.kind})" for change in broken.changes]
        told += [f"none for {broken.without}"] if broken.unfixed else []
        yield Text("  " + shortened(printable(f"{broken.mechanism.name} → {'; '.join(told)}"), width - 2))


def cell_line(row: Row, width: int = PLAIN_WIDTH) -> Text:
    """A cell on one line: `✗ counter/module-global under sync-4: divergent: several copies …`."""
    cell = row.cell
    said = f" {cell.workload}/{cell.mechanism} under {cell.deployment}, window {cell.window}: {cell.reason}"
    return Text.assemble(
        (row.state.symbol, STYLES[row.state.name]), printable(shortened(said, width - 2)).join((" ", ""))
    )


def survival_table(survival: list[Survival]) -> Iterator[Table | Text]:
    """The table, its legend, and a sentence for each result that is missing."""
    tried = {(each.mechanism, each.ending): each for each in survival}
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("counter kept in", no_wrap=True)
    endings = [ending for ending in ENDINGS if any(ending == each.ending for each in survival)]
    for ending in endings:
        table.add_column(ending, no_wrap=True)
    for mechanism in dict.fromkeys(each.mechanism for each in survival):
        table.add_row(printable(mechanism), *(_survived(tried[mechanism, ending]) for ending in endings))
    # Every mechanism of an ending has the same time: it is the server that is waited for.
    waited = [next(f"{each.ms:,.0f}" for each in survival if each.ending == ending) for ending in endings]
    table.add_row(Text("ms to answer again", "dim"), *(Text(ms, "dim") for ms in waited))
    yield table
    legend = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    legend.add_column(no_wrap=True)
    legend.add_column()
    signs = {
        f"{states.HELD.symbol} kept": "read back as it was",
        f"{states.VIOLATED.symbol} n → m": "lost: counted to n before, m after",
        figures.NONE: "it needs no store that could end",
        states.CONTRADICTION.symbol: "the rule says otherwise: the lab, or the claim `survives`, is wrong",
    }
    for sign, meaning in (signs | {ending: ENDINGS[ending] for ending in endings}).items():
        legend.add_row(Text(sign, "bold"), meaning)
    yield legend
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
