"""Generated apps: what a real server shows when a request is held at a gate is what the audit finds, and no more.

The gates stand in the app that is served, not in the one that is audited: before each statement of a handler a request
with the header `X-Hold` waits there until a file tells it to go on. Every scene of the audit is played on the real
server with the first request held at every gate in turn, and both orders are played there too.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from small_apps import HEAD

from statelab.audit import overlap
from statelab.audit.explore import Explorer
from statelab.audit.http_file import read
from statelab.audit.processes import App
from statelab.audit.site import Sites
from statelab.audit.story import Story
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.plan.app import App as Served
from statelab.plan.deployments import load_all

EXAMPLES = settings(
    max_examples=int(os.environ.get("AUDITS", "1")),
    derandomize="AUDITS" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
"""The same few in each run of the tests; `make fuzz` draws many."""
LONGEST_S = 10.0
WAITS_S = 0.5
"""A second request that has no answer for so long while the first is held waits for it."""

PLACES = """
import fcntl
from contextlib import contextmanager
from pathlib import Path
place = {"a": 0, "b": 0}
mutex = threading.Lock()
if not os.path.exists(path("f")):
    Path(path("f")).write_text("0")
@contextmanager
def flocked():
    with open(path("lock"), "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
@app.get("/all")
def everything():
    return jsonify(place, Path(path("f")).read_text())
"""

GATE = """
def gate(number):
    if request.headers.get("X-Hold") == str(number):
        Path(path("held")).touch()
        while not os.path.exists(path("go")):
            time.sleep(0.005)
@app.post("/as-at-first")
def as_at_first():
    place.update(a=0, b=0)
    Path(path("f")).write_text("0")
    for name in ("held", "go"):
        Path(path(name)).unlink(missing_ok=True)
    return ""
"""

STATEMENTS = {
    "read a": 'seen = place["a"]',
    "read b": 'seen = place["b"]',
    "read f": 'seen = int(Path(path("f")).read_text())',
    "keep a": 'place["a"] = seen + 1',
    "keep b": 'place["b"] = seen + 2',
    "keep f": 'Path(path("f")).write_text(str(seen + 3))',
    "own": "seen = seen + 1",
}
LOCKS = {"none": None, "mutex": "with mutex:", "flock": "with flocked():"}

Handler = tuple[str, tuple[str, ...]]
"""Its lock and its statements."""


def handlers(places: str, locks: tuple[str, ...]) -> st.SearchStrategy[Handler]:
    """Of handlers that use these places, under one of these locks."""
    statements = [name for name in STATEMENTS if name[-1] in places or name == "own"]
    body = st.lists(st.sampled_from(statements), min_size=1, max_size=3).map(tuple)
    return st.tuples(st.sampled_from(locks), body)


def source(made: list[Handler], *, gates: bool) -> str:
    text = HEAD + PLACES + (GATE if gates else "")
    for number, (lock, statements) in enumerate(made):
        opening = LOCKS[lock]
        lines = [f"    {opening}"] if opening else []
        indent = "        " if opening else "    "
        for at, statement in enumerate(statements):
            lines += [f"{indent}gate({at})"] * gates + [indent + STATEMENTS[statement]]
        lines += [f"{indent}gate({len(statements)})"] * gates
        text += "\n".join(
            [f'@app.post("/r{number}")', f"def r{number}():", "    seen = 0", *lines, "    return jsonify(seen)\n"]
        )
    return text


class Real:
    """The gated app behind a real server."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder

    def send(self, text: str, hold: int | None = None) -> str:
        method, _, target = text.partition(" ")
        headers = {} if hold is None else {"X-Hold": str(hold)}
        return requests.request(method, self._url + target, headers=headers, timeout=LONGEST_S).text

    def shown(self, scene: overlap.Scene, hold: int | None, *, swapped: bool = False) -> tuple[str, ...]:
        """The answers of both and of what follows; `hold` holds the first at this gate while the second is served."""
        self.send("POST /as-at-first")
        for request in scene.before:
            self.send(str(request))
        if hold is None:
            pair = list(scene.pair)[:: -1 if swapped else 1]
            answers = [self.send(str(request)) for request in pair][:: -1 if swapped else 1]
        else:
            answers = self._held(scene.pair, hold)
        return *answers, *(self.send(str(request)) for request in scene.after)

    def _held(self, pair: Story, hold: int) -> list[str]:
        answers = ["", ""]

        def send(number: int, hold: int | None) -> None:
            answers[number] = self.send(str(pair[number]), hold)

        threads = [threading.Thread(target=send, args=one) for one in ((0, hold), (1, None))]
        threads[0].start()
        deadline = time.monotonic() + LONGEST_S
        while not (self._folder / "held").exists():
            assert time.monotonic() < deadline, "the first request did not come to its gate"
            time.sleep(0.005)
        threads[1].start()
        threads[1].join(WAITS_S)
        (self._folder / "go").touch()
        for thread in threads:
            thread.join()
        return answers


@contextmanager
def real(made: list[Handler], deployment: str) -> Iterator[Real]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "state").mkdir()
        (folder / "state" / "f").write_text("0")  # so that no worker that is late writes it while requests are served
        (folder / "shop.py").write_text(source(made, gates=True))
        served = Served(name="shop:app", folder=folder, stores=frozenset())
        engine = LocalEngine(served, {"STATE_DIR": str(folder / "state")})
        try:
            engine.up([load_all(DEPLOYMENTS, ())[deployment]])
            yield Real(engine.url(deployment), folder / "state")
        finally:
            engine.down()


def compare(made: list[Handler], boundary: overlap.Boundary, deployment: str) -> bool:
    """Asserts that both say the same of each scene; whether anything was found."""
    any_found = False
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.py").write_text(source(made, gates=False))
        (folder / "story.http").write_text("POST /r0\n###\nPOST /r1\n###\nGET /all\n")
        story = read(folder / "story.http")
        scenes = [scene for scene in overlap.scenes(story) if all(str(one) != "GET /all" for one in scene.pair)]
        assert len(scenes) == 4
        with (
            Sites(App(name="shop:app", folder=folder, python=sys.executable), 2) as sites,
            real(made, deployment) as server,
        ):
            explorer = Explorer(sites, lambda text: None)
            for scene in scenes:
                found = overlap.first_difference(explorer, scene, boundary)
                orders = {server.shown(scene, None), server.shown(scene, None, swapped=True)}
                gates = range(len(made[int(str(scene.pair[0])[-1])][1]) + 1)
                shown = {gate for gate in gates if server.shown(scene, gate) not in orders}
                assert bool(found) == bool(shown), (list(map(str, scene.pair)), found, shown, source(made, gates=False))
                any_found |= bool(shown)
    return any_found


CHECK_THEN_ACT: list[Handler] = [("none", ("read a", "keep a")), ("mutex", ("read a", "keep a"))]


@pytest.mark.process
def test_one_of_the_two_takes_no_lock() -> None:
    assert compare(CHECK_THEN_ACT, overlap.THREADS, "gthread")


@pytest.mark.process
@EXAMPLES
@given(st.lists(handlers("abf", tuple(LOCKS)), min_size=2, max_size=2))
def test_threads_of_a_real_server_show_what_is_found(made: list[Handler]) -> None:
    compare(made, overlap.THREADS, "gthread")


@pytest.mark.process
@EXAMPLES
@example([("none", ("read f", "keep f")), ("flock", ("read f", "keep f"))])
@given(st.lists(handlers("f", ("none", "flock")), min_size=2, max_size=2))
def test_processes_of_a_real_server_show_what_is_found(made: list[Handler]) -> None:
    compare(made, overlap.PROCESSES, "sync-4")
