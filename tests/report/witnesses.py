"""Made-up witnesses that look like real ones, one kind for each anomaly."""

import random
from typing import Any

from statelab.core.operation import Operation, ServedBy
from statelab.core.results import Witness

HOSTILE = "<script>alert('x')</script> & \"quotes\" | pipes | `ticks` ]]> \x00\x1b[31m"
"""Text that breaks a page, a table or a terminal that does not escape."""

MS = 1_000_000


def served(deployment: dict[str, Any], process: int, thread: int = 0) -> ServedBy:
    """Somebody of the deployment."""
    gevent = deployment["worker_class"] == "gevent"
    return ServedBy(
        host="web-1",
        pid=4120 + process,
        thread=4120 + process if gevent else 4120 + process + thread,
        greenlet=139_712_000_000_000 + 96 * thread if gevent else 0,
        boot=f"b{process}5f0c2d9e81a7",
    )


def increment(process: int, result: int | None, start: float, end: float | None, **more: Any) -> Operation:
    """An increment with its stamps in ms; one without an end is of unknown outcome."""
    stop = None if end is None else round(end * MS)
    status: Any = "info" if end is None else "ok"
    return Operation(
        process=process, op="increment", result=result, start=round(start * MS), end=stop, status=status, **more
    )


def witness_of(anomaly: str, deployment: dict[str, Any], chance: random.Random) -> Witness:
    """A witness of the anomaly, as this deployment could show it."""
    at = chance.uniform(100, 900)
    makers = {
        "lost-update": _lost_update,
        "divergent": _divergent,
        "never-persists": _never_persists,
        "misreported": _lost_update,
        "stalled": _stalled,
        "overcounted": _overcounted,
    }
    return makers.get(anomaly, _lost_update)(anomaly, deployment, at)


def _context(deployment: dict[str, Any], at: float, first: int) -> list[Operation]:
    return [
        increment(
            3 + k % 4, first + k, at + 2.1 * k - 3, at + 2.1 * k - 0.4, served_by=served(deployment, k % 2, k % 3)
        )
        for k in range(6)
    ]


def _lost_update(anomaly: str, deployment: dict[str, Any], at: float) -> Witness:
    by = served(deployment, 0)
    other = served(deployment, len(deployment["spread"]) and 1 if "processes" in deployment["spread"] else 0, 2)
    culprit = increment(7, 412, at, at + 9.2, op_id="7-31", served_by=by)
    again = increment(2, 412, at + 1.1, at + 3.4, op_id="2-18", served_by=other)
    return Witness(
        anomaly=anomaly,
        operations=[culprit, again],
        text=(
            f"Let: A = increment → 412 by client 7 (pid {by.pid}),\n"
            f"     B = increment → 412 by client 2 (pid {other.pid}).\n"
            "Then: both were acknowledged with 412, because both read 411 before either had written;\n"
            "However: two increments of a counter at 411 must answer 412 and 413. A contradiction.\n"
            "A read early and wrote late: it rolled back 3 updates."
        ),
        context=_context(deployment, at, 409),
        culprit="7-31",
    )


def _divergent(anomaly: str, deployment: dict[str, Any], at: float) -> Witness:
    high = increment(1, 58, at, at + 2.2, op_id="1-4", served_by=served(deployment, 0))
    low = increment(5, 23, at + 4.7, at + 6.9, op_id="5-9", served_by=served(deployment, 1, 1))
    return Witness(
        anomaly=anomaly,
        operations=[high, low],
        text=(
            "Let: A = increment → 58, finished at 2.200 ms, B = increment → 23, begun at 4.700 ms.\n"
            "Then: A < B in real time by 2.500 ms; however B < A because 23 < 58: a contradiction.\n"
            "Each process counts for itself: within one pid the history is valid."
        ),
        context=_context(deployment, at, 55),
        slack_ns=round((at + 4.7) * MS) - round((at + 2.2) * MS),
    )


def _never_persists(anomaly: str, deployment: dict[str, Any], at: float) -> Witness:
    first = increment(1, 1, at, at + 6.0, served_by=served(deployment, 11))
    second = increment(1, 1, at + 6.2, at + 12.9, served_by=served(deployment, 12, 5))
    return Witness(
        anomaly=anomaly,
        operations=[first, second],
        text="Client 1 was told 1, and then 1 again: its second request knows nothing of the first.",
        slack_ns=round((at + 6.2) * MS) - round((at + 6.0) * MS),
    )


def _stalled(anomaly: str, deployment: dict[str, Any], at: float) -> Witness:
    ops = [increment(k, None, at + k * 0.7, None, timed_out=True, error="timeout after 5 s") for k in range(8)]
    holder = increment(8, 77, at - 6, at - 1, served_by=served(deployment, 0))
    return Witness(
        anomaly=anomaly,
        operations=ops,
        text=f"8 requests got no answer within 5 s; the last answer came 1 ms before the first of them. Log: {HOSTILE}",
        context=[holder],
    )


def _overcounted(anomaly: str, deployment: dict[str, Any], at: float) -> Witness:
    """A long one: more operations than a picture can draw."""
    ops = [
        increment(k % 16, 3_900 + k * 2, at + k * 1.7, at + k * 1.7 + 4.1, served_by=served(deployment, k % 9, k % 4))
        for k in range(60)
    ]
    read = Operation(
        process=99,
        op="read",
        result=4_003,
        start=round((at + 110) * MS),
        end=round((at + 111) * MS),
        status="ok",
        key=HOSTILE,
    )
    return Witness(anomaly=anomaly, operations=[*ops, read], text=f"4,003 > 4,000. {HOSTILE}", context=ops[:3])
