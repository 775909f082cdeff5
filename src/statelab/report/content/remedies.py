"""Fixes for mechanisms that broke: the nearest and a lasting one, what changes in the code, and what that costs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from statelab.core.errors import counted
from statelab.core.results import Fix
from statelab.report.content import figures
from statelab.report.content.matrices import Deployment, Mechanism, mechanisms_of, window_order
from statelab.report.content.rows import UNMEASURED, Row
from statelab.report.content.text import listed
from statelab.theory.code_diff import CodeDiff, diff

MOST_NAMES = 2
"""How many mechanisms a sentence names; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a change costs in one cell: the broken mechanism's row, its fix, and the fix's row."""

    broken: Row
    fix: Fix
    fixed: Row | None

    @property
    def rates(self) -> str:
        """Throughput before and after, in operations a second."""
        return " → ".join(row.rate if row and row.cell.rate_ops_s is not None else _lack(row) for row in self._rows)

    @property
    def p95s(self) -> str:
        """p95 latency before and after, in ms."""
        return " → ".join(row.latencies[1] if row and row.cell.latency_ms else _lack(row) for row in self._rows)

    @property
    def ratios(self) -> tuple[str, str]:
        """Throughput and p95 after the change, each divided by that before it."""
        return self.broken.ratios_of(self.fix)

    @property
    def _rows(self) -> tuple[Row, Row | None]:
        return self.broken, self.fixed


def _lack(row: Row | None) -> str:
    return row.lack if row else UNMEASURED


@dataclass(frozen=True)
class Change:
    """A broken mechanism and a fix, with the cells that it fixes, those of the widest window first.

    `lasting`: the fix holds in every cell that was measured and outlives a worker; otherwise it is the nearest one.
    """

    mechanism: Mechanism
    fix: Mechanism
    lasting: bool
    costs: list[Cost]

    @property
    def anchor(self) -> str:
        return self.costs[0].broken.fix_anchor(self.costs[0].fix)

    @property
    def deployments(self) -> list[str]:
        return list(dict.fromkeys(cost.broken.cell.deployment for cost in self.costs))

    @property
    def kind(self) -> str:
        """Which of the two fixes it is, in words."""
        return "holds everywhere" if self.lasting else "nearest"

    @property
    def window(self) -> str:
        """The widest window. Windows are never pooled, so all figures of the change are for this window."""
        return self.costs[0].broken.cell.window

    @property
    def rate_ratios(self) -> str:
        """The least and the greatest ratio of throughput with that window."""
        return self._ratios([cost.fix.rate_ratio for cost in self._widest])

    @property
    def p95_ratios(self) -> str:
        """The least and the greatest ratio of p95 with that window."""
        return self._ratios([cost.fix.p95_ratio for cost in self._widest])

    def _ratios(self, factors: list[float | None]) -> str:
        known = [factor for factor in factors if factor is not None]
        if not known:
            return self._widest[0].broken.no_ratio
        texts = dict.fromkeys(figures.ratio(factor) for factor in (min(known), max(known)))
        missing = len(factors) - len(known)
        return " to ".join(texts) + (f" ({missing} not measured)" if missing else "")

    @property
    def _widest(self) -> list[Cost]:
        return [cost for cost in self.costs if cost.broken.cell.window == self.window]

    @cached_property
    def diff(self) -> CodeDiff | None:
        """None if the run has no source to compare."""
        both = self.mechanism.source, self.fix.source
        return diff(both[0], both[1]) if both[0] and both[1] else None

    @property
    def lines(self) -> str:
        """How much code changes, in words."""
        return counted(self.diff.changed, "line") if self.diff else "this run has no source to compare"

    @property
    def reach(self) -> str:
        """How far the state reaches after the change, if that differs."""
        before, after = self.mechanism.group, self.fix.group
        return f"the state then reaches {after} instead of {before}" if after != before else ""

    @property
    def passed_over(self) -> str:
        """Fixes that the theory ranks nearer but that were not seen to hold in this run, in words."""
        names = list(dict.fromkeys(name for cost in self.costs for name in cost.fix.passed_over))
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        return (
            f"nearer by the theory, not seen to hold in this run: {listed(names[:MOST_NAMES])}{more}" if names else ""
        )


class Unfixed(msgspec.Struct, frozen=True, kw_only=True):
    """Cells of a broken mechanism for which the run has no fix."""

    workload: str
    mechanism: str
    reason: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """One mechanism that was violated somewhere, with its changes, the best first."""

    mechanism: Mechanism
    changes: list[Change]
    unfixed: list[Unfixed]

    @property
    def without(self) -> str:
        """How many of its violated cells have no fix in this run."""
        return counted(sum(len(lack.cells) for lack in self.unfixed), "cell")


def broken_of(manifest: Mapping[str, Any], rows: list[Row], deployments: Iterable[Deployment]) -> list[Broken]:
    """The broken mechanisms in the order of the tables; results without fixes have none.

    If the mechanism broke under a deployment with several processes, the lasting change comes first. Otherwise the
    change with fewer lines comes first.
    """
    unfixed = msgspec.convert(manifest.get("unfixed") or [], list[Unfixed])
    mechanisms = mechanisms_of(manifest, [row.cell for row in rows])
    changes = _changes(rows, {(m.workload, m.name): m for m in mechanisms})
    processes = {deployment.name for deployment in deployments if "processes" in deployment.spread}
    found = []
    for mechanism in mechanisms:
        own = [change for change in changes if change.mechanism is mechanism]
        spread = any(processes & {*change.deployments} for change in own)
        own.sort(key=lambda change: (spread and not change.lasting, change.diff.changed if change.diff else 0))
        lacks = [lack for lack in unfixed if (lack.workload, lack.mechanism) == (mechanism.workload, mechanism.name)]
        found.append(Broken(mechanism, own, lacks))
    return [broken for broken in found if broken.changes or broken.unfixed]


def _changes(rows: list[Row], mechanisms: Mapping[tuple[str, str], Mechanism]) -> list[Change]:
    """One change for each mechanism and fix, however many cells it fixes."""
    by_name = {row.name: row for row in rows}
    changes: dict[tuple[str, str, str], Change] = {}
    for row in sorted(rows, key=lambda row: window_order(row.cell.window)):
        cell = row.cell
        lasting = cell.lasting_fix.mechanism if cell.lasting_fix else None
        for fix in {fix.mechanism: fix for fix in (cell.lasting_fix, cell.fix) if fix}.values():
            key = cell.workload, cell.mechanism, fix.mechanism
            other = mechanisms.get((key[0], key[2])) or Mechanism(workload=key[0], name=key[2])
            change = changes.setdefault(key, Change(mechanisms[key[:2]], other, fix.mechanism == lasting, []))
            fixed = by_name.get(f"{key[0]}/{key[2]}/{cell.deployment}/{cell.window}")
            change.costs.append(Cost(row, fix, fixed))
    return list(changes.values())
