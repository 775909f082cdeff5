"""What to do about what broke: for each mechanism the nearest that holds, what changes, and what that costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from statelab.report.content import figures
from statelab.report.content.matrices import Mechanism
from statelab.report.content.matrices import mechanisms_of
from statelab.report.content.matrices import window_order
from statelab.report.content.rows import UNMEASURED
from statelab.report.content.rows import Row
from statelab.report.content.text import lines
from statelab.report.content.text import listed
from statelab.theory.code_diff import CodeDiff
from statelab.theory.code_diff import diff

MOST_NAMES = 2
"""Mechanisms that a sentence names; it counts the others."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the change costs in one cell: the broken mechanism's row and that of its fix."""

    broken: Row
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
    def _rows(self) -> tuple[Row, Row | None]:
        return self.broken, self.fixed


def _lack(row: Row | None) -> str:
    return row.lack if row else UNMEASURED


@dataclass(frozen=True)
class Change:
    """A broken mechanism and a fix, with the cells that it serves, those of the widest window first."""

    mechanism: Mechanism
    fix: Mechanism
    costs: list[Cost]

    @property
    def anchor(self) -> str:
        return self.costs[0].broken.fix_anchor

    @property
    def deployments(self) -> list[str]:
        return list(dict.fromkeys(cost.broken.cell.deployment for cost in self.costs))

    @property
    def window(self) -> str:
        """The widest window it serves; windows are never pooled, so a figure for the whole is one for this window."""
        return self.costs[0].broken.cell.window

    @property
    def rate_ratios(self) -> str:
        """The least and the greatest ratio of throughput with that window."""
        return self._ratios([row.cell.fix.rate_ratio for row in self._widest if row.cell.fix])

    @property
    def p95_ratios(self) -> str:
        """The least and the greatest ratio of p95 with that window."""
        return self._ratios([row.cell.fix.p95_ratio for row in self._widest if row.cell.fix])

    def _ratios(self, factors: list[float | None]) -> str:
        known = [factor for factor in factors if factor is not None]
        if not known:
            return self._widest[0].no_ratio
        texts = dict.fromkeys(figures.ratio(factor) for factor in (min(known), max(known)))
        missing = len(factors) - len(known)
        return " to ".join(texts) + (f" ({missing} not measured)" if missing else "")

    @property
    def _widest(self) -> list[Row]:
        return [cost.broken for cost in self.costs if cost.broken.cell.window == self.window]

    @cached_property
    def diff(self) -> CodeDiff | None:
        """None where the run has no source to compare."""
        both = self.mechanism.source, self.fix.source
        return diff(both[0], both[1]) if both[0] and both[1] else None

    @property
    def lines(self) -> str:
        """How much code changes, in words."""
        if self.diff is None:
            return "this run has no source to compare"
        return lines(self.diff.changed)

    @property
    def reach(self) -> str:
        """How far the state reaches then, where that is farther."""
        before, after = self.mechanism.group, self.fix.group
        return f"the state then reaches {after} instead of {before}" if after != before else ""

    @property
    def passed_over(self) -> str:
        """What the theory ranks nearer and this run did not see hold, in words."""
        fixes = [cost.broken.cell.fix for cost in self.costs]
        names = list(dict.fromkeys(name for fix in fixes if fix for name in fix.passed_over))
        more = len(names) - MOST_NAMES
        others = f" and {more} more" if more > 0 else ""
        return (
            f"nearer by the theory, not seen to hold in this run: {listed(names[:MOST_NAMES])}{others}" if names else ""
        )


class Unfixed(msgspec.Struct, frozen=True, kw_only=True):
    """Cells of a broken mechanism for which the run has no fix."""

    workload: str
    mechanism: str
    reason: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """One mechanism that was violated somewhere."""

    mechanism: Mechanism
    changes: list[Change]
    unfixed: list[Unfixed]

    @property
    def without(self) -> str:
        """How many of its violated cells have no fix in this run."""
        number = sum(len(lack.cells) for lack in self.unfixed)
        return "1 cell" if number == 1 else f"{figures.count(number)} cells"


def broken_of(manifest: Mapping[str, Any], rows: list[Row]) -> list[Broken]:
    """The broken mechanisms in the order of the tables; those of results without fixes are left out."""
    unfixed = msgspec.convert(manifest.get("unfixed") or [], list[Unfixed])
    mechanisms = mechanisms_of(manifest, [row.cell for row in rows])
    changes = _changes(rows, {(m.workload, m.name): m for m in mechanisms})
    found = [
        Broken(
            mechanism,
            sorted((change for change in changes if change.mechanism is mechanism), key=_size),
            [lack for lack in unfixed if (lack.workload, lack.mechanism) == (mechanism.workload, mechanism.name)],
        )
        for mechanism in mechanisms
    ]
    return [broken for broken in found if broken.changes or broken.unfixed]


def _size(change: Change) -> int:
    return change.diff.changed if change.diff else 0


def _changes(rows: list[Row], mechanisms: Mapping[tuple[str, str], Mechanism]) -> list[Change]:
    """One for each pair of a mechanism and a fix, however many cells it serves."""
    by_name = {row.name: row for row in rows}
    changes: dict[tuple[str, str, str], Change] = {}
    for row in sorted(rows, key=lambda row: window_order(row.cell.window)):
        cell = row.cell
        if cell.fix:
            key = cell.workload, cell.mechanism, cell.fix.mechanism
            fix = mechanisms.get((key[0], key[2])) or Mechanism(workload=key[0], name=key[2])
            change = changes.setdefault(key, Change(mechanisms[key[:2]], fix, []))
            change.costs.append(Cost(row, by_name.get(f"{key[0]}/{key[2]}/{cell.deployment}/{cell.window}")))
    return list(changes.values())
