"""A reproduction as lines of text: one for each client, with its answer and the time while it was held."""

from statelab.core.operation import Operation
from statelab.repro.stage import Event, Play

WIDTH = 64
LEGEND = "● held … ● let go"


class _Scale:
    """Columns for times, from the start of the held request (if none is held, the first one) to the last event."""

    def __init__(self, play: Play, held: str | None) -> None:
        self.zero = min(o.start for o in play.operations if held is None or o.process == held)
        self.end = max(event.at for event in play.events)

    def column(self, at: int) -> int:
        share = (at - self.zero) / max(1, self.end - self.zero)
        return round(min(1.0, max(0.0, share)) * (WIDTH - 1))


def _draw(line: list[str], first: int, last: int, fill: str, ends: tuple[str, str]) -> None:
    for column in range(first, last + 1):
        line[column] = fill
    line[first], line[last] = (ends[0], ends[1]) if last > first else ("│", "│")


def _line(operations: list[Operation], marks: list[Event], scale: _Scale) -> str:
    line = [" "] * WIDTH
    for operation in operations:
        unended = operation.end is None
        last = WIDTH - 1 if operation.end is None else scale.column(operation.end)
        _draw(line, scale.column(operation.start), last, "─", ("├", "▶" if unended else "┤"))
    if len(marks) == 2:
        _draw(line, scale.column(marks[0].at), scale.column(marks[1].at), "═", ("●", "●"))
    return "".join(line)


def timeline(play: Play) -> list[str]:
    """The lines; the last one is the axis in ms. Requests that ended before the held one began are left out."""
    held = next((event.who for event in play.events if event.what == "held"), None)
    scale = _Scale(play, held)
    shown = [o for o in play.operations if o.end is None or o.end >= scale.zero]
    lines = []
    for who in dict.fromkeys(operation.process for operation in shown):
        own = [operation for operation in shown if operation.process == who]
        marks = [event for event in play.events if event.who == who and event.what in ("held", "released")]
        last = own[-1]
        said = f"{last.op} → {last.result}" if last.status == "ok" else "no answer" if last.timed_out else "failed"
        lines.append(f"{who!s:3} {_line(own, marks, scale)}  {said}")
    axis = f"{(scale.end - scale.zero) / 1e6:,.1f} ms"
    return [*lines, f"    0{axis:>{WIDTH - 1}}  {LEGEND if held else ''}".rstrip()]
