"""What a cell's operations say at first sight, in one sentence for each workload.

Counts only, no search: the exact verdict with its proof is the report's. What is not seen here may still be there.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterable
from itertools import accumulate
from itertools import pairwise

from statelab.core.load import LIMIT
from statelab.core.load import STOCK
from statelab.core.operation import Operation
from statelab.core.operation import Result
from statelab.core.operation import Value

NOTHING_SEEN = "nothing seen under this load; that is not a proof"

Operations = list[Operation]
Meaning = Callable[[Operations, list[Result]], str]
"""From the operations of a cell's load and what its audit read, to one sentence."""


def answered(operations: Iterable[Operation], *ops: str) -> Operations:
    return [operation for operation in operations if operation.op in ops and operation.status == "ok"]


def twice(values: Iterable[Hashable]) -> int:
    """How many are not the first of their kind."""
    return sum(count - 1 for count in Counter(values).values())


def counter(operations: Operations, final: list[Result]) -> str:
    told = answered(operations, "increment")
    values = {value for value in final if isinstance(value, int)}
    if not values:
        return "the value could not be read"
    if len(values) > 1:
        return "reads disagree although nobody writes: several copies"
    missing = len(told) - values.pop()
    if missing > 0:
        return f"{missing} acknowledged increments are missing"
    if twice(operation.result for operation in told if isinstance(operation.result, int)):
        return "the total is right, the numbers handed out are not"
    if -missing > sum(operation.status == "info" for operation in operations):
        return "more was counted than was asked for"
    return NOTHING_SEEN


def unique_id(operations: Operations, final: list[Result]) -> str:
    again = twice(str(operation.result) for operation in answered(operations, "new-id"))
    return f"{again} ids had been given to somebody before" if again else NOTHING_SEEN


def echo(operations: Operations, final: list[Result]) -> str:
    """Whoever sends a value is to get it back."""
    other = sum(operation.result != operation.value for operation in answered(operations, "echo", "find", "probe"))
    refused = sum(operation.status != "ok" for operation in operations)
    if other:
        return f"{other} answers were not what their own request had sent"
    return f"{refused} requests failed or got no answer; no answer was another's" if refused else NOTHING_SEEN


def lock(operations: Operations, final: list[Result]) -> str:
    """Each answer says from when to when its request held the lock."""
    held = sorted(
        (int(operation.result[0]), int(operation.result[1]))
        for operation in answered(operations, "work")
        if isinstance(operation.result, list)
    )
    together = sum(enter < left for (_, left), (enter, _) in pairwise(held))
    return f"{together} times somebody took the lock while another one held it" if together else NOTHING_SEEN


def _more_than(most: int, op: str, what: str) -> Meaning:
    def meaning(operations: Operations, final: list[Result]) -> str:
        let_through = Counter(operation.key for operation in answered(operations, op) if operation.result == "ok")
        beyond = sum(max(0, count - most) for count in let_through.values())
        return f"{beyond} {what}" if beyond else NOTHING_SEEN

    return meaning


def cache(operations: Operations, final: list[Result]) -> str:
    """Of two updates, the second begun when the first was acknowledged, nobody reads the first after the second."""
    done = sorted((write.end or 0, write.start) for write in answered(operations, "write"))
    ends = [end for end, _ in done]
    newest = [0, *accumulate((start for _, start in done), max)]
    written = {write.value: write.end for write in operations if write.op == "write"}
    old = sum(
        (written.get(_read_value(read)) or read.start) < newest[bisect_left(ends, read.start)]
        for read in answered(operations, "read")
    )
    return f"{old} reads returned an older value after an update had been acknowledged" if old else NOTHING_SEEN


def _read_value(read: Operation) -> Value | None:
    """One that computed its value says beside it when it did."""
    told = read.result[0] if isinstance(read.result, list) and read.result else read.result
    return told if isinstance(told, int | str) else None


def session(operations: Operations, final: list[Result]) -> str:
    """The key ends with the user who asks; an answer is the user it was for, and a number."""
    others, told = 0, []
    for operation in answered(operations, "login", "count", "logout", "read", "whoami"):
        user, _, number = str(operation.result or "").partition(" ")
        others += user not in ("", operation.key.partition(".")[2])
        told += [(operation.key, number)] if operation.op == "count" and number else []
    if others:
        return f"{others} answers were about somebody else's session"
    again = twice(told)
    return f"{again} counts were told a number that their browser had been told before" if again else NOTHING_SEEN


def once(operations: Operations, final: list[Result]) -> str:
    """The ledger has an entry for each effect, which begins with the work it was for."""
    ledger = max((entries for entries in final if isinstance(entries, list)), key=len, default=[])
    again = twice(str(entry).split()[0] for entry in ledger)
    if again:
        return f"{again} effects of work that had taken effect before"
    return NOTHING_SEEN if ledger else "the ledger is empty, or could not be read"


MEANINGS: dict[str, Meaning] = {
    "counter": counter,
    "unique-id": unique_id,
    "request-scope": echo,
    "connection": echo,
    "lock": lock,
    "inventory": _more_than(STOCK, "buy", "more were sold than there were"),
    "rate-limit": _more_than(LIMIT, "hit", "more requests were let through than the limits allow"),
    "cache": cache,
    "session": session,
    "once": once,
}
"""By workload."""
