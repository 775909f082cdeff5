"""A log-log line plot as a small SVG, with the lines named at their ends; light and dark."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 520
LEFT, RIGHT, TOP, BOTTOM = 70, 210, 40, 50
LEAST_GAP = 14
DASHES = ("", "6 3", "2 3", "9 3 2 3")
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.grid{stroke:#ccc}.line{fill:none;stroke-width:1.6}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}}"
)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""After Okabe and Ito 2008: told apart with any colour vision; lines also differ in dashes and are named."""


@dataclass(frozen=True, slots=True)
class Line:
    """A named line through (x, y) points, all > 0, in order of x."""

    name: str
    points: list[tuple[float, float]]


class _Scale:
    """Positions of numbers on a logarithmic axis whose ends are powers of ten."""

    def __init__(self, numbers: list[float], start: float, stop: float) -> None:
        self.low, self.high = math.floor(math.log10(min(numbers))), math.ceil(math.log10(max(numbers)))
        self._start, self._step = start, (stop - start) / max(1, self.high - self.low)

    def __call__(self, number: float) -> float:
        return self._start + (math.log10(number) - self.low) * self._step

    @property
    def ticks(self) -> list[int]:
        return list(range(self.low, self.high + 1))


def plot(lines: list[Line], *, across: str, up: str, title: str) -> str:
    """The plot as SVG text; the axes are named with their units."""
    x = _Scale([point[0] for line in lines for point in line.points], LEFT, WIDTH - RIGHT)
    y = _Scale([point[1] for line in lines for point in line.points], HEIGHT - BOTTOM, TOP)
    parts = [f'<text x="{LEFT}" y="20" font-weight="600">{escape(title)}</text>', *_grid(x, y, across, up)]
    for number, (line, place) in enumerate(zip(lines, _label_places(lines, y), strict=True)):
        parts += _drawn(line, number, place, x, y)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title><style>{STYLE}</style>", *parts, "</svg>\n"])


def _grid(x: _Scale, y: _Scale, across: str, up: str) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for tick in x.ticks:
        at = x(10.0**tick)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{_power(tick)}</text>')
    for tick in y.ticks:
        at = y(10.0**tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{_power(tick)}</text>')
    parts.append(f'<text x="{right}" y="{bottom + 38}" text-anchor="end">{escape(across)}</text>')
    return [*parts, f'<text x="{LEFT - 4}" y="{TOP - 16}" text-anchor="end">{escape(up)}</text>']


def _power(exponent: int) -> str:
    return f'10<tspan dy="-5" font-size="9">{exponent}</tspan>'


def _label_places(lines: list[Line], y: _Scale) -> list[float]:
    """Where each line's name stands: at its end, moved down where names would touch."""
    places = [0.0] * len(lines)
    below = -math.inf
    for number in sorted(range(len(lines)), key=lambda n: y(lines[n].points[-1][1])):
        below = places[number] = max(y(lines[number].points[-1][1]), below + LEAST_GAP)
    return places


def _drawn(line: Line, number: int, place: float, x: _Scale, y: _Scale) -> list[str]:
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]
    points = [(x(across), y(up)) for across, up in line.points]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    end = points[-1]
    label = WIDTH - RIGHT + 18
    leader = f'x1="{end[0]:.1f}" y1="{end[1]:.1f}" x2="{label - 3}" y2="{place:.1f}"'
    return [
        f'<polyline class="line" points="{path}" stroke="{colour}" stroke-dasharray="{dash}"/>',
        *(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.6" fill="{colour}"/>' for a, b in points),
        f'<line {leader} stroke="{colour}" stroke-width=".6"/>',
        f'<text x="{label}" y="{place + 4:.1f}">{escape(line.name)}</text>',
    ]
