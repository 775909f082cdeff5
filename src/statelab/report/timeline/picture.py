"""The layout of a witness's picture: one line per client, boxes in true time, labels, colours.

Labels never overlap. Nothing is drawn here; `svg` does that.
"""

import math
import string
from collections.abc import Iterable
from dataclasses import dataclass, replace

from statelab.core.operation import Operation, ServedBy
from statelab.core.results import Witness


@dataclass(frozen=True, slots=True)
class Timescale:
    """Maps [start, end] in ns to [left, right] in pixels; labels count from `zero`."""

    start: int
    end: int
    zero: int
    left: float
    right: float

    def x(self, stamp: float) -> float:
        return self.left + (stamp - self.start) / (self.end - self.start) * (self.right - self.left)

    def ticks(self) -> list[tuple[float, str]]:
        """About eight round ticks as pixel and text; the text has the decimals that the step needs."""
        # The step is the smallest of 1, 2 and 5 times a power of ten that needs no more than eight of them.
        least = (self.end - self.start) / 1e6 / 8
        power = 10.0 ** math.floor(math.log10(least))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
        decimals = max(0, -math.floor(math.log10(step)))
        first, last = (self.start - self.zero) / 1e6 / step, (self.end - self.zero) / 1e6 / step
        steps = range(math.ceil(first), math.floor(last) + 1)
        return [(self.x(self.zero + k * step * 1e6), f"{k * step:,.{decimals}f}".replace("-", "−")) for k in steps]


PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A90D")
"""Okabe and Ito's colours, which every kind of colour vision can tell apart (their yellow darkened for white paper)."""

STROKES = ("", "7 3", "2 2", "9 3 2 3", "1 3")
"""Dash patterns; seven colours and five strokes repeat only after 35 servers."""

GREY = "#8a8a8a"

Identity = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """`label` is shown at each operation (without the thread if that is the main thread of its process); `legend` is
    the full name."""

    label: str
    legend: str
    colour: str
    stroke: str


UNKNOWN = Server("server unknown", "the server did not say who it was", GREY, "")


def _process(who: ServedBy) -> Identity:
    return who.host, who.pid, who.boot


def _thread(who: ServedBy) -> Identity:
    return *_process(who), who.thread


def _greenlet(who: ServedBy) -> Identity:
    return *_thread(who), who.greenlet


def servers_of(proof: Iterable[Operation], context: Iterable[Operation]) -> dict[ServedBy | None, Server]:
    """A server for each identity. Its colour is that of its process, thread or greenlet: the coarsest of these levels
    at which the servers of the proof differ."""
    proving = _known(proof)
    levels = (level for level in (_process, _thread, _greenlet) if len({level(who) for who in proving}) > 1)
    level = next(levels, _process)
    known = list(dict.fromkeys([*proving, *_known(context)]))
    order = list(dict.fromkeys(level(who) for who in known))
    servers: dict[ServedBy | None, Server] = {None: UNKNOWN}
    for who in known:
        place = order.index(level(who))
        colour, stroke = PALETTE[place % len(PALETTE)], STROKES[place % len(STROKES)]
        label = f"pid {who.pid}" + (f" thread {who.thread}" if who.thread != who.pid else "")
        # Of a greenlet's number only the end, as in the proof's text.
        greenlet = f" greenlet …{who.greenlet % 1_000_000:06}" if who.greenlet else ""
        legend = f"pid {who.pid} thread {who.thread}{greenlet} on {who.host}, process start {who.boot[:8]}"
        servers[who] = Server(label, legend, colour, stroke)
    return servers


def _known(operations: Iterable[Operation]) -> list[ServedBy]:
    return [who for who in dict.fromkeys(operation.served_by for operation in operations) if who]


LEFT = 92.0
RIGHT = 932.0
LETTER = 6.2
BOLD_LETTER = 6.9
"""Width of a letter at 11 px, a little more than in most fonts, so that labels do not overlap."""

MOST_OPERATIONS = 40
MOST_CONTEXT = 12
"""The picture draws at most this many, and says how many operations the proof has."""

NARROWEST = 3.0
LONGEST_NAME = 40
CONTEXT_LEVELS = 1
"""A label of the context that would have to be put higher than this is left out."""


@dataclass(frozen=True, slots=True)
class Box:
    """One operation. Its label is inside (`level` 0) or `level` lines above the box; without room it has none."""

    operation: Operation
    proof: bool
    culprit: bool
    server: Server
    x0: float
    x1: float
    label: str
    label_x: float = 0.0
    level: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the picture: a client, which does one operation at a time."""

    client: str
    boxes: list[Box]

    @property
    def levels(self) -> int:
        return max(box.level for box in self.boxes)


class Picture:
    """The part of a witness that is drawn: its first operations, a few neighbours, and their time and servers."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.proof = sorted(witness.operations, key=_place)[:MOST_OPERATIONS]
        neighbours = (operation for operation in witness.context if operation not in witness.operations)
        self.context = sorted(neighbours, key=_place)[:MOST_CONTEXT]
        self.operations = [*self.proof, *self.context]
        self.scale = _scale(self.operations, zero=self.proof[0].start if self.proof else 0)
        self.servers = servers_of(self.proof, self.context)
        self._keys = _short({operation.key for operation in self.operations})

    def lanes(self) -> list[Lane]:
        """The clients in the order of their first start, each with its labels placed."""
        boxes = [self._box(operation, self.name(place)) for place, operation in enumerate(self.proof)]
        boxes += [self._box(operation, "") for operation in self.context]
        lanes: list[Lane] = []
        for box in sorted(boxes, key=lambda box: box.x0):
            lane = next((lane for lane in lanes if _has_room(lane, box)), None)
            if lane is None:
                lane = Lane(str(box.operation.process), [])
                lanes.append(lane)
            lane.boxes.append(box)
        return [Lane(lane.client, _with_labels(lane.boxes)) for lane in lanes]

    def said(self, operation: Operation) -> str:
        """The operation in words, `increment → 17`, with the value that it sent; with its key only if keys differ."""
        name = f"{operation.op} {self._keys.get(operation.key, '')}".strip()
        name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        return f"{name} → {_outcome(operation)}"

    def name(self, place: int) -> str:
        """The proof's operations are called A, B, ... in the order of their start, as in its text."""
        return string.ascii_uppercase[place] if place < 26 else f"operation {place + 1}"

    def _box(self, operation: Operation, name: str) -> Box:
        x0 = self.scale.x(operation.start)
        x1 = RIGHT if operation.end is None else max(self.scale.x(operation.end), x0 + NARROWEST)
        culprit = self.witness.culprit is not None and operation.op_id == self.witness.culprit
        server = self.servers[operation.served_by]
        by = server.label if operation.served_by else ""
        said = f"{name} {self.said(operation)}".strip()
        label = " · ".join(filter(None, (said, by, "◀ culprit" if culprit else "")))
        return Box(operation, name != "", culprit, server, x0, x1, label)


def _short(keys: set[str]) -> dict[str, str]:
    """The part of each key that differs; empty if there is one key. The keys of a cell are equal up to a dot."""
    if len(keys) < 2:
        return {}
    alike = len({key.partition(".")[0] for key in keys}) == 1 and all("." in key for key in keys)
    return {key: key.partition(".")[2] if alike else key for key in keys}


def _place(operation: Operation) -> tuple[int, float]:
    return operation.start, float("inf") if operation.end is None else operation.end


def _scale(operations: list[Operation], zero: int) -> Timescale:
    """From the first start to the last stamp, with room to the right for operations that never ended."""
    start = min((operation.start for operation in operations), default=0)
    end = max((operation.start if operation.end is None else operation.end for operation in operations), default=0)
    unended = any(operation.end is None for operation in operations)
    room = max(end - start, 1_000_000 if unended else 1_000)
    return Timescale(start, end + room * (15 if unended else 2) // 100, zero, LEFT, RIGHT)


def _has_room(lane: Lane, box: Box) -> bool:
    """Whether the box belongs to the lane's client and begins after its last one (one without an end fills the
    lane)."""
    last = lane.boxes[-1]
    return (
        lane.client == str(box.operation.process) and last.operation.end is not None and last.x1 <= box.x0 + NARROWEST
    )


def _outcome(operation: Operation) -> str:
    if operation.status == "fail":
        return "failed"
    if operation.status != "ok":
        return "? (timed out)" if operation.timed_out else "? (unknown)"
    result = operation.result
    if result is None:
        return "nothing"
    return f"{result:,}" if isinstance(result, int) and not isinstance(result, bool) else str(result)


def _with_labels(boxes: list[Box]) -> list[Box]:
    """The boxes with their labels placed, those of the proof first."""
    taken: list[tuple[int, float, float]] = []
    placed = []
    for box in sorted(boxes, key=lambda box: (not box.proof, box.x0)):
        width = len(box.label) * (BOLD_LETTER if box.proof else LETTER)
        if width + 10 <= box.x1 - box.x0:
            placed.append(replace(box, label_x=box.x0 + 5))
            continue
        x = max(LEFT, min(box.x0, RIGHT - width))
        level = 1
        while any(line == level and x < right and left < x + width for line, left, right in taken):
            level += 1
        if box.proof or level <= CONTEXT_LEVELS:
            taken.append((level, x, x + width + 12))
            placed.append(replace(box, label_x=x, level=level))
        else:
            placed.append(replace(box, label=""))
    return placed
