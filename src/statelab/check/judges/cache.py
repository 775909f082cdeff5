"""The judge of the workload `cache`: the model register on what was read, the model mutex on what was computed.

A read that finds its value in the cache is answered with the value. A read that has to compute the value is answered
with the value and two stamps: when the computation began and when it ended, on the clock of the load. A computation
counts as holding a lock on what it computes: two such locks held at once for the same value of the same key are a
stampede.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace

import msgspec

from statelab.check.judges.by_model import LIMIT_S
from statelab.check.judges.by_model import ByModel
from statelab.check.judges.each_read import EACH_READ
from statelab.check.judges.judgement import Expectation
from statelab.check.judges.judgement import Judgement
from statelab.check.judges.judgement import unjudged
from statelab.check.judges.judgement import violated
from statelab.check.judges.witness import witness
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.words import Cast
from statelab.check.kernels.words import milliseconds
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
        "aborted-read": "phantom",  # written by a request that was refused
        "future-read": "phantom",  # written only after it had been read
    },
)


class WrongClock(Exception):
    """The stamps of a computation do not lie within those of its request: they are of another clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """What a read computed, and when."""

    read: Operation
    value: int
    begin: int
    end: int


def computation(read: Operation) -> Computation | None:
    """What a read computed; None if it found the value in the cache. Raises WrongClock for impossible stamps."""
    if not isinstance(read.result, list):
        return None
    value, begin, end = map(int, read.result)
    assert read.end is not None
    if not read.start <= begin <= end <= read.end:
        raise WrongClock(f"computed from {begin} to {end}, asked from {read.start} to {read.end}")
    return Computation(read=read, value=value, begin=begin, end=end)


def judge(history: History, expectation: Expectation) -> Judgement:
    """Counts, rates and latency are of reads and writes together, because the purpose of a cache is fast reads."""
    operations = [operation for operation in history.operations() if operation.op in OPERATIONS]
    try:
        computed = [found for found in map(computation, operations) if found]
        plain = History.from_operations([*map(_plain, operations)])
        judged = FRESH(plain, expectation)
        stampede = _stampede(plain, computed)
    except Exception as error:
        reason = f"the checker stopped: {type(error).__name__}: {error}"
        return msgspec.structs.replace(unjudged(history, expectation), reason=reason)
    measured = unjudged(plain, replace(expectation, changes=OPERATIONS))
    rests_on = {name: getattr(measured, name) for name in ("operations", "coverage", "rate_ops_s", "latency_ms")}
    judged = msgspec.structs.replace(judged, **rests_on)
    return violated(judged, judged.witnesses | {"stampede": stampede}) if stampede else judged


def _plain(operation: Operation) -> Operation:
    """The operation with the value alone as its result."""
    if not isinstance(operation.result, list):
        return operation
    return msgspec.structs.replace(operation, result=operation.result[0])


def _holds(computed: list[Computation]) -> Iterator[Operation]:
    """An acquire and a release for each computation, each by another client, in the order of `computed`."""
    for number, one in enumerate(computed):
        of = f"{one.read.key} {one.value}"
        for op, at in (("acquire", one.begin), ("release", one.end)):
            yield Operation(process=number, op=op, key=of, start=at, end=at, status="ok")


def _stampede(history: History, computed: list[Computation]) -> Witness | None:
    """Two reads that computed the same value at once, if the model mutex finds any."""
    found = MODELS["mutex"].check(
        History.from_operations([*_holds(computed)]), initial=None, deadline=Deadline.after(LIMIT_S)
    )
    if found.proof is None:
        return None
    one, other, *_ = (computed[number] for number in dict.fromkeys(row // 2 for row in found.proof.rows))
    names = [history.op_ids[code] for code in history.op_id]
    rows = [names.index(one.read.op_id), names.index(other.read.op_id)]
    cast = Cast(history, rows)
    together = milliseconds(min(one.end, other.end) - max(one.begin, other.begin))
    least = len(computed) - len({(one.read.key, one.value) for one in computed})
    text = (
        f"A and B both computed {one.value}, and for {together} they did so at the same time: one computation would "
        f"have been enough for both. In all, {least:,} of {len(computed):,} computations were of a value that had been "
        f"computed already or was just being computed. {cast.introductions()}"
    )
    return witness(history, "stampede", rows, text)
