"""Keys do not depend on each other, so each may be judged in the cheapest way that is exact for it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from statelab.check.kernels.model import Finding
from statelab.check.kernels.order import begins
from statelab.record.columns import History, Integers, Mask

Part = tuple[Integers, Callable[[History], Finding]]
"""Rows of a history, all of their keys, and what judges them."""


def of_each_key(history: History, keys: Mask) -> list[Integers]:
    """The rows of each of these keys that has any, by key."""
    rows = np.flatnonzero(keys[history.key])
    rows = rows[np.argsort(history.key[rows], kind="stable")]
    first = np.flatnonzero(begins(history.key[rows].astype(np.int64)))
    return np.split(rows, first[1:]) if len(rows) else []


def judged_apart(history: History, parts: Iterable[Part]) -> Finding:
    """The findings of the parts as one, with the proof in rows of the history.

    One key that is violated makes the history violated, whatever is not known of the others. The proof is the one of
    fewest operations, then of the largest slack, then of the shortest span.
    """
    findings = [judge(history.take(rows)).at(rows) for rows, judge in parts]
    violated = [finding for finding in findings if finding.proof]
    if not violated:
        return next((finding for finding in findings if finding.verdict == "unknown"), findings[0])

    def size(finding: Finding) -> tuple[int, float, int]:
        assert finding.proof is not None
        rows, slack = list(finding.proof.rows), finding.proof.slack_ns
        span = int(history.end[rows].max()) - int(history.start[rows].min())
        return len(rows), -float("inf") if slack is None else -slack, span

    counts = sum((Counter(finding.counts) for finding in violated), Counter[str]())
    keys = sorted(key for finding in violated for key in finding.violated_keys)
    undecided = sum(finding.verdict == "unknown" for finding in findings)
    return replace(min(violated, key=size), counts=dict(counts), violated_keys=tuple(keys), undecided=undecided)
