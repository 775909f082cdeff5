"""The rows as CSV: one line a cell, one column a figure, units in the column's name."""

import csv
import io

from statelab.report.content.rows import Row
from statelab.report.content.text import printable

COLUMNS = {
    "workload": "cell.workload",
    "mechanism": "cell.mechanism",
    "deployment": "cell.deployment",
    "window": "cell.window",
    "state": "state.name",
    "predicted": "cell.predicted",
    "guaranteed": "cell.guaranteed",
    "prediction_reason": "cell.prediction_reason",
    "verdict": "cell.verdict",
    "anomalies": "cell.anomalies",
    "reason": "cell.reason",
    "ok_operations": "cell.operations.ok",
    "fail_operations": "cell.operations.fail",
    "info_operations": "cell.operations.info",
    "timed_out_operations": "cell.operations.timed_out",
    "processes": "cell.coverage.processes",
    "expected_processes": "cell.coverage.expected_processes",
    "threads": "cell.coverage.threads",
    "greenlets": "cell.coverage.greenlets",
    "overlapping_pairs": "cell.coverage.overlaps",
    "not_seen_upper_bound_share": "bound",
    "lost_min_operations": "cell.lost.min",
    "lost_max_operations": "cell.lost.max",
    "duplicate_operations": "cell.duplicates",
    "race_events": "cell.race_events",
    "inversions": "cell.inversions",
    "scope": "cell.scope",
    "witness_anomaly": "cell.witness.anomaly",
    "witness_slack_ns": "cell.witness.slack_ns",
    "witness_text": "cell.witness.text",
    "rate_ops_per_s": "cell.rate_ops_s",
    "latency_p50_ms": "cell.latency_ms.p50",
    "latency_p95_ms": "cell.latency_ms.p95",
    "latency_p99_ms": "cell.latency_ms.p99",
    "runs": "cell.runs.total",
    "violated_runs": "cell.runs.violated",
    "violated_runs_share_low": "cell.runs.interval.low",
    "violated_runs_share_high": "cell.runs.interval.high",
    "lost_share_median": "cell.runs.lost_share_median",
    "lost_share_low": "cell.runs.lost_share_interval.low",
    "lost_share_high": "cell.runs.lost_share_interval.high",
    "fix_mechanism": "cell.fix.mechanism",
    "fix_rate_ratio": "cell.fix.rate_ratio",
    "fix_p95_ratio": "cell.fix.p95_ratio",
    "repro": "repro",
}
"""Each column and where a row has it; a figure that does not apply is empty. Shares are between 0 and 1."""


def render(rows: list[Row]) -> str:
    """The whole file, header first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_text(_at(row, path)) for path in COLUMNS.values()] for row in rows)
    return text.getvalue()


def _at(value: object, path: str) -> object:
    for name in path.split("."):
        value = None if value is None else getattr(value, name)
    return value


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return " ".join(map(str, value))
    return printable(str(value))
