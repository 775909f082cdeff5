"""A witness as a timeline: a line per client, a box per operation, coloured by server. Pure: value in, SVG out.

It needs no script, style sheet or font of a page around it, and takes its text colour from there.
"""

from collections.abc import Iterator
from html import escape

from statelab.core.results import ANOMALIES, Witness
from statelab.report.content.text import printable
from statelab.report.timeline.picture import GREY, LEFT, LETTER, RIGHT, Box, Lane, Picture, Server, Timescale

WIDTH = 960
TOP = 36
BOX = 24
LABEL = 15
GAP = 13
LEGEND_LINE = 18
LEGEND_COLUMN = 424
SWATCH = 30

NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'
"""Needed in an SVG file, left out in a page."""


def timeline(witness: Witness) -> str:
    """The witness as one SVG element, which is also a well-formed document."""
    picture = Picture(witness)
    lanes = picture.lanes()
    tops, bottom = [], float(TOP)
    for lane in lanes:
        tops.append(bottom + lane.levels * LABEL)
        bottom = tops[-1] + BOX + GAP
    legend = _introductions(picture)
    height = bottom + 62 + LEGEND_LINE * (1 + -(-len(legend) // _columns(legend)))
    return "".join(
        [
            _head(witness, height),
            *_axis(picture.scale, bottom + 22),
            *(_drawn(picture, lane, top) for lane, top in zip(lanes, tops, strict=True)),
            *_slack(picture, bottom + 8),
            *_legend(legend, bottom + 66),
            _text(LEFT, height - 8, _footnote(picture), ' opacity=".75"'),
            "</svg>",
        ]
    )


def _clean(text: str) -> str:
    """Escaped, and without the characters that XML does not allow."""
    return escape(printable(text))


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes}>{_clean(text)}</text>' if text else ""


def _head(witness: Witness, height: float) -> str:
    meaning = ANOMALIES.get(witness.anomaly, "a violation")
    title = f"{witness.anomaly}: {meaning}"
    return (
        f'<svg{NAMESPACE} class="timeline" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" '
        f'role="img" font-family="system-ui,sans-serif" font-size="11" fill="currentColor">'
        f"<title>{_clean(f'Timeline of {title}')}</title>" + _text(8, 18, title, ' font-size="13" font-weight="600"')
    )


def _drawn(picture: Picture, lane: Lane, top: float) -> str:
    line = f'<path d="M{LEFT} {top + BOX}H{RIGHT}" stroke="{GREY}" opacity=".4"/>'
    client = _text(8, top + BOX / 2 + 4, f"client {lane.client}"[:14], ' font-weight="600"')
    return line + client + "".join(_operation(picture, box, top) for box in lane.boxes)


def _operation(picture: Picture, box: Box, top: float) -> str:
    kind = "proof" if box.proof else "context"
    unended = " open" if box.operation.end is None else ""
    y = top + BOX / 2 + 4 if box.level == 0 else top - 4 - (box.level - 1) * LABEL
    style = f' font-weight="{700 if box.culprit else 600}"' if box.proof else ' opacity=".7"'
    label = _text(box.label_x, y, box.label, style)
    line = ""
    if box.level > 1:  # the label is not right above its box, so a line leads from it to the box
        line = f'<path d="M{box.x0:.1f} {y + 3:.1f}V{top:.1f}" stroke="{box.server.colour}" opacity=".6"/>'
    return f'<g class="{kind}{unended}"><title>{_clean(_told(picture, box))}</title>{_shape(box, top)}{line}{label}</g>'


def _shape(box: Box, top: float) -> str:
    """The interval; open to the right if the outcome is unknown."""
    colour = box.server.colour if box.proof else GREY
    style = f'fill="{colour}" fill-opacity="{0.26 if box.proof else 0.12}" stroke="{colour}"'
    width = 3.5 if box.culprit else 2 if box.proof else 1
    dash = f' stroke-dasharray="{box.server.stroke}"' if box.server.stroke and box.proof else ""
    style += f' stroke-width="{width}"{dash}'
    if box.operation.end is not None:
        return f'<rect x="{box.x0:.1f}" y="{top}" width="{box.x1 - box.x0:.1f}" height="{BOX}" rx="2" {style}/>'
    dots = f'<path d="M{RIGHT + 4} {top + BOX / 2}h18" stroke="{colour}" stroke-width="3" stroke-dasharray="3 4"/>'
    return f'<path d="M{box.x1:.1f} {top}H{box.x0:.1f}v{BOX}H{box.x1:.1f}" {style}/>{dots}'


def _told(picture: Picture, box: Box) -> str:
    """All fields of an operation, as a tooltip."""
    operation = box.operation
    took = "no end" if operation.end is None else f"{(operation.end - operation.start) / 1e6:.3f} ms"
    parts = [f"client {operation.process}: {picture.said(operation)}", took, operation.status, box.server.legend]
    parts += [operation.error] if operation.error else []
    parts += [f"operation {operation.op_id}"] if operation.op_id else []
    return ", ".join(parts)


def _axis(scale: Timescale, y: float) -> Iterator[str]:
    """True time in ms, with a faint line through the picture at each tick."""
    yield f'<path d="M{LEFT} {y}H{RIGHT}" stroke="currentColor"/>'
    for x, label in scale.ticks():
        yield f'<path d="M{x:.1f} {TOP - 6}V{y + 4}" stroke="currentColor" opacity=".12"/>'
        yield _text(x, y + 16, label, ' text-anchor="middle"')
    yield _text(8, y + 16, "time in ms")


def _slack(picture: Picture, y: float) -> Iterator[str]:
    """Marks the slack, the clock error that would be needed, between its two stamps."""
    slack_ns = picture.witness.slack_ns
    if slack_ns is None:
        waited = any(operation.timed_out for operation in picture.witness.operations)
        clock = "the client's own time limit decides" if waited else "no clock is needed for this proof"
        yield _text(LEFT, y + 4, clock, ' opacity=".75"')
        return
    label = f"slack {slack_ns / 1e6:,.3f} ms"
    # The slack lies between the end of one operation and the start of another, exactly so far apart.
    starts = {operation.start for operation in picture.proof}
    ends = (operation.end for operation in picture.proof if operation.end is not None)
    end = next((end for end in ends if end + slack_ns in starts), None)
    if end is None:
        yield _text(LEFT, y + 4, label)
        return
    x0, x1 = picture.scale.x(end), picture.scale.x(end + slack_ns)
    path = f"M{x0:.1f} {y - 8}v12M{x0:.1f} {y - 2}H{x1:.1f}M{x1:.1f} {y - 8}v12"
    yield f'<path class="slack" d="{path}" stroke="#D55E00" stroke-width="2" fill="none"/>'
    flip = x1 + 6 + len(label) * LETTER > RIGHT
    yield _text(x0 - 6 if flip else x1 + 6, y + 2, label, ' text-anchor="end"' if flip else "")


def _introductions(picture: Picture) -> list[tuple[Server, str]]:
    """Each server of the proof, with the names of the operations that it served."""
    served: dict[Server, list[str]] = {}
    for place, operation in enumerate(picture.proof):
        served.setdefault(picture.servers[operation.served_by], []).append(picture.name(place))
    return [(server, f"{', '.join(names)}: {server.legend}") for server, names in served.items()]


def _columns(introductions: list[tuple[Server, str]]) -> int:
    """Two columns if the texts are short enough for half the width."""
    widest = max((len(text) for _, text in introductions), default=0)
    return 2 if SWATCH + widest * LETTER < LEGEND_COLUMN else 1


def _legend(introductions: list[tuple[Server, str]], y: float) -> Iterator[str]:
    yield _text(8, y, "served by", ' font-weight="600"')
    columns = _columns(introductions)
    for place, (server, text) in enumerate(introductions):
        x = LEFT + place % columns * LEGEND_COLUMN
        line = y + place // columns * LEGEND_LINE
        dash = f' stroke-dasharray="{server.stroke}"' if server.stroke else ""
        yield (
            f'<rect x="{x}" y="{line - 10}" width="22" height="12" fill="{server.colour}" fill-opacity=".26" '
            f'stroke="{server.colour}" stroke-width="2"{dash}/>'
        )
        yield _text(x + SWATCH, line, text)


def _footnote(picture: Picture) -> str:
    parts = []
    if picture.witness.slack_ns is not None:
        parts.append("slack: the clocks would have to be wrong by more than this")
    if len(picture.witness.operations) > len(picture.proof):
        parts.append(f"drawn: {len(picture.proof)} of the proof's {len(picture.witness.operations)} operations")
    if picture.context:
        parts.append("grey: neighbours, no part of the proof")
    if any(operation.end is None for operation in picture.operations):
        parts.append("open to the right: outcome unknown, it may take effect at any later time")
    return "; ".join(parts)
