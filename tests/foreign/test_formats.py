"""`statelab check` on files of other tools: told by content, read as what they say, judged as the same operations."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from statelab.check.file import Verdict, check_file, details
from statelab.core.errors import BadInput

EDN = """\
{:process 0, :type :invoke, :f :write, :value 1, :time 10, :index 0}
{:process 0, :type :ok, :f :write, :value 1, :time 20, :index 1}
{:process 1, :type :invoke, :f :read, :value nil, :time 30, :index 2}
{:process 1, :type :ok, :f :read, :value nil, :time 40, :index 3}
"""
ELLE = """\
[{"process": 0, "type": "invoke", "f": "write", "value": 1, "index": 0},
 {"process": 0, "type": "ok", "f": "write", "value": 1, "index": 1},
 {"process": 1, "type": "invoke", "f": "read", "value": null, "index": 2},
 {"process": 1, "type": "ok", "f": "read", "value": null, "index": 3}]
"""
ARRAY = """\
[
  {"process": 0, "op": "write", "value": 1, "start": 10, "end": 20, "status": "ok"},
  {"process": 1, "op": "read", "result": null, "start": 30, "end": 40, "status": "ok"}
]
"""
LOG = (
    "INFO  jepsen.util - 0\t:invoke\t:write\t1\nINFO  jepsen.util - 0\t:ok\t:write\t1\n"
    "INFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 1\t:ok\t:read\tnil\n"
)
SECONDS = """\
{"process": 0, "op": "write", "value": 1, "start": 1764064800.10, "end": 1764064800.20, "status": "ok"}
"""


def judged(tmp_path: Path, content: str | bytes, model: str | None = None, name: str = "x") -> Verdict:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return check_file(str(path), model, None, None)


def refused(tmp_path: Path, content: str | bytes, model: str | None = None) -> str:
    with pytest.raises(BadInput) as error:
        judged(tmp_path, content, model)
    said = str(error.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("content", "verdict", "read_as"),
    [
        (EDN, "violated", "Jepsen EDN history, 4 events, 2 operations"),
        (ELLE, "violated", "JSON history of events, as elle-cli takes it, 4 events, 2 operations"),
        (ARRAY, "violated", "JSON array of operations, 2 operations"),
        (LOG, "violated", "Jepsen log, 4 events, 2 operations"),
        (SECONDS, "held", "operations, one a line, 1 operation, stamps in seconds, read to the ns"),
    ],
    ids=["edn", "elle", "array", "log", "seconds"],
)
def test_each_format(content: str, verdict: str, read_as: str, tmp_path: Path) -> None:
    """A read that began after the write ended saw nothing: so say four formats, whatever the file is called."""
    for data in (content, gzip.compress(content.encode()), "\ufeff" + content):
        said = judged(tmp_path, data, "register", "history.txt")
        assert said.verdict == verdict
        assert said.read_as is not None
        assert said.read_as.startswith(read_as)


def test_the_same_operations_come_out_of_every_format(tmp_path: Path) -> None:
    """The witness is in our own form, with the stamps that the file has or the places of the events."""
    plain: list[dict[str, Any]] = [
        {"process": 0, "op": "write", "value": 1, "start": 10, "end": 20, "status": "ok"},
        {"process": 1, "op": "read", "result": None, "start": 30, "end": 40, "status": "ok"},
    ]
    assert judged(tmp_path, EDN).witness == plain
    assert judged(tmp_path, json.dumps(plain), "register").witness == plain
    by_place = [one | {"start": 2 * place, "end": 2 * place + 1} for place, one in enumerate(plain)]
    assert judged(tmp_path, ELLE).witness == by_place
    assert judged(tmp_path, LOG).witness == by_place


WRITE_THEN_NOTHING = """\
{"process": 0, "op": "write", "value": 1, "start": 1764064800000, "end": 1764064800020, "status": "ok"}
{"process": 1, "op": "read", "result": null, "start": 1764064800032, "end": 1764064800040, "status": "ok"}
"""


@pytest.mark.parametrize(
    ("unit", "apart", "until"),
    [
        (None, "12 units", "from 32 to 40 units"),
        ("ns", "12 ns", "from 32 to 40 ns"),
        ("us", "0.012 ms", "from 0.032 to 0.040 ms"),
        ("ms", "12 ms", "from 32 to 40 ms"),
        ("s", "12 s", "from 32 to 40 s"),
    ],
)
def test_the_proof_speaks_in_the_units_of_the_file(unit: Any, apart: str, until: str, tmp_path: Path) -> None:
    """Nobody says that epoch milliseconds are nanoseconds; who served is left out where it is not known."""
    path = tmp_path / "x.jsonl"
    path.write_text(WRITE_THEN_NOTHING)
    said = check_file(str(path), "register", None, None, unit=unit)
    assert said.proof is not None
    assert f"A had ended {apart} before B started" in said.proof
    assert said.proof.endswith(f"B: {until}.")
    assert (said.slack, said.unit) == (12, unit)
    assert any(apart in line for line in details(said) if line.startswith("slack"))


def test_a_unit_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """Places of events have none; stamps with fractions are seconds. A person may correct a file."""
    for content, unit, words in ((LOG, "ms", "leave --unit out"), (SECONDS, "ms", "are seconds, not ms")):
        path = tmp_path / "x"
        path.write_text(content)
        with pytest.raises(BadInput, match=words):
            check_file(str(path), "register", None, None, unit=unit)  # type: ignore[arg-type]
    assert check_file(str(path), "register", None, None, unit="s").unit == "ns"
    path.write_text('{"unit": "ms"}\n' + WRITE_THEN_NOTHING)
    assert check_file(str(path), "register", None, None).unit == "ms"
    assert check_file(str(path), "register", None, None, unit="us").unit == "us"
    path.write_text('{"unit": "event"}\n' + WRITE_THEN_NOTHING)
    assert check_file(str(path), "register", None, None).unit == "event"
    with pytest.raises(BadInput, match="leave --unit out"):
        check_file(str(path), "register", None, None, unit="ms")
    path.write_text('{"unit": "ms"}\n' + WRITE_THEN_NOTHING + "{}")
    with pytest.raises(BadInput, match="line 4"):
        check_file(str(path), "register", None, None)


def test_objects_over_several_lines(tmp_path: Path) -> None:
    """As a formatter prints them, of operations and of events; a fault has its line."""
    operations = [json.loads(line) for line in WRITE_THEN_NOTHING.splitlines()]
    printed = "\n".join(json.dumps(one, indent=2) for one in operations)
    said = judged(tmp_path, printed, "register")
    assert (said.verdict, said.read_as) == ("violated", "JSON objects over several lines, 2 operations")
    assert "line 9: " in refused(tmp_path, printed.replace('"read"', '"reed"'), "register")
    assert "line 12: not JSON" in refused(tmp_path, printed.replace('"read",', '"read"'), "register")
    events = "".join(json.dumps(one, indent=1) for one in json.loads(ELLE))
    assert judged(tmp_path, events).verdict == "violated"


def test_events_without_times_are_apart_by_events(tmp_path: Path) -> None:
    """A log has no clock: the proof counts events."""
    said = judged(tmp_path, LOG)
    assert said.unit == "event"
    assert said.proof is not None
    assert "A had ended 1 event before B started" in said.proof
    assert "slack: 1 event; the file has no clock, only the order of the events" in details(said)


def test_amounts_and_queues_name_their_model_themselves(tmp_path: Path) -> None:
    """An increment by five explains a read of 5; one element cannot be dequeued twice."""
    (tmp_path / "by-five.jsonl").write_text(
        '{"process": 0, "op": "increment", "value": 5, "start": 0, "end": 10, "status": "ok"}\n'
        '{"process": 1, "op": "read", "result": 5, "start": 20, "end": 30, "status": "ok"}\n'
    )
    (tmp_path / "queue.jsonl").write_text(
        '{"process": 0, "op": "enqueue", "value": 7, "start": 0, "end": 10, "status": "ok"}\n'
        '{"process": 1, "op": "dequeue", "result": 7, "start": 20, "end": 30, "status": "ok"}\n'
        '{"process": 2, "op": "dequeue", "result": 7, "start": 25, "end": 35, "status": "ok"}\n'
    )
    amounts = check_file(str(tmp_path / "by-five.jsonl"), None, None, None)
    queue = check_file(str(tmp_path / "queue.jsonl"), None, None, None)
    assert (amounts.model, amounts.verdict) == ("blind-counter", "held")
    assert (queue.model, queue.verdict, queue.anomaly) == ("queue", "violated", "duplicated")
