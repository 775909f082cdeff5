"""A cell as every format shows it: its state, and its figures as text."""

import re
import shlex
from dataclasses import dataclass
from functools import cached_property

from statelab.core.results import Cell, Fix
from statelab.report.content import figures, states
from statelab.report.content.states import State
from statelab.report.content.text import shortened

TOOLTIP = 160
"""The most characters of a reason in a tooltip."""


UNMEASURED = "not measured"
NO_ANSWER = "no answer"
GATED = frozenset(
    {
        "lost-update",
        "misreported",
        "stalled",
        "duplicate-id",
        "leak-overlap",
        "two-holders",
        "oversold",
        "over-limit",
        "over-refused",
        "stale",
        "stampede",
        "logout-undone",
        "ran-n-times",
        "crossed-replies",
    }
)
"""Anomalies that need two requests at the same time, as `statelab repro` arranges them."""


@dataclass(frozen=True)
class Row:
    """One cell. `ran` is False for a position in a matrix without a result."""

    cell: Cell
    ran: bool = True

    @cached_property
    def state(self) -> State:
        return states.state_of(self.cell) if self.ran else states.NOT_RUN

    @cached_property
    def name(self) -> str:
        cell = self.cell
        return f"{cell.workload}/{cell.mechanism}/{cell.deployment}/{cell.window}"

    @cached_property
    def anchor(self) -> str:
        """Its address on a page, the same in every report, so that links stay valid."""
        return anchor(*self.name.split("/"))

    @cached_property
    def codes(self) -> list[str]:
        return states.codes(self.cell, self.state)

    @cached_property
    def unseen(self) -> str:
        """`not seen: DV` if a part of what was predicted was not seen; otherwise empty."""
        if self.cell.verdict != "violated" or self.state is states.CONTRADICTION or not states.missing(self.cell):
            return ""
        return "not seen: " + " ".join(map(states.code, states.missing(self.cell)))

    @cached_property
    def shown(self) -> str:
        """The text beside the symbol: codes if there are some, otherwise words."""
        word = [self.state.word] if self.state is states.NOT_SEEN or not self.codes else []
        return " ".join(self.codes + word)

    @cached_property
    def mark(self) -> str:
        """Symbol and codes: `✗ LU`, `≠ DV +LU`, `✗ LU (not seen: DV)`, `✓`; a short word tells the two `?` apart."""
        parts = [self.state.symbol, *(self.codes or [states.SHORT_WORDS.get(self.state.name, "")])]
        return " ".join([*parts, f"({self.unseen})" if self.unseen else ""]).strip()

    @cached_property
    def predicted(self) -> str:
        return states.predicted_mark(self.cell) if self.ran else figures.NONE

    @cached_property
    def predicted_words(self) -> str:
        if self.cell.predicted:
            return " and ".join(self.cell.predicted)
        if not self.cell.claimed:
            return "nothing"
        return "held" if self.cell.guaranteed else "held, without a promise"

    @cached_property
    def words(self) -> str:
        """The cell in words, for a tooltip and for those who cannot see symbols."""
        if not self.ran:
            return self.state.meaning
        measured = ", ".join([*self.cell.anomalies, self.state.word])
        facts = [self.unseen] if self.unseen else []
        facts += [self.lost + " lost"] if self.cell.lost and self.cell.lost.max else []
        facts += [self.not_seen_bound] if self.not_seen_bound else []
        facts += [shortened(self.cell.reason, TOOLTIP)] if self.state is states.UNAVAILABLE else []
        return "; ".join([f"predicted: {self.predicted_words}", f"measured: {measured}", *facts])

    @cached_property
    def bound(self) -> float | None:
        """The 95 % upper bound if a violation was predicted and not seen."""
        if self.state is not states.NOT_SEEN:
            return None
        return figures.bound(self.cell.coverage.tries if self.cell.coverage else 0)

    @cached_property
    def not_seen_bound(self) -> str:
        if self.bound is None:
            return ""
        coverage = self.cell.coverage
        what = "overlap" if coverage is None or coverage.met is None else "meeting"
        if coverage is None or coverage.tries <= 0:
            return f"no bound: no {what}s were counted"
        tries = f"{figures.count(coverage.tries)} {what}{'s' * (coverage.tries != 1)}"
        return f"none in {tries}, so at most {figures.at_most(self.bound)} of them (95 %)"

    @cached_property
    def repro(self) -> str | None:
        """The command that shows the violation again without load, if there is one."""
        cell = self.cell
        if cell.verdict != "violated" or not cell.claimed or not GATED & {*cell.anomalies}:
            return None
        name = f"{cell.workload}/{cell.file or cell.mechanism}"
        return shlex.join(["statelab", "repro", name, "--deployment", cell.deployment])

    @cached_property
    def mechanism_anchor(self) -> str:
        """Address of the page with all cells of this mechanism."""
        return anchor(self.cell.workload, self.cell.mechanism)

    @cached_property
    def fixes(self) -> list[tuple[Fix, str]]:
        """The fixes, each with its kind in words; the one that holds everywhere first."""
        lasting, nearest = self.cell.lasting_fix, self.cell.fix
        found = [(lasting, "Holds everywhere")] if lasting else []
        if nearest and (lasting is None or nearest.mechanism != lasting.mechanism):
            found.append((nearest, "Nearest that holds here"))
        return found

    def fix_anchor(self, fix: Fix) -> str:
        """Address of the page that shows what to change."""
        return anchor("fix", self.cell.workload, self.cell.mechanism, fix.mechanism)

    def ratios_of(self, fix: Fix | None) -> tuple[str, str]:
        """Throughput and p95 of a fix, divided by those of this cell."""
        factors = (fix.rate_ratio, fix.p95_ratio) if fix else (None, None)
        rate, p95 = (self.no_ratio if factor is None else figures.ratio(factor) for factor in factors)
        return rate, p95

    @cached_property
    def no_ratio(self) -> str:
        return f"from {self.lack}" if self.lack == NO_ANSWER else self.lack

    @cached_property
    def lack(self) -> str:
        """Placeholder for a missing figure."""
        return NO_ANSWER if self.cell.operations and not self.cell.operations.ok else UNMEASURED

    @cached_property
    def lost(self) -> str:
        return figures.lost(self.cell.lost, self.cell.operations)

    @cached_property
    def lost_share(self) -> float:
        """The share of acknowledged updates that is certainly lost; 0 if none is."""
        cell = self.cell
        return cell.lost.min / cell.operations.ok if cell.lost and cell.operations and cell.operations.ok else 0.0

    @cached_property
    def operations(self) -> str:
        """ok / fail / info, and how many timed out."""
        counts = self.cell.operations
        if counts is None:
            return figures.NONE
        late = f" ({figures.count(counts.timed_out)} timed out)" if counts.timed_out else ""
        return " / ".join(map(figures.count, (counts.ok, counts.fail, counts.info))) + late

    def answered(self, name: str) -> int | None:
        """How many processes, threads or greenlets answered; None where nothing was measured, or it is not known."""
        coverage = self.cell.coverage
        number: int | None = getattr(coverage, name) if coverage and coverage.known else None
        return number

    @cached_property
    def processes(self) -> str:
        """Processes that answered / expected; `n new` if each request has its own process, `unknown` if no answer says
        who gave it."""
        coverage = self.cell.coverage
        if coverage is None:
            return figures.NONE
        if not coverage.known:
            return "unknown"
        if coverage.expected_processes is None:
            return f"{figures.count(coverage.processes)} new"
        return f"{coverage.processes}/{coverage.expected_processes}"

    @cached_property
    def rate(self) -> str:
        return figures.rate(self.cell.rate_ops_s)

    @cached_property
    def latencies(self) -> tuple[str, str, str]:
        """p50, p95 and p99 in ms."""
        latency = self.cell.latency_ms
        points = (latency.p50, latency.p95, latency.p99) if latency else (None, None, None)
        p50, p95, p99 = map(figures.milliseconds, points)
        return p50, p95, p99

    @cached_property
    def runs(self) -> str:
        """Violated in m of k runs, with the 95 % Clopper-Pearson interval of the share."""
        runs = self.cell.runs
        return f"{runs.violated} of {runs.total} {figures.interval(runs.interval)}" if runs else figures.NONE

    @cached_property
    def lost_over_runs(self) -> str:
        """The median share lost over the runs, with its 95 % bootstrap interval if there are enough runs."""
        runs = self.cell.runs
        if runs is None or runs.lost_share_median is None:
            return figures.NONE
        spread = runs.lost_share_interval
        return figures.share(runs.lost_share_median) + (f" {figures.interval(spread)}" if spread else "")


def anchor(*names: str) -> str:
    """Joins names to an address on a page."""
    return ".".join(re.sub(r"[^\w-]", "_", name) for name in names)
