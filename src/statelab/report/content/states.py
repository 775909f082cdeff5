"""The states of a cell, from its prediction and its measurement, each with a symbol, words and a meaning."""

from dataclasses import dataclass

from statelab.core.results import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`word` stands beside the symbol if a cell has no codes; `title` and `meaning` are its line in the legend."""

    name: str
    symbol: str
    word: str
    title: str
    meaning: str

    @property
    def legend(self) -> str:
        return f"{self.title}: {self.meaning}" if self.meaning else self.title


CONTRADICTION = State(
    name="contradiction",
    symbol="‼",
    word="held predicted",
    title="violated where held is predicted",
    meaning="either the lab or the theory has a bug, and the report fails",
)
DIFFERENT = State(
    name="different",
    symbol="≠",
    word="not predicted",
    title="seen and not predicted",
    meaning="something went wrong as predicted, and with it what + marks, which nobody had predicted",
)
VIOLATED = State(
    name="violated",
    symbol="✗",
    word="as predicted",
    title="violated as predicted",
    meaning="what is in brackets was predicted as well and did not show in this run",
)
NOT_SEEN = State(
    name="not-seen",
    symbol="◌",
    word="not seen",
    title="not seen",
    meaning="predicted to be violated, and no violation in this run: a bound on how often, never a proof of safety",
)
NOT_GUARANTEED = State(
    name="not-guaranteed",
    symbol="○",
    word="not guaranteed",
    title="held here, not guaranteed",
    meaning="nobody promises it: in most cases this window only has no switch point",
)
HELD = State(
    name="held",
    symbol="✓",
    word="held",
    title="held",
    meaning="as the mechanism itself promises, and no violation was seen",
)
UNCLAIMED_VIOLATED = State(
    name="violated-not-predicted",
    symbol="✗",
    word="not predicted",
    title="violated, not predicted",
    meaning="nothing is claimed of this app, so nothing was predicted; the proof stands by itself",
)
UNCLAIMED_HELD = State(
    name="held-not-predicted",
    symbol="○",
    word="held, not predicted",
    title="held here, not predicted",
    meaning="no violation was seen; nothing is claimed of this app, so nobody says that there is none",
)
NOT_EXERCISED = State(
    name="not-exercised",
    symbol="?",
    word="not exercised",
    title="not exercised",
    meaning="coverage too poor to mean anything",
)
UNKNOWN = State(
    name="unknown", symbol="?", word="unknown", title="unknown", meaning="the check could not decide; this is no pass"
)
UNAVAILABLE = State(
    name="unavailable",
    symbol="–",
    word="unavailable",
    title="unavailable",
    meaning="a store or a server is missing, see below which",
)
NOT_RUN = State(
    name="not-run", symbol="·", word="not run", title="not run", meaning="this report has no result for the cell"
)

CLAIMED = (CONTRADICTION, DIFFERENT, VIOLATED, NOT_SEEN, NOT_GUARANTEED, HELD)
UNCLAIMED = (UNCLAIMED_VIOLATED, UNCLAIMED_HELD)
STATES = (
    CONTRADICTION,
    DIFFERENT,
    VIOLATED,
    UNCLAIMED_VIOLATED,
    NOT_SEEN,
    NOT_GUARANTEED,
    UNCLAIMED_HELD,
    HELD,
    NOT_EXERCISED,
    UNKNOWN,
    UNAVAILABLE,
    NOT_RUN,
)
"""In the order of every legend and count: contradictions of the theory come first."""

CODES = {
    "lost-update": "LU",
    "divergent": "DV",
    "never-persists": "NP",
    "misreported": "MR",
    "stalled": "ST",
    "overcounted": "OC",
    "leak-overlap": "LO",
    "leak-residue": "LR",
    "wrong-user": "WU",
    "logged-out": "OUT",
    "logout-undone": "UN-OUT",
    "stale": "STALE",
    "phantom": "PH",
    "stampede": "SP",
    "crossed-replies": "CR",
    "broken-connection": "BC",
    "connections-left": "CL",
    "oversold": "OS",
    "false-sold-out": "FSO",
    "over-limit": "OL",
    "over-refused": "OR",
    "duplicate-id": "DUP",
    "ran-n-times": "N×",
    "never-ran": "0×",
    "two-holders": "2H",
    "stuck": "SK",
}
SHORT_WORDS = {NOT_EXERCISED.name: "NX", UNKNOWN.name: "UN", NOT_SEEN.name: ""}
"""Short words that tell equal symbols apart."""

_UNDECIDED = {"unknown": UNKNOWN, "not-exercised": NOT_EXERCISED, "unavailable": UNAVAILABLE}


def code(anomaly: str) -> str:
    """The short form of an anomaly, or its name if there is none."""
    return CODES.get(anomaly, anomaly)


def state_of(cell: Cell) -> State:
    """The state of a cell. If no anomaly is predicted, the prediction is `held`."""
    if cell.verdict in _UNDECIDED:
        return _UNDECIDED[cell.verdict]
    if not cell.claimed:
        return UNCLAIMED_VIOLATED if cell.verdict == "violated" else UNCLAIMED_HELD
    if cell.verdict == "violated":
        if not cell.predicted:
            return CONTRADICTION
        return DIFFERENT if extra(cell) else VIOLATED
    if cell.predicted:
        return NOT_SEEN
    return HELD if cell.guaranteed else NOT_GUARANTEED


def extra(cell: Cell) -> list[str]:
    """Anomalies that were seen and not predicted."""
    return [anomaly for anomaly in cell.anomalies if anomaly not in cell.predicted]


def missing(cell: Cell) -> list[str]:
    """Anomalies that were predicted and not seen."""
    return [anomaly for anomaly in cell.predicted if anomaly not in cell.anomalies]


def codes(cell: Cell, state: State) -> list[str]:
    """The codes beside a cell's symbol: what was seen, or, if nothing was seen, what was predicted."""
    if state is NOT_SEEN:
        return [code(anomaly) for anomaly in cell.predicted]
    if cell.verdict != "violated":
        return []
    unpredicted = extra(cell) if state is DIFFERENT else []
    return [code(anomaly) for anomaly in cell.anomalies if anomaly not in unpredicted] + [
        "+" + code(anomaly) for anomaly in unpredicted
    ]


def predicted_mark(cell: Cell) -> str:
    """The prediction as a cell shows it: codes, or the symbol for guaranteed or not guaranteed `held`."""
    if not cell.claimed:
        return "not predicted"
    if cell.predicted:
        return " ".join(code(anomaly) for anomaly in cell.predicted)
    return HELD.symbol if cell.guaranteed else NOT_GUARANTEED.symbol


def contradicts(cell: Cell) -> bool:
    """Whether the cell is violated where `held` is predicted: one such cell fails the report."""
    return state_of(cell) is CONTRADICTION
