"""The judge of the workload `cache`: the model register for what was read, the model mutex for what was computed.

The answer to a read is the value, if the cache had it. If the app had to compute it, the answer is the value and two
stamps on the clock of the load: when the computation began and when it ended. A computation counts as a lock that was
held on its value: the same value of the same key, computed twice at the same time, is a stampede.
"""

from dataclasses import dataclass, replace

import msgspec

from statelab.check.judges.by_model import LIMIT_S, ByModel
from statelab.check.judges.each_read import EACH_READ
from statelab.check.judges.judgement import Expectation, Judgement, require_within, stopped, unjudged, violated
from statelab.check.judges.witness import witness
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.words import Cast, milliseconds
from statelab.check.models import MODELS
from statelab.core.operation import Operation
from statelab.core.results import Witness
from statelab.record.columns import History

OPERATIONS = frozenset({"write", "read"})

FRESH = ByModel(
    model=EACH_READ,
    names={
        "stale-read": "stale",
        "phantom": "phantom",
        "aborted-read": "phantom",  # its write was refused
        "future-read": "phantom",  # its write started after the read had ended
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """What a read computed, and when."""

    read: Operation
    value: int
    begin: int
    end: int


def computation(read: Operation) -> Computation | None:
    """What a read computed; None if the cache had the value. Raises `judgement.WrongClock`."""
    if not isinstance(read.result, list):
        return None
    value, begin, end = map(int, read.result)
    require_within(read, "computed", begin, end)
    return Computation(read=read, value=value, begin=begin, end=end)


def judge(history: History, expectation: Expectation) -> Judgement:
    """Counts, rates and latency are of reads and writes together, because a cache is there to make reads cheap."""
    operations = [operation for operation in history.operations() if operation.op in OPERATIONS]
    try:
        computed = [found for found in map(computation, operations) if found]
        plain = History.from_operations(  # with the value alone as result
            [
                msgspec.structs.replace(operation, result=operation.result[0])
                if isinstance(operation.result, list)
                else operation
                for operation in operations
            ]
        )
        judged = FRESH(plain, expectation)
        stampede = _stampede(plain, computed)
    except Exception as error:
        return stopped(unjudged(history, expectation), error)
    measured = unjudged(plain, replace(expectation, changes=OPERATIONS))
    rests_on = {name: getattr(measured, name) for name in ("operations", "coverage", "rate_ops_s", "latency_ms")}
    judged = msgspec.structs.replace(judged, **rests_on)
    return violated(judged, judged.witnesses | {"stampede": stampede}) if stampede else judged


def _stampede(history: History, computed: list[Computation]) -> Witness | None:
    """Two reads that computed the same value at the same time, if there are any."""
    holds = [  # two for each computation, by a client of its own
        Operation(process=number, op=op, key=f"{one.read.key} {one.value}", start=at, end=at, status="ok")
        for number, one in enumerate(computed)
        for op, at in (("acquire", one.begin), ("release", one.end))
    ]
    found = MODELS["mutex"].check(History.from_operations(holds), initial=None, deadline=Deadline.after(LIMIT_S))
    if found.proof is None:
        return None
    one, other, *_ = (computed[number] for number in dict.fromkeys(row // 2 for row in found.proof.rows))
    names = [history.op_ids[code] for code in history.op_id]
    rows = [names.index(one.read.op_id), names.index(other.read.op_id)]
    cast = Cast(history, rows)
    together = milliseconds(min(one.end, other.end) - max(one.begin, other.begin))
    least = len(computed) - len({(one.read.key, one.value) for one in computed})
    text = (
        f"A and B both computed {one.value}, and for {together} they did so at the same time: one computation "
        f"would have been enough. In all, {least:,} of {len(computed):,} computations were of a value that had been "
        f"computed already or was just being computed. {cast.introductions()}"
    )
    return witness(history, "stampede", rows, text)
