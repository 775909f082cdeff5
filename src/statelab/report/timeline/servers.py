"""Who served an operation, as label, colour and stroke: what tells the servers of a picture apart."""

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass

from statelab.core.operation import Operation
from statelab.core.operation import ServedBy

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A90D")
"""Okabe and Ito's colours, which every kind of colour vision can tell apart (their yellow darkened for white paper)."""

STROKES = ("", "7 3", "2 2", "9 3 2 3", "1 3")
"""Dash patterns; seven colours and five strokes repeat only after 35 servers."""

GREY = "#8a8a8a"

Identity = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """`label` stands at each operation (without the thread where it is the process's first), `legend` has all of it."""

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
    """A server for each identity, coloured by the coarsest level at which those of the proof differ."""
    proving = _known(proof)
    level = _telling_level(proving)
    known = list(dict.fromkeys([*proving, *_known(context)]))
    order = list(dict.fromkeys(level(who) for who in known))
    servers: dict[ServedBy | None, Server] = {None: UNKNOWN}
    for who in known:
        place = order.index(level(who))
        colour, stroke = PALETTE[place % len(PALETTE)], STROKES[place % len(STROKES)]
        label = f"pid {who.pid}" + (f" thread {who.thread}" if who.thread != who.pid else "")
        servers[who] = Server(label, _introduced(who), colour, stroke)
    return servers


def _known(operations: Iterable[Operation]) -> list[ServedBy]:
    return [who for who in dict.fromkeys(operation.served_by for operation in operations) if who]


def _telling_level(known: list[ServedBy]) -> Callable[[ServedBy], Identity]:
    for level in (_process, _thread, _greenlet):
        if len({level(who) for who in known}) > 1:
            return level
    return _process


def _introduced(who: ServedBy) -> str:
    """Everything about a server; of a greenlet the end of its address, as in the proof's text."""
    greenlet = f" greenlet …{who.greenlet % 1_000_000:06}" if who.greenlet else ""
    return f"pid {who.pid} thread {who.thread}{greenlet} on {who.host}, process start {who.boot[:8]}"
