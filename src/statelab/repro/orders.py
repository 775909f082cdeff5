"""Plays the two requests of a schedule in every order of their lines, and lets the workload's judge look at each.

`make orders` writes what was found beside `statelab.report.content.orders`. The requests are those of the schedule that
`statelab repro` plays for the cell. They run the mechanism's own code, in one process or in two as the deployment has
it, against a real store; what a reader of the page decides is who takes the next line. Each order is played from its
beginning, with a key of its own, as long as there is a choice that was not made yet.
"""

import gzip
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from statelab.check.judges import judge_of
from statelab.core.errors import EngineFailed
from statelab.core.operation import Operation, ServedBy
from statelab.core.paths import DEPLOYMENTS, ROOT, SERVICES
from statelab.deploy.processes import Processes
from statelab.deploy.stores import start_redis
from statelab.plan.app import App
from statelab.plan.catalogue import Catalogue, of_app
from statelab.plan.deployments import load_all
from statelab.record.columns import History
from statelab.report.content.orders import TABLE, End, Game, Moment, Side
from statelab.report.content.text import joined
from statelab.repro.outcome import ANYONE
from statelab.repro.schedule import Hold, Run
from statelab.repro.targets import Target, targets

CELLS = (
    ("counter/module-global", "gthread"),
    ("counter/module-global-lock", "gthread"),
    ("counter/module-global", "sync-4"),
    ("counter/redis-get-set", "sync-4"),
    ("counter/redis-incr", "sync-4"),
    ("counter/redis-incr-get", "sync-4"),
)
LINE_NS = 1_000_000
"""What a line takes in the histories, so that equal orders have equal histories."""


class Server:
    """One process of the mechanism, whose requests wait before each line."""

    def __init__(self, target: Target, number: int, environment: dict[str, str]) -> None:
        self.number = number
        self._process = subprocess.Popen(
            [sys.executable, str(SERVICES / "line_by_line.py"), target.workload, target.mechanism],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **command: str) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(msgspec.json.encode(command).decode() + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise EngineFailed(f"{' '.join(self._process.args)} ended")  # type: ignore[arg-type]
        answer: dict[str, Any] = msgspec.json.decode(line)
        if failed := [each["error"] for each in answer["requests"].values() if each["error"]]:
            raise EngineFailed(f"a request failed: {failed[0]}")
        return answer

    def end(self) -> None:
        self._process.communicate()


class Board:
    """The requests of a schedule on the servers of a cell: A and B are played, the others run before and after them."""

    def __init__(self, target: Target, servers: list[Server]) -> None:
        self.target = target
        self.servers = servers
        schedule = target.schedule if target.schedule.gated else target.script.attempt
        acts = [step for step in schedule.steps if isinstance(step, Hold | Run)]
        first = next(number for number, act in enumerate(acts) if isinstance(act, Hold))
        self.before, (self.held, self.other), self.after = acts[:first], acts[first : first + 2], acts[first + 2 :]
        self.at = {self.held.who: servers[0], self.other.who: servers[-1]}

    def server(self, act: Hold | Run) -> Server:
        return self.at[act.via if isinstance(act, Run) and act.via else act.who]

    def play(self, choices: str, key: str) -> tuple[str, list[Moment], list[Operation], int]:
        """One order: as chosen, then the first that can go on. Returns the whole order, its moments, its history, and
        after how many lines the held request comes to its window."""
        clock, history, order, moments = count(1), list[Operation](), "", list[Moment]()
        began: dict[str, int] = {}
        window = 0

        def operation(act: Hold | Run, start: int, end: int, result: int) -> Operation:
            server = self.server(act)
            thread = list(self.at).index(act.who) + 1 if act.who in self.at else 1
            by = ServedBy(host="lab", pid=server.number, thread=thread, greenlet=0, boot=f"process {server.number}")
            return Operation(
                process=act.who,
                op=act.operation,
                start=start * LINE_NS,
                end=end * LINE_NS,
                status="ok",
                result=result,
                served_by=by,
            )

        def alone(acts: list[Hold | Run]) -> Iterator[Operation]:
            for act in acts:
                start = next(clock)
                yield operation(act, start, next(clock), self.server(act).ask(run=act.operation, key=key)["result"])

        for server in self.servers:
            server.ask(anew="", key=key)
        history += alone(self.before)
        seen = {}  # what each server said last
        for act in (self.held, self.other):
            seen[self.at[act.who].number] = self.at[act.who].ask(begin=act.operation, who=act.who, key=key)
        while True:
            now = {who: found for answer in seen.values() for who, found in answer["requests"].items()}
            for act in (self.held, self.other):
                found = now[act.who]
                if found["line"] is None and not found["waits"] and not any(act.who == o.process for o in history):
                    history.append(operation(act, began[act.who], next(clock), found["result"]))
            moments.append(self.moment(now, seen))
            able = [who for who in self.at if now[who]["line"] is not None and not now[who]["waits"]]
            if not able:
                break
            if len(order) < len(choices) and choices[len(order)] not in able:
                raise EngineFailed(f"{self.target.name}: the order {choices} cannot be played a second time")
            who = choices[len(order)] if len(order) < len(choices) else able[0]
            order += who
            began.setdefault(who, next(clock))
            before = now[self.held.who]["windows"]
            number = self.at[who].number
            del seen[number]
            seen[number] = self.at[who].ask(step=who, key=key)
            after = seen[number]["requests"].get(self.held.who)
            if after and after["windows"] > before and not window:
                window = order.count(self.held.who) - 1
            next(clock)
        if len(history) != len(self.before) + 2:
            raise EngineFailed(f"{self.target.name}: the two requests wait for each other in the order {order}")
        history += alone(self.after)
        return order, moments, sorted(history, key=lambda each: each.start), window

    def moment(self, now: dict[str, Any], seen: dict[int, dict[str, Any]]) -> Moment:
        """What a store holds is as it was seen last; the memory of a process changes by its own requests only."""
        sides = {
            who: Side(
                line=now[who]["line"],
                variables=now[who]["variables"] if now[who]["line"] is not None else {},
                told=now[who]["result"],
                waits=now[who]["waits"],
            )
            for who in self.at
        }
        claims = self.target.claims
        if claims.store:
            return Moment(sides=sides, values={claims.store: [*seen.values()][-1]["value"]})
        return Moment(sides=sides, values={f"memory of process {n}": seen[n]["value"] for n in sorted(seen)})


def judged(target: Target, history: list[Operation]) -> End:
    """How one order ends, with the verdict of the workload's judge."""
    found = judge_of(target.workload)(History.from_operations(history), ANYONE)
    return End(
        history=history,
        verdict=found.verdict,
        reason=found.reason,
        anomalies=found.anomalies,
        witness=found.witness,
    )


def _explored(board: Board) -> tuple[list[Moment], list[End], str]:
    """All moments, all ends, and the order of the schedule: the held request to its window, the other one as far as it
    goes, then the rest."""
    keys = count()
    ends: dict[bytes, int] = {}
    found: list[End] = []
    tree: dict[str, Moment] = {}
    to_play, window = [""], 0
    while to_play:
        choices = to_play.pop()
        order, moments, history, came = board.play(choices, f"{board.target.mechanism}-{next(keys)}")
        window = window or came
        for length, moment in enumerate(moments):
            tree.setdefault(order[:length], moment)
        for length in range(len(choices), len(order)):
            ready = [who for who, side in moments[length].sides.items() if side.line is not None and not side.waits]
            to_play += [order[:length] + who for who in ready if who != order[length]]
        packed = msgspec.json.encode(history)
        if packed not in ends:
            ends[packed] = len(found)
            found.append(judged(board.target, history))
        tree[order] = msgspec.structs.replace(moments[-1], end=ends[packed])
    held, other = board.held.who, board.other.who
    shown = held * window
    while (following := [who for who in (other, held) if shown + who in tree]) and following:
        shown += following[0]
    return _merged(tree, list(board.at)), found, shown


def _merged(tree: dict[str, Moment], players: list[str]) -> list[Moment]:
    """The moments by number, the first one is 0. Moments that look the same, and from which all that can follow is the
    same, become one."""
    found: list[Moment] = []
    numbers: dict[bytes, int] = {}

    def number_of(order: str) -> int:
        following = {who: number_of(order + who) for who in players if order + who in tree}
        moment = msgspec.structs.replace(tree[order], next=following)
        packed = msgspec.json.encode(moment)
        if packed not in numbers:
            numbers[packed] = len(found)
            found.append(moment)
        return numbers[packed]

    last = number_of("")
    turned = [
        msgspec.structs.replace(each, next={who: last - number for who, number in each.next.items()})
        for each in reversed(found)
    ]
    assert last == len(found) - 1
    return turned


def _lines(file: Path, moments: list[Moment]) -> dict[int, str]:
    """The functions in which a request has been, from their `def` to their end."""
    text = file.read_text().splitlines()
    been = {side.line for moment in moments for side in moment.sides.values() if side.line is not None}
    starts = [number for number, line in enumerate(text, 1) if line.startswith("def ")]
    shown: dict[int, str] = {}
    for start in starts:
        end = start
        while end < len(text) and (not text[end] or text[end].startswith(" ")):
            end += 1
        if been & set(range(start, end + 1)):
            shown |= {number: text[number - 1] for number in range(start, end + 1) if text[number - 1]}
    return shown


def _in_words(acts: list[Hold | Run]) -> str:
    """The requests in words; one that is sent twice is named once."""
    said = Counter(f"{act.who} {act.operation}s" for act in acts)
    return joined(f"{what} twice" if times == 2 else what for what, times in said.items())


def game(cell: str, deployment: str, catalogue: Catalogue, environment: dict[str, str]) -> Game:
    """All orders of a cell. Raises EngineFailed where a request fails."""
    target = targets(catalogue, load_all(DEPLOYMENTS), cell, [deployment])[0]
    file = SERVICES / "webapp" / target.workload / f"{target.mechanism.replace('-', '_')}.py"
    processes = 1 if target.deployment.expected_processes == 1 else 2
    servers = [Server(target, number + 1, environment) for number in range(processes)]
    try:
        board = Board(target, servers)
        moments, ends, shown = _explored(board)
    finally:
        for server in servers:
            server.end()
    return Game(
        workload=target.workload,
        mechanism=target.mechanism,
        deployment=deployment,
        served=target.deployment.description,
        summary=catalogue.workloads[target.workload].mechanisms[target.mechanism].summary,
        file=str(file.relative_to(ROOT)),
        lines=_lines(file, moments),
        before=_in_words(board.before),
        after=_in_words(board.after),
        operation=board.held.operation,
        shown=shown,
        moments=moments,
        ends=ends,
    )


@contextmanager
def store_for_games() -> Iterator[dict[str, str]]:
    """The environment of the servers, with a Redis of its own. Raises Unavailable where there is none."""
    with Processes() as processes:
        store = start_redis(processes, processes.folder)
        yield {**os.environ, store.variable: store.address}


def main() -> None:
    catalogue = of_app(App())
    with store_for_games() as environment:
        found = [game(*cell, catalogue, environment) for cell in CELLS]
    TABLE.write_bytes(gzip.compress(msgspec.json.encode(found), mtime=0))
    for each in found:
        print(f"{each.mechanism} under {each.deployment}: {each.orders()} orders and broken ones, shown {each.shown}")


if __name__ == "__main__":
    main()
