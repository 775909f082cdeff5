"""The report as Markdown that fits into an issue, the headline of docs/tables.md, and the pieces docs are made of."""

import re
from collections.abc import Iterable

from statelab.core.results import ANOMALIES, Results
from statelab.report.content import figures, states
from statelab.report.content.document import Report, compose
from statelab.report.content.matrices import Matrix, Mechanism, window_order
from statelab.report.content.proofs import Example
from statelab.report.content.remedies import Broken, Change
from statelab.report.content.rows import Row
from statelab.report.content.same_columns import SameColumn
from statelab.report.content.store_comparison import Standing, StoreComparison
from statelab.report.content.text import printable
from statelab.theory.code_diff import in_columns

LIMIT = 65_000
"""A little less than the most characters of an issue. If the report is longer, its last parts are left out."""


def escaped(text: str) -> str:
    """Makes text safe for a table or a sentence: no HTML, no new columns or lines; backticks stay."""
    text = re.sub(r"\s+", " ", printable(text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")


def table(head: list[str], lines: Iterable[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def fenced(text: str) -> str:
    """Text in a code block that nothing in the text can end."""
    return f"```text\n{printable(text).replace('```', chr(39) * 3)}\n```\n"


def folded(title: str, content: str) -> str:
    return f"<details><summary>{escaped(title)}</summary>\n\n{content}\n</details>\n"


def bullets(texts: Iterable[str]) -> str:
    """A list with a point for each text; nothing if there is none."""
    return "".join(f"- {escaped(text)}\n" for text in texts)


def facts_list(report: Report) -> str:
    """What was run, as a list."""
    return bullets(f"{name}: {value}" for name, value in report.facts)


def marked(name: str) -> re.Pattern[str]:
    """The place for generated text in a page: between `<!-- name: ... -->` and `<!-- /name -->`."""
    return re.compile(rf"(<!-- {name}:.*?-->\n).*?(<!-- /{name} -->)", re.DOTALL)


def with_marked(page: str, name: str, text: str) -> str:
    """The page with this text in that place; raises ValueError if the page has no such marks."""
    if not marked(name).search(page):
        raise ValueError(f"the page has no {name} marks")
    return marked(name).sub(lambda found: f"{found.group(1)}\n{text.strip()}\n\n{found.group(2)}", page)


def violated_mark(anomalies: Iterable[str]) -> str:
    """`✗ LU DV`; empty without anomalies."""
    codes = [states.code(anomaly) for anomaly in anomalies]
    return " ".join([states.VIOLATED.symbol, *codes]) if codes else ""


def anomalies_in(text: str) -> dict[str, str]:
    """Code -> name and meaning, of each anomaly whose code a table in this text has as a mark."""
    codes = {states.code(name): f"{name}: {meaning}" for name, meaning in ANOMALIES.items()}
    return {code: meaning for code, meaning in codes.items() if f" {code} " in text}


def comparison_tables(comparison: StoreComparison) -> str:
    """The comparison of stores: correctness, speed and lifetime, the legend, and the other promises."""
    where = f"`{comparison.deployment.name}`" if comparison.deployment else figures.NONE
    heads = ["place", "read, then write: holds", "one operation: holds", f"ops/s, {where}", f"p95 ms, {where}"]
    heads += ["on two hosts: holds"] * bool(comparison.replicated)
    heads += [f"outlives {ending}" for ending in comparison.endings] + ["shared by, and until when"]
    counter = [
        [
            f"**{escaped(place.name)}**",
            _standing(place.naive),
            _standing(place.atomic),
            *(f"{text} {factor}".strip() for text, factor in place.speeds),
            *([place.on_hosts] * bool(comparison.replicated)),
            *(mark.text for mark in place.lived),
            escaped(place.advice),
        ]
        for place in comparison.places
    ]
    parts = [table(heads, counter), bullets(comparison.signs)]
    if comparison.workloads:
        promises = [
            [f"**{escaped(p.name)}**", *(_standing(p.promises.get(workload)) for workload in comparison.workloads)]
            for p in comparison.places
        ]
        parts += ["Other promises: the mechanism that keeps each under most deployments, and under how many.\n"]
        parts += [table(["place", *comparison.workloads], promises)]
    return "\n".join(parts)


def _standing(standing: Standing | None) -> str:
    return f"{standing.text} `{standing.name}`" if standing else figures.NONE


def render(report: Report) -> str:
    """The report, the most important parts first."""
    parts = [
        "# State Lab\n",
        _summary(report),
        *_findings(report),
        _promises(report),
        same_columns_table(report.same_columns),
        *(_matrix(matrix) for matrix in report.matrices),
        _legend(report),
        f"## Which store for what\n\n{comparison_tables(report.comparison)}" if report.comparison else "",
        _fixes(report.broken),
        *(_example(example) for example in report.examples),
        *(_change(change) for broken in report.broken for change in broken.changes),
        "## Every cell\n",
        *(_cells(report, mechanism, rows) for mechanism, rows in report.mechanisms),
    ]
    return _fitting([part for part in parts if part])


def headline_markdown(results: Results, window: str = "io") -> str:
    """All promises, the first workload's matrix of one window (or of the widest, if that is missing), their legend, and
    a mechanism that holds everywhere for each one that broke."""
    report = compose(results)
    windows = sorted({matrix.window for matrix in report.matrices}, key=window_order)
    chosen = window if window in windows else next(iter(windows), "")
    first = [matrix for matrix in report.matrices if matrix.window == chosen][:1]
    lasting = [change for broken in report.broken for change in broken.changes if change.lasting]
    counted = [change for change in lasting if change.mechanism.workload in [matrix.workload for matrix in first]]
    fixes = f"### What holds everywhere instead, and what it costs\n\n{_changes(counted)}" if counted else ""
    return "\n".join(part for part in (_promises(report), *map(_matrix, first), _legend(report), fixes) if part)


def _promises(report: Report) -> str:
    """How many mechanisms keep each promise; empty if there is only one workload."""
    if len(report.promises) < 2:
        return ""
    heads = ["promise", *(f"`{deployment.name}`" for deployment in report.deployments)]
    lines = [[f"{p.workload}, window `{p.window}`", *(share.text for share in p.shares)] for p in report.promises]
    return f"### All promises: mechanisms that keep it, of those measured\n\n{table(heads, lines)}"


def same_columns_table(columns: list[SameColumn]) -> str:
    """Which standard columns each deployment equals, by promise, and each cell where it differs from the nearest."""
    if not columns:
        return ""
    workloads = list(columns[0].equal)
    lines = [
        [f"`{c.deployment}`", f"`{c.standard}`", *(escaped(", ".join(c.equal.get(w) or ["none"])) for w in workloads)]
        for c in columns
    ]
    told = [
        f"- {escaped(column.text)}\n" + "".join(f"  - {escaped(sentence.text)}\n" for sentence in column.differs)
        for column in columns
    ]
    proofs = [
        folded(f"Proof: {sentence.proof.name}", _proof(sentence.proof))
        for column in columns
        for sentence in column.differs
        if sentence.proof
    ]
    head = table(["deployment", "most like", *workloads], lines)
    return "\n".join(["## Which standard column each of these is\n", head, "".join(told), *proofs])


def _fitting(parts: list[str]) -> str:
    """The first of the parts, as many as an issue can have, and how many are left out."""
    kept: list[str] = []
    for place, part in enumerate(parts):
        if sum(map(len, kept)) + len(part) + len(kept) > LIMIT:
            kept.append(
                f"*{len(parts) - place} parts are left out here, because an issue cannot be longer. "
                "`index.html` has all of them, `results.csv` every figure.*\n"
            )
            break
        kept.append(part)
    return "\n".join(kept)


def _summary(report: Report) -> str:
    counts = ", ".join(f"{number:,} {state.symbol} {state.title}" for state, number in report.tally)
    notes = [f"> {escaped(note)}\n" for note in [*report.incomplete, *report.notes]]
    return "\n".join([f"**{report.verdict}**\n", f"{report.cells:,} cells: {counts}.\n", *notes, facts_list(report)])


def _findings(report: Report) -> Iterable[str]:
    """First what was seen although not predicted, each with its proof."""
    surprises = {
        "Broken promises": report.broken_promises,
        "Violated where held is predicted": report.contradictions,
        "Seen and not predicted": report.differences,
    }
    for title, sentences in surprises.items():
        proofs = [folded(f"Proof: {s.proof.name}", _proof(s.proof)) for s in sentences if s.proof]
        if sentences:
            yield "\n".join([f"## {title}\n", bullets(sentence.text for sentence in sentences), *proofs])
    others = {
        "Predicted to be violated, and not seen": report.not_seen,
        "Seen, but not all that was predicted": report.partly_seen,
        "What a narrow window hides": report.hidden,
    }
    for title, sentences in others.items():
        if sentences:
            yield f"## {title}\n\n{bullets(sentence.text for sentence in sentences)}"
    if report.absences:
        yield f"## Unavailable\n\n{bullets(absence.text for absence in report.absences)}"


def _proof(row: Row) -> str:
    """Why the cell is violated, the smallest history that shows it, and the command that shows it again."""
    parts = [escaped(row.cell.reason) + "\n", fenced(row.cell.witness.text if row.cell.witness else "")]
    return "\n".join(parts + ([f"Shows it again: `{row.repro}`\n"] if row.repro else []))


def _matrix(matrix: Matrix) -> str:
    head = ["mechanism", *(f"`{deployment.name}`" for deployment in matrix.deployments)]
    lines = []
    for group in matrix.groups:
        if group.name:
            lines.append([f"*state reaches: {escaped(group.name)}*"] + [""] * len(matrix.deployments))
        lines += [[f"`{line.mechanism.name}`", *map(_cell, line.rows)] for line in group.lines]
    lines.append(["*processes that answered*", *matrix.coverage])
    return f"### {matrix.workload}, window `{matrix.window}`\n\n{table(head, lines)}"


def _cell(row: Row) -> str:
    """The measurement; with the prediction in brackets if the mark does not show it."""
    mark = f"**{row.mark}**" if row.state in (states.CONTRADICTION, states.DIFFERENT) else row.mark
    told = row.state in (states.DIFFERENT, states.VIOLATED, states.HELD, states.NOT_GUARANTEED, *states.UNCLAIMED)
    return escaped(mark if told or not row.ran else f"{mark} ({row.predicted})")


def _legend(report: Report) -> str:
    lines = [[state.symbol, state.legend] for state in report.signs]
    lines += [[code, f"{name}: {meaning}" if meaning else name] for code, name, meaning in report.anomalies]
    lines += [["NX, UN", "not exercised, unknown"]]
    lines += [["(…)", "what was predicted, where the cell does not say so itself"]]
    lines += [["n/m", "processes that answered of those expected; new: each request has its own"]]
    return table(["sign", "meaning"], [[escaped(cell) for cell in line] for line in lines])


def _example(example: Example) -> str:
    row = example.row
    title = f"{row.mark} {example.witness.anomaly} between {example.between}: {row.cell.mechanism} under "
    title += f"{row.cell.deployment}, window {row.cell.window}"
    return folded(title, _proof(row))


def _fixes(broken: list[Broken]) -> str:
    """Each broken mechanism with its fixes; figures are the least and the greatest with one window."""
    if not broken:
        return ""
    without: dict[str, list[str]] = {}
    for lack in (lack for found in broken for lack in found.unfixed):
        without.setdefault(lack.reason, []).append(f"`{lack.mechanism}` ({len(lack.cells)})")
    lacks = [f"- No fix in this run for some cells of {', '.join(who)}: {why}." for why, who in without.items()]
    changes = [change for found in broken for change in found.changes]
    return "\n".join(["## What holds instead, and what it costs\n", _changes(changes), *map(escaped, lacks), ""])


def _changes(changes: list[Change]) -> str:
    head = ["broken", "holds instead", "which is", "changed", "under", "window", "throughput", "p95"]
    lines = [
        [
            f"`{change.mechanism.name}`",
            f"`{change.fix.name}`",
            change.kind,
            change.lines,
            escaped(", ".join(change.deployments)),
            change.window,
            change.rate_ratios,
            change.p95_ratios,
        ]
        for change in changes
    ]
    return table(head, lines)


def _change(change: Change) -> str:
    """What changes, side by side, and the cost in each cell."""
    names = change.mechanism.name, change.fix.name
    head = ["window", "deployment", "ops/s", "throughput", "p95 ms", "p95", "shows it again"]
    lines = [
        [
            cost.broken.cell.window,
            f"`{cost.broken.cell.deployment}`",
            cost.rates,
            cost.ratios[0],
            cost.p95s,
            cost.ratios[1],
            f"`{cost.broken.repro}`" if cost.broken.repro else "plain requests",
        ]
        for cost in change.costs
    ]
    code = fenced(in_columns(change.diff, *names)) if change.diff else f"{change.lines}\n"
    return folded(" → ".join(names), f"{code}\n{table(head, lines)}")


def _cells(report: Report, mechanism: Mechanism, rows: list[Row]) -> str:
    """Every cell of a mechanism with all its figures."""
    lines = [[escaped(column.shown(row)) for column in report.columns] for row in rows]
    return folded(f"{mechanism.workload}: {mechanism.name}", table([column.head for column in report.columns], lines))
