"""One cell over many runs as a small SVG: the verdict of each run, the share that was violated, and the throughput."""

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from statelab.core.results import Cell, Interval
from statelab.report.comparison import in_words
from statelab.report.content import figures
from statelab.report.content.rows import Row
from statelab.report.content.text import printable
from statelab.report.over_time import CellOverTime, trials

LEFT, STEP, RIGHT = 92, 46, 14
MARKS, TOP, BOTTOM, RATE_TOP, RATE_BOTTOM, HEIGHT = 14, 34, 94, 112, 152, 170


def plot(cell: CellOverTime, names: Sequence[str]) -> str:
    """The picture for use inside a page. A run in which the cell was not measured leaves a gap.

    The upper part is the share of a run's servers that were violated, 0 to 1, with the 95 % interval where the cell was
    measured several times in the run; the lower part is the throughput from 0 to the highest one. If the cell changed,
    each run also has a tooltip that says its result in words. The page around the picture has to define the marks and
    the dots of the line (`mark-<state>`, `dot`).
    """
    width = LEFT + STEP * len(names) + RIGHT
    said = f"{cell.name} under {cell.key.deployment} in {len(names)} runs; violated: {cell.share}"
    size = f'viewBox="0 0 {width} {HEIGHT}" width="{width}"'
    parts = [f'<svg class="over-time" {size} role="img" aria-label={quoteattr(printable(said))}>']
    highest = max((each.rate_ops_s or 0 for each in cell.cells if each), default=0) or 1
    labels = (("violated 1", TOP), ("0", BOTTOM), (f"{figures.rate(highest)} ops/s", RATE_TOP), ("0", RATE_BOTTOM))
    for label, y in labels:
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{label}</text>')
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{width - RIGHT}" y1="{y}" y2="{y}"/>')
    rates = [
        (_x(place), RATE_BOTTOM - (RATE_BOTTOM - RATE_TOP) * each.rate_ops_s / highest)
        for place, each in enumerate(cell.cells)
        if each is not None and each.rate_ops_s is not None
    ]
    parts.append(f'<polyline class="rate" points="{" ".join(f"{x:.0f},{y:.1f}" for x, y in rates)}"/>')
    for turn in cell.turns:
        x = (_x(turn.before) + _x(turn.after)) / 2
        parts.append(f'<line class="turn" x1="{x:.0f}" x2="{x:.0f}" y1="{TOP - 8}" y2="{RATE_BOTTOM}"/>')
    for place, (each, name) in enumerate(zip(cell.cells, names, strict=True)):
        if each is not None:
            parts += _run(each, name if cell.turns else None, _x(place))
    return "".join([*parts, "</svg>"])


def _x(place: int) -> float:
    return LEFT + STEP * (place + 0.5)


def _run(cell: Cell, name: str | None, x: float) -> list[str]:
    """The mark of one run, its share and its interval; with a name, also a tooltip that says its result in words."""
    (hits, total), parts = trials(cell), list[str]()
    bounds: Interval | None = cell.runs.interval if cell.runs and total else None
    if bounds is not None:
        ends = f'y1="{_y(bounds.low):.1f}" y2="{_y(bounds.high):.1f}"'
        parts.append(f'<line class="interval" x1="{x:.0f}" x2="{x:.0f}" {ends}/>')
    if total:
        parts.append(f'<circle cx="{x:.0f}" cy="{_y(hits / total):.0f}" r="4"/>')
    parts.append(f'<use href="#mark-{Row(cell).state.name}" x="{x:.0f}" y="{MARKS}"/>')
    if name is None:
        return parts
    told = f"{name}: {in_words(cell)}; {figures.rate(cell.rate_ops_s)} operations/s"
    return ["<g>", f"<title>{escape(printable(told))}</title>", *parts, "</g>"]


def _y(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share
