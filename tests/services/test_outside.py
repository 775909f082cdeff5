"""A mechanism's file from outside: what holds none is refused with file, line and what to do."""

import re
from pathlib import Path

import pytest

from webapp import outside
from webapp.counter import COUNTER
from webapp.session import SESSION

GOOD = """\"\"\"One sentence.\"\"\"

from webapp.claims import NOTHING
from webapp.claims import PROCESS
from webapp.claims import Claims

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request")


def increment(key, window):
    return 1


def read(key):
    return 0
"""
OPERATIONS = {"increment": ["key", "window"], "read": ["key"]}


def tried(path: Path, text: str) -> object:
    path.write_text(text)
    return outside.module(path, "webapp.counter", COUNTER.table, OPERATIONS)


def test_what_is_asked_of_a_file_is_what_the_labs_own_have() -> None:
    """The functions, and their parameters, are those of the workload's first mechanism."""
    counter, session = (each.functions_like(next(iter(each.mechanisms.values()))) for each in (COUNTER, SESSION))
    assert counter == OPERATIONS
    assert session["login"] == ["key", "window", "user"]


def test_a_good_file(tmp_path: Path) -> None:
    """It is found by its name with dashes; its window may be left out."""
    for text in (GOOD, GOOD.replace("(key, window)", "(key)")):
        assert tried(tmp_path / "my_store.py", text)
    assert outside.name_of(tmp_path / "my_store.py") == "my-store"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('"""One sentence."""\n', "\n", 1, "begin with a docstring"),
        ("return 1", "return (", 11, "this is no Python: '(' was never closed"),
        (
            "def read(",
            "def reads(",
            1,
            "there is no `def read(key)`: a mechanism has increment(key, window), r",
        ),
        ("def read(", "async def read(", 14, "read is no ordinary function: make it `def read(key)`"),
        ("(key, window)", "(key, wide)", 10, "increment(key, wide) does not fit (missing a required argument: 'wide')"),
        ("(key, window)", "(window, key)", 10, "(`window` comes second): make it `def increment(key, window)`"),
        ("CLAIMS =", "CLAIM =", 1, "there is no `CLAIMS = Claims(...)`: services/webapp/claims.py says"),
        ("= Claims(", "= dict(", 7, "make it `CLAIMS = Claims(...)`"),
        ("survives", "survive", 7, "unexpected keyword argument 'survive'; services/webapp/claims.py says"),
        ('"request"', '"reboot"', 7, "survives is 'reboot'; valid are request, server, store, worker"),
        (
            "=PROCESS",
            '=frozenset({"pods"})',
            7,
            "shared_across is 'pods'; valid are greenlets, hosts, ",
        ),
        ("=PROCESS", '="hosts"', 7, "shared_across is 'hosts'; it must be a set"),
        ("CLAIMS =", "import none_such\nCLAIMS =", 7, "No module named 'none_such'; install it for "),
        ("CLAIMS =", "open('/none/such')\nCLAIMS =", 7, "open what it needs in init_app(app), or at the first use"),
        ("import NOTHING", "import NOTHINGS", 3, "CONTRIBUTING.md shows what a mechanism imports"),
    ],
)
def test_a_bad_file(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    """Each fault with the line where it stands, and what to do."""
    assert old in GOOD
    path = tmp_path / "my_store.py"
    with pytest.raises(outside.BadFile, match=re.escape(said)) as refused:
        tried(path, GOOD.replace(old, new))
    assert refused.value.sentence.startswith(f"{path}, line {line}: ")
    assert "\n" not in refused.value.sentence


@pytest.mark.parametrize(
    ("stem", "said"),
    [
        ("redis_incr", "there is a mechanism 'redis-incr' already"),
        ("My store", "a mechanism cannot be called 'My store'"),
    ],
)
def test_a_bad_name(tmp_path: Path, stem: str, said: str) -> None:
    """A name that is taken, or that could stand in no path of the app."""
    with pytest.raises(outside.BadFile, match=said):
        tried(tmp_path / f"{stem}.py", GOOD)
