"""Lines that are not tried because they touch nothing that others see: proved against trying them all."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_apps import HEAD

from statelab.audit import overlap
from statelab.audit.compare import flat
from statelab.audit.explore import Explorer
from statelab.audit.http_file import read
from statelab.audit.inside.private import candidates
from statelab.audit.play import NO_STEP
from statelab.audit.processes import App
from statelab.audit.site import Sites


def handler(kind: str, value: int) -> list[str]:
    """A few lines of a handler; some of them private, most of them near to it."""
    return {
        "count": ["total = total + 1", f"total = total * {value}", "if total > 20:", "    total = total - 20"],
        "read": ['total = total + place["a"]', "if total > 3:", "    total = 0"],
        "write": ['place["a"] = total', "seen = total"],
        "own": ["mine = place", "seen = mine", "mine = 1"],
        "object": ["thing = Counting(total)", "total = thing + 1", "thing = None", "thing = 0"],
        "loop": [f"for i in range({value}):", "    total = total + i", "    if total > 3:", "        seen = 1"],
        "try": ["try:", "    total = total + 'a'", "except TypeError as error:", '    place["a"] = 7', "    seen = 2"],
        "locked": ["with lock:", "    seen = 1", "    total = total + 'a' if total > 90 else 2", "    seen = 3"],
        "text": ['seen = f"{place}"', 'total = len(place) if seen != "" else 2', "seen = total"],
    }[kind]


SHARED = """
place = {"a": 0, "made": 0}
lock = threading.Lock()
class Counting(int):
    def __add__(self, other):
        place["made"] += 1
        return int(self) + other
@app.get("/place")
def show():
    return jsonify(place)
"""

KINDS = ("count", "read", "write", "own", "object", "loop", "try", "locked", "text")
BODY = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 3)), min_size=1, max_size=4)


def source(bodies: list[list[tuple[str, int]]]) -> str:
    """An app with a route for each body."""
    text = HEAD + SHARED
    for number, body in enumerate(bodies):
        lines = [line for kind, value in body for line in handler(kind, value)]
        text += f'@app.post("/r{number}")\ndef r{number}():\n    total = seen = thing = 0\n'
        text += "".join(f"    {line}\n" for line in lines) + "    return jsonify(total=total, seen=seen)\n"
    return text


@pytest.mark.process
@settings(
    max_examples=int(os.environ.get("AUDITS", "3")),
    derandomize="AUDITS" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(BODY, min_size=2, max_size=2))
def test_worlds_that_are_left_out_are_like_those_that_are_played(bodies: list[list[tuple[str, int]]]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.py").write_text(source(bodies))
        (folder / "story.http").write_text("POST /r0\n###\nPOST /r1\n###\nGET /place\n")
        story = read(folder / "story.http")
        with Sites(App(name="shop:app", folder=folder, python=sys.executable), 2) as sites:
            explorer = Explorer(sites, lambda text: None)
            scene = next(scene for scene in overlap.scenes(story) if str(scene.pair[1]) == "POST /r1")
            world = scene.world(overlap.THREADS, NO_STEP)
            steps = explorer.seen(scene.story, world, 3).steps
            holds = range(len(steps))
            played = explorer.each(
                lambda hold: explorer.seen(scene.story, scene.world(overlap.THREADS, hold), 3), holds
            )
            for number in holds[1:]:
                assert played[number].held
                if steps[number]["as_before"]:
                    assert flat(played[number]) == flat(played[number - 1]), (steps[number], source(bodies))


def some_lines(stock, request):  # type: ignore[no-untyped-def]
    left = stock["left"]  # 1: reads a dictionary
    if left < 1:  # 2: private, if `left` is a number
        return "sold out"  # 3: ends the function
    name = f"{left}"  # 4: formats
    left = left - 1  # 5: private
    left = left % 2  # 6: formats, if `left` is a text
    stock.left = left  # 7: changes an object
    with stock:  # 8: calls
        left = 1  # 9: private
    return name  # 10: ends the function


def test_only_lines_of_these_instructions_are_private() -> None:
    first = some_lines.__code__.co_firstlineno
    lines = {line - first: names for line, names in candidates(some_lines.__code__).items() if line > first}
    assert lines == {2: {"left"}, 5: {"left"}, 9: {"left"}}
