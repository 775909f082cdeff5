"""The top of every report: what was run, what the result is, and where theory and experiment disagree."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from statelab.core.errors import counted
from statelab.report.content import figures, states
from statelab.report.content.matrices import Matrix, window_order
from statelab.report.content.rows import Row
from statelab.report.content.states import State
from statelab.report.content.text import ended, joined, listed, were

FIRST = (
    "profile",
    "engine",
    "engine_reason",
    "date",
    "started",
    "run",
    "runs",
    "commit",
    "seed",
    "cores",
    "memory_bytes",
    "kernel",
    "system",
    "load",
    "versions",
    "images",
    "durations",
    "durations_s",
)
"""Keys of the manifest that come first and are always shown; others follow if they are short."""

SHORT = 200
UNITS = {"_bytes": (2**30, "GiB"), "_s": (1, "s"), "_ms": (1, "ms")}
"""The divisor and unit of a number, by the ending of its key."""

SHOWN_ELSEWHERE = frozenset(
    [
        "machine",
        "mechanisms",
        "deployments",
        "missing",
        "stopped",
        "notes",
        "windows",
        "unfixed",
        "survival",
        "promises",
        "going_on",
        "standard",
    ]
)

NOTHING: tuple[Any, ...] = (None, "", [], {})
NAMED = 12
"""How many missing cells a sentence names; the page lists all of them further down."""

STORE_HELP = "install {store} for the local engine, or use the Compose engine, which brings it along"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A finding in one sentence, with the rows that show it."""

    text: str
    rows: tuple[Row, ...] = ()

    @property
    def proof(self) -> Row | None:
        """The first of the rows that has a proof."""
        return next((row for row in self.rows if row.cell.witness), None)


@dataclass(frozen=True, slots=True)
class Absence:
    """Why some cells could not be measured, and what to do about it."""

    reason: str
    help: str
    rows: tuple[Row, ...]

    @property
    def text(self) -> str:
        mechanisms = listed(dict.fromkeys(row.cell.mechanism for row in self.rows))
        text = f"{ended(self.reason)} {counted(len(self.rows), 'cell')}: {mechanisms}."
        return f"{text} How to get it: {self.help}." if self.help else text


def facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was run, as name and text; keys that are absent or empty are left out."""
    values = {**manifest, **(manifest.get("machine") or {})}
    found = [_fact(key, values[key]) for key in FIRST if values.get(key) not in NOTHING]
    others = [key for key in values if key not in FIRST and key not in SHOWN_ELSEWHERE and values[key] not in NOTHING]
    return found + [(name, text) for name, text in (_fact(key, values[key]) for key in others) if len(text) <= SHORT]


def _fact(key: str, value: Any) -> tuple[str, str]:
    """A key and its value in words, the unit of its name beside the number."""
    for ending, (divisor, unit) in UNITS.items():
        if key.endswith(ending):
            return key.removesuffix(ending).replace("_", " "), figures.plain(_measured(value, divisor, unit))
    return key.replace("_", " "), figures.plain(value)


def _measured(value: Any, divisor: int, unit: str) -> Any:
    if isinstance(value, dict):
        return {key: _measured(inner, divisor, unit) for key, inner in value.items()}
    if isinstance(value, int | float):
        return f"{figures.plain(value / divisor if divisor > 1 else value)} {unit}"
    return value


def tally(rows: list[Row]) -> list[tuple[State, int]]:
    """How many rows are in each state, in the order of the legend; states nobody is in are left out."""
    counted = Counter(row.state.name for row in rows)
    return [(state, counted[state.name]) for state in states.STATES if counted[state.name]]


def contradictions(rows: list[Row]) -> list[Sentence]:
    """One sentence for each cell violated where `held` is predicted."""
    sentences = []
    for row in rows:
        if row.state is states.CONTRADICTION:
            cell = row.cell
            lost = f" Lost: {row.lost} acknowledged updates." if cell.lost and cell.lost.min else ""
            text = (
                f"{_where(row)} under `{cell.deployment}` was violated ({joined(cell.anomalies)}) although the rule "
                f"predicts held: {ended(cell.prediction_reason)} Measured: {ended(cell.reason)}{lost} "
                "Either the lab or the theory has a bug."
            )
            sentences.append(Sentence(text, (row,)))
    return sentences


def differences(rows: list[Row]) -> list[Sentence]:
    """One sentence for each way in which a mechanism shows something that was not predicted."""
    return _in_groups([row for row in rows if row.state is states.DIFFERENT])


def broken_promises(rows: list[Row]) -> list[Sentence]:
    """One sentence for each way in which an app breaks a promise, if nothing is claimed of that app."""
    return _in_groups([row for row in rows if row.state is states.UNCLAIMED_VIOLATED])


def partly_seen(rows: list[Row]) -> list[Sentence]:
    """One sentence for each way in which a mechanism shows only a part of what was predicted."""
    return _in_groups([row for row in rows if row.state is states.VIOLATED and row.unseen])


def _in_groups(rows: list[Row]) -> list[Sentence]:
    """One sentence for all rows of a mechanism and window that show the same: what was seen, and what was predicted."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        cell = row.cell
        groups.setdefault((cell.workload, cell.mechanism, cell.window, *row.codes, row.unseen), []).append(row)
    sentences = []
    for group in groups.values():
        cell = group[0].cell
        parts = [f"{were(cell.anomalies)} seen"]
        if cell.claimed:
            said = {
                "seen although not predicted": states.extra(cell),
                "seen as predicted": [anomaly for anomaly in cell.anomalies if anomaly in cell.predicted],
                "predicted and not seen": states.missing(cell),
            }
            parts = [f"{were(anomalies)} {what}" for what, anomalies in said.items() if anomalies]
        under = listed(row.cell.deployment for row in group)
        sentences.append(Sentence(f"{_where(group[0])} under {under}: {'; '.join(parts)}.", tuple(group)))
    return sentences


def not_seen(rows: list[Row]) -> list[Sentence]:
    """One sentence for each mechanism and window whose predicted violation did not show."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row.state is states.NOT_SEEN:
            cell = row.cell
            groups.setdefault((cell.workload, cell.mechanism, cell.window, *cell.predicted), []).append(row)
    sentences = []
    for group in groups.values():
        predicted = f"{_where(group[0])} was predicted to show {joined(group[0].cell.predicted)}"
        bounds = "; ".join(f"under `{row.cell.deployment}` {row.not_seen_bound}" for row in group)
        sentences.append(Sentence(f"{predicted}, and nothing was seen: {bounds}.", tuple(group)))
    return sentences


def hidden(rows: list[Row]) -> list[Sentence]:
    """One sentence for each group of mechanisms that look safe with a narrow window and break with a wider one."""
    broken: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        if row.cell.verdict == "violated":
            broken.setdefault(_place(row), []).append(row.cell.window)
    deceived: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row.state is states.NOT_GUARANTEED and _place(row) in broken:
            deceived.setdefault((row.cell.workload, row.cell.mechanism, row.cell.window), []).append(row)
    groups: dict[tuple[str, str, str, str], list[Row]] = {}
    for (workload, _, window), found in deceived.items():
        wider = sorted({w for row in found for w in broken[_place(row)]}, key=window_order, reverse=True)
        key = (workload, window, listed(wider), listed(row.cell.deployment for row in found))
        groups.setdefault(key, []).extend(found)
    sentences = []
    for (workload, window, wider_ones, deployments), group in groups.items():
        text = (
            f"With window `{window}` the {workload} holds in {listed(row.cell.mechanism for row in group)} under "
            f"{deployments}; with {wider_ones} it is violated there. Nothing protects it: the narrow window only left "
            "other requests no time to come in."
        )
        sentences.append(Sentence(text, tuple(group)))
    return sentences


def _place(row: Row) -> tuple[str, str, str]:
    return row.cell.workload, row.cell.mechanism, row.cell.deployment


def absences(rows: list[Row], stores: Mapping[str, str | None]) -> list[Absence]:
    """The unavailable cells by reason. `stores` maps a mechanism's name to the store it needs."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.state is states.UNAVAILABLE:
            groups.setdefault(row.cell.reason, []).append(row)
    found = []
    for reason, group in groups.items():
        # Help if one store is what all of these cells need; other reasons say themselves what to do.
        store, *others = {stores.get(row.cell.mechanism) for row in group}
        help_ = STORE_HELP.format(store=store) if store and not others else ""
        found.append(Absence(reason, help_, tuple(group)))
    return found


def incomplete(manifest: Mapping[str, Any]) -> list[str]:
    """Whether the run was stopped early, and which cells it therefore lacks."""
    sentences = [f"The run was stopped early: {ended(str(manifest['stopped']))}"] if manifest.get("stopped") else []
    names = missing(manifest)
    if names:
        more = f" and {figures.count(len(names) - NAMED)} more" if len(names) > NAMED else ""
        sentences.append(f"{counted(len(names), 'cell')} missing: {listed(names[:NAMED])}{more}.")
    return sentences


def missing(manifest: Mapping[str, Any]) -> list[str]:
    """Names of the cells that should have been run and were not."""
    return [str(name) for name in manifest.get("missing") or []]


def _where(row: Row) -> str:
    return f"`{row.cell.mechanism}` ({row.cell.workload}, window `{row.cell.window}`)"


def what_breaks(matrices: Iterable[Matrix]) -> str:
    """How many mechanisms were violated somewhere, and the most frequent anomalies."""
    broken: dict[str, set[tuple[str, str]]] = {}
    tried = set()
    rows = [row for matrix in matrices for row in matrix.rows if row.ran]
    what = "mechanisms" if any(row.cell.claimed for row in rows) else "promises"
    for row in rows:
        name = row.cell.workload, row.cell.mechanism
        tried.add(name)
        for anomaly in row.cell.anomalies if row.cell.verdict == "violated" else ():
            broken.setdefault(anomaly, set()).add(name)
    number = len(set().union(*broken.values()))
    most = sorted(broken, key=lambda anomaly: -len(broken[anomaly]))[:3]
    by = f": {joined(f'{anomaly} ({len(broken[anomaly])})' for anomaly in most)}" if most else ""
    return f"{number} of {len(tried)} {what} under some deployment{', most often by' * (len(broken) > 3)}{by}."


def what_holds(matrices: Iterable[Matrix], fixes: Mapping[tuple[str, str], int]) -> list[tuple[str, list[str]]]:
    """For each workload the mechanisms that held wherever they were measured, first those that replace most others.

    `fixes` counts by workload and mechanism how many others it replaces.
    """
    verdicts: dict[tuple[str, str], set[str]] = {}
    for row in (row for matrix in matrices for row in matrix.rows if row.ran):
        verdicts.setdefault((row.cell.workload, row.cell.mechanism), set()).add(row.cell.verdict)
    holding: dict[str, list[str]] = {}
    for (workload, mechanism), seen in verdicts.items():
        if seen - {"unavailable"} == {"held"}:
            holding.setdefault(workload, []).append(mechanism)
    return [(w, sorted(names, key=lambda name: -fixes.get((w, name), 0))) for w, names in holding.items()]
