"""How fast an audit is: worlds per second, time to the first finding, a whole audit, growth, and the fingerprint.

Each app is written into a folder of its own and audited as `statelab audit` does it. CPU is that of all processes, the
app's included: on a machine that does other things too, it says more than the seconds by the clock.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.checking import table_of
from statelab.audit import overlap
from statelab.audit.explore import Explorer
from statelab.audit.finding import Audit
from statelab.audit.http_file import read
from statelab.audit.kinds import reference
from statelab.audit.play import World
from statelab.audit.processes import App
from statelab.audit.run import Asked, every_deployment, perform, searched
from statelab.audit.site import Sites
from statelab.audit.story import Story

HEAD = "from flask import Flask, jsonify, request\n\napp = Flask(__name__)\n"
SMALL = (
    HEAD
    + """
jobs = {}
stock = {"left": 1}

@app.post("/jobs")
def make():
    number = len(jobs) + 1
    jobs[number] = request.json["name"]
    return jsonify(id=number), 201

@app.get("/jobs/<int:number>")
def show(number):
    if number not in jobs:
        return jsonify(error="no such job"), 404
    return jsonify(name=jobs[number])

@app.post("/buy")
def buy():
    left = stock["left"]
    if left < 1:
        return jsonify(sold=False), 409
    stock["left"] = left - 1
    return jsonify(sold=True)
"""
)
STORY = 'POST /jobs\n\n{"name": "paint"}\n\n###\nGET /jobs/1\n\n###\nPOST /buy\n'
SLOW = """
import time
import asyncio, decimal, email.message, http.server, multiprocessing, sqlite3, unittest.mock, xml.dom.minidom
ended = time.monotonic() + 1
while time.monotonic() < ended:
    pass
"""
WITH_A_THREAD = "\nimport threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
WORLDS = 60
LOOKS = 10


def routes(number: int, lines: int) -> str:
    """An app of `number` routes of about `lines` lines each. A route checks its input, counts what it was sent and
    answers; a request runs a third of the lines, the others are for other input. The counters are under a lock, so
    there is no race to find."""
    source = HEAD + "import threading\n\nlock = threading.Lock()\ncounted = {}\n"
    for route in range(number):
        branches = "\n".join(
            f'    if kind == "{branch}":\n        amount = amount * {branch + 2}\n        kind = "{branch}-done"'
            for branch in range((lines - 12) // 3)
        )
        source += f"""

@app.post("/count{route}")
def count{route}():
    kind = request.args.get("kind", "0")
    amount = len(kind)
{branches}
    with lock:
        before = counted.get({route}, 0)
        counted[{route}] = before + amount
    return jsonify(amount=amount)
"""
    return source


def requests(number: int, routes: int, clients: int = 1) -> str:
    """A story of `number` requests to `routes` routes, by `clients` clients in turn."""
    return "\n###\n".join(f"# @client c{n % clients}\nPOST /count{n % routes}?kind=kind{n}\n" for n in range(number))


@dataclass(frozen=True)
class Took:
    """Seconds by the clock, and CPU seconds of this process and of those that it has waited for."""

    clock_s: float
    cpu_s: float


def timed(what: Callable[[], object]) -> Took:
    began, cpu = time.perf_counter(), _cpu_s()
    what()
    return Took(time.perf_counter() - began, _cpu_s() - cpu)


def _cpu_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@contextmanager
def written(source: str, story: str) -> Iterator[tuple[App, Story]]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.py").write_text(source)
        (folder / "story.http").write_text(story)
        yield App(name="shop:app", folder=folder, python=sys.executable), read(folder / "story.http")


def measure() -> None:
    for part in (_worlds, _first_finding, _growth, _fingerprint):
        title, heads, rows = part()
        lines = [heads, tuple("---" if head == heads[0] else "---:" for head in heads), *rows]
        print(f"{title}\n\n{table_of(map(str, line) for line in lines)}", flush=True)


Table = tuple[str, tuple[str, ...], list[tuple[object, ...]]]
"""Its title, its heads and its rows."""


def _worlds() -> Table:
    """One site, one world after the other. The import is not counted, but where each world imports anew."""
    apps = {
        "small": (SMALL, WORLDS),
        "imports for 1 s": (SLOW + SMALL, WORLDS),
        "imports for 1 s and leaves a thread": (SLOW + SMALL + WITH_A_THREAD, 5),
    }
    rows: list[tuple[object, ...]] = []
    for name, (source, count) in apps.items():
        with written(source, STORY) as (app, story):
            held = next(overlap.scenes(story))
            kinds = {
                "one after the other": (story, reference(len(story))),
                "one held": (held.story, held.world(overlap.THREADS, 1)),
            }
            for kind, (played, world) in kinds.items():
                _play(app, played, world, 1)  # so that its bytecode is there
                one = timed(partial(_play, app, played, world, 1))
                more = timed(partial(_play, app, played, world, 1 + count))
                clock, cpu = more.clock_s - one.clock_s, more.cpu_s - one.cpu_s
                rows.append(
                    (f"{name}, {kind}", f"{count / clock:.1f}", f"{1e3 * cpu / count:.1f}", f"{count / cpu:.1f}")
                )
    heads = ("app", "worlds/s", "CPU ms a world", "worlds per CPU second")
    return "Worlds of three and four requests, one at a time", heads, rows


def _play(app: App, story: Story, world: World, count: int) -> None:
    with Sites(app, 1) as sites:
        explorer = Explorer(sites, lambda text: None)
        for _ in range(count):
            explorer.seen(story, world, 1)


def _first_finding() -> Table:
    rows: list[tuple[object, ...]] = []
    known = every_deployment()
    for name, source in (("small", SMALL), ("imports for 1 s", SLOW + SMALL)):
        with written(source, STORY) as (app, story), Sites(app, 2) as sites:
            explorer = Explorer(sites, lambda text: None)
            took = timed(partial(next, searched(explorer, story, known)))
            rows.append((name, f"{took.clock_s:.1f}", explorer.worlds))
    return "From the end of the import to the first finding that stands", ("app", "s", "worlds"), rows


def _growth() -> Table:
    """Whole audits: first of an app of ten routes and 300 lines with 20 requests, then one thing grows at a time."""
    rows: list[tuple[object, ...]] = []
    known = every_deployment()
    apps = [
        (10, 300, 20, 1),
        (5, 75, 5, 1),
        (5, 75, 10, 1),
        (5, 75, 20, 1),
        (5, 150, 5, 1),
        (5, 300, 5, 1),
        (5, 75, 5, 2),
    ]
    for number, lines, sent, clients in apps:
        source = routes(number, lines // number)
        with written(source, requests(sent, number, clients)) as (app, story):
            done: list[Audit] = []
            asked = Asked(app=app, stories=[story], deployments=known)
            took = timed(lambda asked=asked, done=done: done.append(perform(asked)))  # type: ignore[misc]
            row = (number, source.count("\n"), sent, clients, done[0].worlds, done[0].lines_held)
            rows.append((*row, f"{took.clock_s:.1f}", f"{took.cpu_s:.1f}"))
    heads = ("routes", "lines", "requests", "clients", "worlds", "lines held", "s", "CPU s")
    return "A whole audit, two worlds side by side for each core", heads, rows


def _fingerprint() -> Table:
    rows: list[tuple[object, ...]] = []
    for name, source in (("small", SMALL), ("100 routes", routes(100, 30))):
        with written(source, STORY) as (app, _), Sites(app, 1) as sites:
            with sites.first.world(frozenset("a"), ("a1",), forked=False, patched=False) as opened:
                server = opened.server("a1", run=1)
                looks = [server.say("look", words=[]) for _ in range(2)]
                took = timed(lambda server=server: [server.say("look", words=[]) for _ in range(LOOKS)])  # type: ignore[misc]
            rows.append((name, len(looks[1]["places"]), f"{1e3 * took.clock_s / LOOKS:.1f}"))
    return "The fingerprint: one look at all places of a process", ("app", "places", "ms a look"), rows
