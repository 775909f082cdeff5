"""Compares the stores for a counter: what holds, how fast it is, which other promises hold there, what it outlives.

Everything is read from a run. A place is a store, or a medium such as files, or the memory of one process.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from statelab.core.results import ENDINGS, Survival
from statelab.report.content import figures, states
from statelab.report.content.matrices import KEPT, Deployment, Line, Matrix, Mechanism, widest_of
from statelab.report.content.rows import Row
from statelab.report.content.text import joined

PLACES = {
    "module global": None,
    "files": "file",
    "SQLite": "sqlite",
    "multiprocessing.Manager": "manager",
    "memcached": "memcached",
    "Redis": "redis",
    "PostgreSQL": "postgres",
}
"""The places, each with the store or medium that its mechanisms claim (None: the memory of one process)."""

COUNTED = "counter"
COMMON = frozenset({"processes", "threads"})
"""Speeds are compared under the deployment with this spread: several workers with threads, as most apps are served."""

HOST = "host"
"""The ending that is tried only where there are several hosts."""

REACHES = {"process": "one process", "host": "all workers of one host", "cluster": "all workers of all hosts"}


def place_of(mechanism: Mechanism) -> str | None:
    """The place where a mechanism keeps its state; None if it is not among those compared."""
    kept_in = mechanism.store or mechanism.medium
    if kept_in is None and mechanism.group != "process":
        return None
    return next((place for place, known in PLACES.items() if known == kept_in), None)


@dataclass(frozen=True, slots=True)
class Standing:
    """A mechanism of a workload, with its measured rows; `spreads` has the spread of each row's deployment."""

    line: Line
    rows: list[Row]
    spreads: list[frozenset[str]]

    @property
    def name(self) -> str:
        return self.line.mechanism.name

    @property
    def held(self) -> int:
        return sum(row.state in KEPT for row in self.rows)

    @property
    def of(self) -> int:
        return len(self.rows)

    @property
    def text(self) -> str:
        return f"{self.held} of {self.of}"

    @property
    def tone(self) -> str:
        """The colour of its cell."""
        return "held" if self.held == self.of else "some" if self.held else "violated"

    @property
    def fails_across(self) -> str | None:
        """A boundary that every deployment where it does not hold has, and no deployment where it holds; None if there
        is no such boundary."""
        kept = [row.state in KEPT for row in self.rows]
        broken = [spread for spread, holds in zip(self.spreads, kept, strict=True) if not holds]
        whole = [spread for spread, holds in zip(self.spreads, kept, strict=True) if holds]
        found = frozenset.intersection(*broken) - frozenset.union(*whole) if broken and whole else frozenset()
        return min(found, default=None)


@dataclass(frozen=True, slots=True)
class Lived:
    """Whether the state outlived an ending: a symbol, a word, and whether the rule predicted it."""

    symbol: str
    word: str
    agrees: bool = True

    @property
    def text(self) -> str:
        return self.symbol if self.agrees else f"{self.symbol}{states.DIFFERENT.symbol}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place. `naive` is the mechanism that reads and then writes, `atomic` the one that holds under most
    deployments; `common` is the row of `atomic` under the deployment where speeds are compared. `promises` has the best
    mechanism for each other workload. `on_hosts` says under how many of the deployments on several hosts `atomic`
    holds."""

    name: str
    naive: Standing | None
    atomic: Standing
    common: Row | None
    rate_ratio: str
    p95_ratio: str
    promises: Mapping[str, Standing]
    lived: list[Lived]
    on_hosts: str
    advice: str

    @property
    def speeds(self) -> list[tuple[str, str]]:
        """Throughput and p95 of the atomic mechanism, each with its ratio to the best place; none if it does not
        hold."""
        if self.common is None:
            return [(figures.NONE, ""), (figures.NONE, "")]
        if self.common.state not in KEPT:
            return [("does not hold", ""), ("does not hold", "")]
        return [(self.common.rate, self.rate_ratio), (self.common.latencies[1], self.p95_ratio)]


@dataclass(frozen=True, slots=True)
class StoreComparison:
    """The comparison; speeds are compared under `deployment` (None: the run has none that fits). `replicated` are the
    deployments on several hosts."""

    places: list[Place]
    workloads: list[str]
    deployment: Deployment | None
    tried: bool
    endings: list[str]
    replicated: list[str]

    @property
    def signs(self) -> Iterator[str]:
        """The legend, a sentence each."""
        yield "holds: number of deployments under which it holds, of those measured, in the widest window of the run"
        if self.deployment:
            where = f"{self.deployment.name} ({self.deployment.description})"
            yield f"ops/s and p95: of the one operation that holds, under {where}, and relative to the best place"
        if self.replicated:
            yield f"on two hosts: the same operation under {joined(self.replicated)}"
        if not self.tried:
            yield "what state outlives was not tried in this run; `statelab survive` tries it"
            return
        yield f"{KEPT_MARK.symbol} kept, {LOST_MARK.symbol} lost, {figures.NONE} it needs no store that could end"
        yield f"{states.DIFFERENT.symbol} after a sign: the rule predicts the opposite"
        yield from (f"outlives {ending}: {meaning}" for ending in self.endings for meaning in [ENDINGS[ending]])


def compare_stores(manifest: Mapping[str, Any], matrices: list[Matrix]) -> StoreComparison | None:
    """The comparison; None if the run has fewer than two places."""
    widest = widest_of(matrices)
    if COUNTED not in widest:
        return None
    survival = msgspec.convert(manifest.get("survival") or [], list[Survival])
    deployment = next((d for d in widest[COUNTED].deployments if frozenset(d.spread) == COMMON), None)
    standings = {workload: _standings(matrix) for workload, matrix in widest.items()}
    tried = [ending for ending in ENDINGS if any(each.ending == ending for each in survival)]
    endings = tried if tried == [HOST] else [ending for ending in ENDINGS if ending != HOST or ending in tried]
    found = [_place(name, standings, deployment, survival, endings) for name in PLACES if standings[COUNTED].get(name)]
    if len(found) < 2:
        return None
    workloads = [w for w in widest if w != COUNTED and sum(w in place.promises for place in found) > 1]
    replicated = [deployment.name for deployment in widest[COUNTED].deployments if "hosts" in deployment.spread]
    return StoreComparison(_with_ratios(found), workloads, deployment, bool(tried), endings, replicated)


def with_hosts_of(one: StoreComparison, other: StoreComparison) -> StoreComparison:
    """The comparison `one`, with what `other`, that of another run, says of several hosts. It is unchanged if the other
    run has no deployment on several hosts."""
    said = {place.name: place for place in other.places if other.replicated}
    places = []
    for place in one.places:
        same = said.get(place.name)
        fits = same is not None and same.atomic.name == place.atomic.name
        lived = same.lived[other.endings.index(HOST)] if same and fits and HOST in other.endings else NOT_TRIED
        hosts = same.on_hosts if same and fits else figures.NONE
        places.append(replace(place, lived=[*place.lived, lived], on_hosts=hosts))
    return replace(one, places=places, endings=[*one.endings, HOST], replicated=other.replicated) if said else one


def _standings(matrix: Matrix) -> dict[str, list[Standing]]:
    """The measured mechanisms of a workload by place, in the order of its table."""
    found: dict[str, list[Standing]] = {}
    for line in matrix.lines:
        place = place_of(line.mechanism)
        pairs = zip(line.rows, matrix.deployments, strict=True)
        measured = [(row, d) for row, d in pairs if row.ran and row.cell.verdict != "unavailable"]
        if place and measured:
            spreads = [frozenset(deployment.spread) for _, deployment in measured]
            found.setdefault(place, []).append(Standing(line, [row for row, _ in measured], spreads))
    return found


def _best(standings: list[Standing]) -> Standing:
    """The mechanism that holds under most deployments; of several, the first."""
    return max(standings, key=lambda standing: standing.held)


def _place(
    name: str,
    standings: Mapping[str, Mapping[str, list[Standing]]],
    deployment: Deployment | None,
    survival: list[Survival],
    endings: list[str],
) -> Place:
    counted = standings[COUNTED][name]
    atomic, naive = _best(counted), min(counted, key=lambda standing: standing.held)
    lived = [_lived(survival, atomic.name, ending) for ending in endings]
    on_hosts = [row.state in KEPT for row, spread in zip(atomic.rows, atomic.spreads, strict=True) if "hosts" in spread]
    return Place(
        name=name,
        naive=naive if naive.held < atomic.held else None,
        atomic=atomic,
        common=next((row for row in atomic.rows if deployment and row.cell.deployment == deployment.name), None),
        rate_ratio="",
        p95_ratio="",
        promises={w: _best(places[name]) for w, places in standings.items() if w != COUNTED and name in places},
        lived=lived,
        on_hosts=f"{sum(on_hosts)} of {len(on_hosts)}" if on_hosts else figures.NONE,
        advice=_advice(atomic, dict(zip(endings, lived, strict=True))),
    )


KEPT_MARK = Lived(states.HELD.symbol, "kept")
LOST_MARK = Lived(states.VIOLATED.symbol, "lost")
NOTHING_ENDS = Lived(figures.NONE, "it needs no store")
NOT_TRIED = Lived(figures.NONE, "not tried")


def _lived(survival: Iterable[Survival], mechanism: str, ending: str) -> Lived:
    tried = next((s for s in survival if (s.mechanism, s.ending) == (mechanism, ending)), None)
    if tried is None or (tried.kept is None and tried.predicted is not None):
        return NOT_TRIED
    if tried.kept is None:
        return NOTHING_ENDS
    mark = KEPT_MARK if tried.kept else LOST_MARK
    return mark if tried.agrees else Lived(mark.symbol, mark.word, agrees=False)


def _with_ratios(places: list[Place]) -> list[Place]:
    """The places, with their speeds divided by those of the fastest one that held."""
    held = [place.common.cell for place in places if place.common and place.common.state in KEPT]
    rates = [cell.rate_ops_s for cell in held if cell.rate_ops_s]
    p95s = [cell.latency_ms.p95 for cell in held if cell.latency_ms]
    found = []
    for place in places:
        if place.common and place.common.state in KEPT:
            cell = place.common.cell
            rate = figures.ratio(cell.rate_ops_s / max(rates)) if cell.rate_ops_s else ""
            p95 = figures.ratio(cell.latency_ms.p95 / min(p95s)) if cell.latency_ms and min(p95s) else ""
            place = replace(place, rate_ratio=rate, p95_ratio=p95)
        found.append(place)
    return found


def _advice(atomic: Standing, lived: Mapping[str, Lived]) -> str:
    """Who can share the value, where not, and what ends it, from what was measured."""
    reach, boundary = atomic.line.mechanism.group, atomic.fails_across
    parts = [REACHES.get(reach, "nobody")]
    broken = [row.cell.deployment for row in atomic.rows if row.state not in KEPT]
    if broken and boundary is None:
        parts.append(f"not under {joined(broken)}")
    elif broken and (reach, boundary) != ("process", "processes"):  # `one process` says that already
        parts.append(f"not where {boundary} lie between requests")
    lost = next((ending for ending, mark in lived.items() if mark.word == "lost"), None)
    if NOT_TRIED in lived.values():
        parts.append("what it outlives was not tried")
    else:
        parts.append(f"until its {lost} ends" if lost else "outlives all that was ended")
    return "; ".join(parts)
