"""What a cell's operations mean at first sight, in one sentence: code that several workloads share.

Counts only, no search: the exact verdict with its proof is the report's. What is not seen here may still be there.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable

from statelab.core.operation import Operation, Result

NOTHING_SEEN = "nothing seen under this load; that is not a proof"

Operations = list[Operation]
Meaning = Callable[[Operations, list[Result]], str]
"""(operations of the load, what the audit read) -> one sentence."""


def answered(operations: Iterable[Operation], *ops: str) -> Operations:
    return [operation for operation in operations if operation.op in ops and operation.status == "ok"]


def twice(values: Iterable[Hashable]) -> int:
    """How many values have occurred before."""
    return sum(count - 1 for count in Counter(values).values())


def echo(operations: Operations, final: list[Result]) -> str:
    """Each request must get back the value that it sent."""
    other = sum(operation.result != operation.value for operation in answered(operations, "echo", "find", "probe"))
    refused = sum(operation.status != "ok" for operation in operations)
    if other:
        return f"{other} answers were not what the request had sent"
    return (
        f"{refused} requests failed or got no answer; no answer belonged to another request"
        if refused
        else NOTHING_SEEN
    )


def more_than(most: int, op: str, what: str) -> Meaning:
    def meaning(operations: Operations, final: list[Result]) -> str:
        let_through = Counter(operation.key for operation in answered(operations, op) if operation.result == "ok")
        beyond = sum(max(0, count - most) for count in let_through.values())
        return f"{beyond} {what}" if beyond else NOTHING_SEEN

    return meaning
