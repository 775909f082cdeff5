"""The columns of every table that has one row a cell: on the page, in Markdown and in `results.csv`.

A column is one entry of `COLUMNS`. No other code needs to know about it.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from statelab.report.content import figures
from statelab.report.content.rows import Row
from statelab.report.content.text import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`head` is the title on the page and in Markdown (empty: in the CSV file only), `text` makes the cell there.

    `csv` maps the columns of the CSV file (units in the name) to the value: a path into the cell (`latency_ms.p50`; if
    a part is None, there is no value) or a function of the row. Without `text` the first value is shown. `about` says
    what the figures mean. `coloured` cells have the colour of their state; `repeated` columns need more than one run of
    a cell.
    """

    csv: Mapping[str, str | Callable[[Row], object]]
    head: str = ""
    text: Callable[[Row], str] | None = None
    about: str = ""
    coloured: bool = False
    repeated: bool = False

    def shown(self, row: Row) -> str:
        """The cell on the page and in Markdown."""
        if self.text:
            return self.text(row)
        value = self.values(row)[0]
        return figures.count(value) if isinstance(value, int) else figures.plain(value)

    def values(self, row: Row) -> list[object]:
        """The values for the CSV file."""
        return [_at(row.cell, value) if isinstance(value, str) else value(row) for value in self.csv.values()]


COLUMNS = (
    Column(csv={"workload": "workload"}),
    Column(csv={"mechanism": "mechanism"}),
    Column(head="deployment", csv={"deployment": "deployment"}),
    Column(head="window", csv={"window": "window"}),
    Column(
        head="measured",
        csv={"state": lambda row: row.state.name},
        text=lambda row: " ".join(filter(None, [row.state.symbol, row.shown, row.unseen])),
        coloured=True,
    ),
    Column(
        head="predicted",
        csv={"predicted": "predicted", "guaranteed": "guaranteed", "prediction_reason": "prediction_reason"},
        text=lambda row: row.predicted,
    ),
    Column(csv={"verdict": "verdict", "anomalies": "anomalies", "reason": "reason"}),
    Column(
        head="operations",
        about="ok / fail / info (outcome unknown)",
        csv={
            "ok_operations": "operations.ok",
            "fail_operations": "operations.fail",
            "info_operations": "operations.info",
            "timed_out_operations": "operations.timed_out",
        },
        text=lambda row: row.operations,
    ),
    Column(
        head="processes",
        about="that answered / expected",
        csv={
            "processes": lambda row: row.answered("processes"),
            "expected_processes": "coverage.expected_processes",
            "threads": lambda row: row.answered("threads"),
            "greenlets": lambda row: row.answered("greenlets"),
        },
        text=lambda row: row.processes,
    ),
    Column(head="overlaps", csv={"overlapping_pairs": "coverage.overlaps", "meeting_pairs": "coverage.met"}),
    Column(csv={"not_seen_upper_bound_share": lambda row: row.bound}),
    Column(
        head="lost of acknowledged",
        about="updates lost, min–max",
        csv={"lost_min_operations": "lost.min", "lost_max_operations": "lost.max"},
        text=lambda row: row.lost,
    ),
    Column(head="duplicates", csv={"duplicate_operations": "duplicates"}),
    Column(head="race events", csv={"race_events": "race_events"}),
    Column(head="inversions", csv={"inversions": "inversions"}),
    Column(head="scope", csv={"scope": "scope"}),
    Column(
        csv={
            "witness_anomaly": "witness.anomaly",
            "witness_slack_ns": "witness.slack_ns",
            "witness_text": "witness.text",
        }
    ),
    Column(head="ops/s", csv={"rate_ops_per_s": "rate_ops_s"}, text=lambda row: row.rate),
    Column(head="p50 ms", csv={"latency_p50_ms": "latency_ms.p50"}, text=lambda row: row.latencies[0]),
    Column(head="p95 ms", csv={"latency_p95_ms": "latency_ms.p95"}, text=lambda row: row.latencies[1]),
    Column(head="p99 ms", csv={"latency_p99_ms": "latency_ms.p99"}, text=lambda row: row.latencies[2]),
    Column(
        head="violated in runs",
        about="m of k, with the 95 % Clopper-Pearson interval",
        csv={
            "runs": "runs.total",
            "violated_runs": "runs.violated",
            "violated_runs_share_low": "runs.interval.low",
            "violated_runs_share_high": "runs.interval.high",
        },
        text=lambda row: row.runs,
        repeated=True,
    ),
    Column(
        head="lost share over runs",
        about="the median with its 95 % interval",
        csv={
            "lost_share_median": "runs.lost_share_median",
            "lost_share_low": "runs.lost_share_interval.low",
            "lost_share_high": "runs.lost_share_interval.high",
        },
        text=lambda row: row.lost_over_runs,
        repeated=True,
    ),
    Column(
        csv={
            "fix_mechanism": "fix.mechanism",
            "fix_rate_ratio": "fix.rate_ratio",
            "fix_p95_ratio": "fix.p95_ratio",
            "lasting_fix_mechanism": "lasting_fix.mechanism",
            "lasting_fix_rate_ratio": "lasting_fix.rate_ratio",
            "lasting_fix_p95_ratio": "lasting_fix.p95_ratio",
        }
    ),
    Column(csv={"repro": lambda row: row.repro}),
)
"""In the order of all tables. In the CSV file a value that does not apply is empty, and shares are between 0 and 1."""


def csv_text(rows: list[Row]) -> str:
    """`results.csv`: one line a cell, header first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(name for column in COLUMNS for name in column.csv)
    writer.writerows([_csv(value) for column in COLUMNS for value in column.values(row)] for row in rows)
    return text.getvalue()


def _at(value: object, path: str) -> object:
    for name in path.split("."):
        value = None if value is None else getattr(value, name)
    return value


def _csv(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return " ".join(map(str, value))
    return printable(str(value))
