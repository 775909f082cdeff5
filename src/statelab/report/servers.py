"""Who served an operation, as label, colour and stroke: what tells the servers of a picture apart."""

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass

from statelab.history import Operation
from statelab.history import ServedBy

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A90D")
"""Okabe and Ito's colours, which every kind of colour vision can tell apart (their yellow darkened for white paper)."""

STROKES = ("", "7 3", "2 2", "9 3 2 3", "1 3")
"""Dash patterns; seven colours and five strokes repeat only after 35 servers."""

GREY = "#8a8a8a"

Identity = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """`label` stands at each operation (without the thread where it is the process's first), `legend` says all."""

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
        thread = f" thread {who.thread}"
        greenlet = _greenlet_number(who, known)
        label = f"pid {who.pid}{thread if who.thread != who.pid else ''}{greenlet}"
        legend = f"pid {who.pid}{thread}{greenlet} on {who.host}, process start {who.boot[:8]}"
        servers[who] = Server(label, legend, colour, stroke)
    return servers


def _known(operations: Iterable[Operation]) -> list[ServedBy]:
    return [who for who in dict.fromkeys(operation.served_by for operation in operations) if who]


def _telling_level(known: list[ServedBy]) -> Callable[[ServedBy], Identity]:
    for level in (_process, _thread, _greenlet):
        if len({level(who) for who in known}) > 1:
            return level
    return _process


def _greenlet_number(who: ServedBy, known: list[ServedBy]) -> str:
    """Greenlets are told apart by a number where one thread served with several: their ids say nothing."""
    siblings = list(dict.fromkeys(_greenlet(other) for other in known if _thread(other) == _thread(who)))
    return f" greenlet {siblings.index(_greenlet(who)) + 1}" if len(siblings) > 1 else ""
