"""Every order of the lines of two requests, as `statelab.repro.orders` found them: where each order leads, and what the
workload's judge says of it. Read here, for the page where somebody decides who takes the next line.
"""

import gzip
from functools import cache
from pathlib import Path

import msgspec

from statelab.core.operation import Operation
from statelab.core.results import VerdictName, Witness

TABLE = Path(__file__).with_suffix(".json.gz")


class Side(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A request at one moment: the line that it takes next (None: it has ended), its variables, what it was told, and
    whether it waits for the other one."""

    line: int | None = None
    variables: dict[str, str] = {}
    told: int | None = None
    waits: bool = False


class Moment(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Both requests, the values that are kept (one for each copy of the state), and where the next line of each request
    leads: `next` has the number of the following moment for each request that can go on. If both have ended, `end` is
    the number of the End."""

    sides: dict[str, Side]
    values: dict[str, int]
    next: dict[str, int] = {}
    end: int | None = None


class End(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The history of an order, with the judge's verdict. Each line takes one millisecond."""

    history: list[Operation]
    verdict: VerdictName
    reason: str
    anomalies: list[str] = []
    witness: Witness | None = None


class Game(msgspec.Struct, frozen=True, kw_only=True):
    """A mechanism under a deployment. `lines` are the lines of the functions that its requests run, by their numbers in
    the file `file`; `before` and `after` are the other requests, in words. `shown` is the order that `statelab repro`
    takes; moment 0 is the first one."""

    workload: str
    mechanism: str
    deployment: str
    served: str
    summary: str
    file: str
    lines: dict[int, str]
    before: str
    after: str
    operation: str
    shown: str
    moments: list[Moment]
    ends: list[End]

    @property
    def address(self) -> str:
        return f"play.{self.mechanism}.{self.deployment}"

    @property
    def command(self) -> str:
        return f"statelab repro {self.workload}/{self.mechanism} --deployment {self.deployment}"

    @property
    def shows_window(self) -> bool:
        return any("window()" in line for line in self.lines.values())

    def where(self, who: str) -> str:
        """The process and the thread that a request runs in."""
        served = next(one.served_by for one in self.ends[0].history if one.process == who)
        return f"process {served.pid}, thread {served.thread}" if served else ""

    def orders(self) -> tuple[int, int]:
        """The number of orders, and of those among them that break the promise."""
        found: dict[int, tuple[int, int]] = {}

        def count(number: int) -> tuple[int, int]:
            if number not in found:
                moment = self.moments[number]
                if moment.end is not None:
                    found[number] = (1, int(self.ends[moment.end].verdict == "violated"))
                else:
                    after = [count(following) for following in moment.next.values()]
                    found[number] = (sum(all_ for all_, _ in after), sum(broken for _, broken in after))
            return found[number]

        return count(0)

    def end(self, order: str) -> End:
        """What an order leads to: one letter for each line, `A` or `B`."""
        moment = self.moments[0]
        for who in order:
            moment = self.moments[moment.next[who]]
        assert moment.end is not None
        return self.ends[moment.end]


@cache
def games() -> list[Game]:
    """All that can be played, in the order of the page."""
    return msgspec.json.decode(gzip.decompress(TABLE.read_bytes()), type=list[Game])
