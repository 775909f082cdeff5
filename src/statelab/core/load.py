"""The messages between the instrument and the load, one JSON line each, and the sizes of the stock and the limit."""

import msgspec

from statelab.core.ask import Ask

STOCK = 2
"""The workload `inventory`: how many of each article are on the shelf."""

LIMIT = 2
"""The workload `rate-limit`: requests that are let through in an hour, for each name."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """What to do and when to stop.

    The load ends after `min_seconds` and `min_operations` and once the expected number of processes has answered
    (`processes`; None: two different ones), but after `max_seconds` in any case. The rule looks at coverage, never at
    results, so it does not favour a verdict. `servers` is how many threads or greenlets must answer, `audits` how often
    the final state is read. `asks`: for an app that is not the lab's own, the request for each operation; operations
    that the app lacks are missing. `times`: how often one request of the load does its operation. If more than once,
    all clients send together, so that the operations meet.
    """

    url: str
    workload: str
    mechanism: str
    window: str
    key: str
    processes: int | None
    servers: int
    min_seconds: float
    max_seconds: float
    min_operations: int
    audits: int
    asks: dict[str, Ask] = {}
    times: int = 1

    @property
    def path(self) -> str:
        return f"{self.url}/{self.workload}/{self.mechanism}"

    def has(self, op: str) -> bool:
        """Whether the app has an optional operation."""
        return not self.asks or op in self.asks


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """How long the load of a cell lasted (s), operations answered, and how many got no answer in time."""

    key: str
    seconds: float
    answered: int
    timed_out: int
