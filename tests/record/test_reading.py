"""Files to histories: what is taken is taken exactly, fast or slow; what is none is refused whole, with its line."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pyarrow
import pyarrow.parquet
import pytest

from agreement import side_by_side
from check.models.test_models import EVERY
from models.known import Known
from statelab.check.json_lines import as_lines
from statelab.check.models import MODELS
from statelab.core.errors import BadInput
from statelab.foreign.source import read
from statelab.record import parquet
from statelab.record.columns import History
from statelab.record.reading.lines import LineReader, RefusedLine, record
from statelab.record.reading.rules import Refused, Taker

SEED = 20_261_124
COUNTER, REGISTER, SET, IDS, INVENTORY = (
    MODELS[name] for name in ("counter", "register", "set", "unique-ids", "inventory")
)


def op(**changes: Any) -> dict[str, Any]:
    plain = {"process": 1, "op": "increment", "result": 1, "start": 1, "end": 5, "status": "ok"}
    return {name: value for name, value in (plain | changes).items() if value is not ...}


def text_of(*operations: dict[str, Any]) -> str:
    return "".join(json.dumps(operation) + "\n" for operation in operations)


def refused(path: Path, content: str | bytes, model: Any = COUNTER) -> str:
    """What is said of a file with that content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadInput) as error:
        read(path, model)
    return str(error.value)


def some(known: Known, count: int, rng: random.Random) -> History:
    """Random operations of the model, each by a client of its own; only models that need op_ids have them."""
    operations = side_by_side(known.small(rng) for _ in range(count))
    with_ids = any(shape.op_id for shape in known.model.operations.values())
    own = [
        msgspec.structs.replace(o, process=f"{number}", op_id=o.op_id if with_ids else None)
        for number, o in enumerate(operations)
    ]
    return History.from_operations(own, answers=known.model.answers)


@EVERY
def test_lines_give_the_operations_they_were_written_from(known: Known, tmp_path: Path) -> None:
    """Random histories of every model, written as JSON Lines and as our own Parquet, are read back as they were."""
    rng = random.Random(SEED)
    written = some(known, 300, rng)
    operations = written.operations()
    path = tmp_path / "h.jsonl"
    path.write_bytes(b"".join(as_lines(written, range(len(written)))))
    found = read(path, known.model)
    assert found.operations() == operations
    parquet.write(found, tmp_path / "h.parquet")
    assert read(tmp_path / "h.parquet", known.model).operations() == operations
    assert parquet.read(tmp_path / "h.parquet").operations() == operations


@EVERY
def test_the_fast_way_takes_what_the_strict_one_takes(known: Known) -> None:
    """Lines with one byte changed: accepted, refused, and read alike by columns and one by one."""
    rng, verdicts = random.Random(SEED + 1), {"taken": 0, "refused": 0}
    written = some(known, 120, rng)
    whole = [line.strip() for line in as_lines(written, range(len(written)))]
    reader = LineReader(known.model)
    reader.read(list(whole))  # it knows now which fields the lines have
    for _ in range(400):
        line = bytearray(rng.choice(whole))
        place = rng.randrange(len(line))
        how = rng.randrange(3)
        if how == 0:
            line[place] = rng.choice(b'0123456789"{}[]:,.-eE+ntfaul \x00\xff')
        elif how == 1:
            del line[place]
        else:
            line[place:place] = bytes([rng.choice(b'0123456789", -.')])
        changed = bytes(line)
        if b"\n" in changed or b"\r" in changed:
            continue
        strict: object
        try:
            strict = Taker(known.model).take(record(changed))
        except Refused as why:
            strict = str(why)
        try:
            fast: object = History.operations(reader.read([changed])[0].history(known.model.answers, ids_repeat=True))[
                0
            ]
        except RefusedLine as why:
            fast = str(why)
        assert fast == strict, changed
        verdicts["refused" if isinstance(strict, str) else "taken"] += 1
    assert min(verdicts.values()) > 40


BAD: dict[str, tuple[str, list[str]]] = {
    "not JSON": (text_of(op()) + "increment 17\n", ["line 2", "not JSON"]),
    "half a line": (text_of(op()) + '{"process": 1, "op"', ["line 2", "not JSON"]),
    "no object": ("[1, 2]\n", ["line 1"]),
    "nothing": ("", ["no operations"]),
    "only blank lines": ("\n\n", ["no operations"]),
    "missing op": (text_of(op(op=...)), ["line 1", "op"]),
    "missing start": (text_of(op(start=...)), ["line 1", "start"]),
    "missing result": (text_of(op(result=...)), ["line 1", "result"]),
    "missing process": (text_of(op(process=...)), ["line 1", "process"]),
    "missing status": (text_of(op(status=...)), ["line 1", "status"]),
    "no such status": (text_of(op(status="done")), ["line 1", "status"]),
    "ill-typed start": (text_of(op(start="1")), ["line 1", "start"]),
    "fraction": (text_of(op(start=1.5)), ["line 1", "start"]),
    "NaN": ('{"process": 1, "op": "increment", "result": NaN, "start": 1, "end": 5, "status": "ok"}\n', ["line 1"]),
    "true is no number": (text_of(op(result=True)), ["line 1", "result"]),
    "beyond 64 bits": (text_of(op(result=2**63)), ["line 1", "result"]),
    "unknown operation": (text_of(op(), op(process=2, op="add")), ["line 2", "add", "increment"]),
    "end before start": (text_of(op(start=6)), ["line 1", "end"]),
    "ok without end": (text_of(op(end=None)), ["line 1", "end"]),
    "info with result": (text_of(op(end=None, status="info")), ["line 1", "result"]),
    "two at once": (text_of(op(), op(start=3, end=9, result=2)), ["line 2", "process 1"]),
    "same op_id": (text_of(op(op_id="a"), op(process=2, op_id="a", result=2)), ["line 2", "op_id"]),
    "field twice": (text_of(op()).replace("{", '{"op": "read", '), ["line 1", "twice"]),
}


CASES = [
    pytest.param(*case, many, id=f"{name}{' after many' * many}")
    for name, case in BAD.items()
    for many in (False, True)
    if not (many and "no operations" in case[1])
]


@pytest.mark.parametrize(("content", "words", "many"), CASES)
def test_what_is_no_history_is_refused_with_its_line(
    content: str, words: list[str], many: bool, tmp_path: Path
) -> None:
    """One sentence names the file, the line and what is wrong, also behind a thousand lines that are read at once."""
    before = [op(process=f"p{i}", start=10 * i, end=10 * i + 5, result=i) for i in range(1000)] if many else []
    said = refused(tmp_path / "h.jsonl", text_of(*before) + content)
    for word in words:
        number = word.removeprefix("line ")
        wanted = f"line {int(number) + len(before)}" if word.startswith("line ") else word
        assert wanted in said
    assert "h.jsonl" in said
    assert "\n" not in said


def test_compressed_files_that_are_cut_off(tmp_path: Path) -> None:
    """A truncated gzip is no history, not even the part that can be read; nor is one that is none."""
    whole = gzip.compress(text_of(*(op(process=i, result=i + 1) for i in range(500))).encode())
    assert len(read_bytes(tmp_path / "whole.gz", whole)) == 500
    assert "gzip" in refused(tmp_path / "cut.gz", whole[:-20])
    assert "gzip" in refused(tmp_path / "broken.gz", whole[:40] + b"x" * 60)
    assert refused(tmp_path / "cut.zst", b"\x28\xb5\x2f\xfd" + b"x" * 20)


def read_bytes(path: Path, content: bytes) -> History:
    path.write_bytes(content)
    return read(path, COUNTER)


def test_no_such_file(tmp_path: Path) -> None:
    """It is named; so is a folder."""
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(BadInput, match=path.name):
            read(path, COUNTER)


def write_table(path: Path, **columns: list[Any]) -> Path:
    plain: dict[str, list[Any]] = {
        "process": [1, 2],
        "op": ["increment", "increment"],
        "result": [1, 2],
        "start": [1, 1],
        "end": [5, 5],
        "status": ["ok", "ok"],
    }
    pyarrow.parquet.write_table(
        pyarrow.table({name: column for name, column in (plain | columns).items() if column}), path
    )
    return path


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"start": []}, ["start"]),
        ({"start": [1, None]}, ["row 2", "start"]),
        ({"end": [5, 0]}, ["row 2", "end"]),
        ({"op": ["increment", "add"]}, ["row 2", "add"]),
        ({"result": [1, None]}, ["row 2", "result"]),
        ({"result": [1.0, float("nan")]}, ["result"]),
        ({"status": ["ok", "done"]}, ["row 2", "status"]),
        ({"process": [1, 1], "start": [1, 3]}, ["row 2", "process 1"]),
        ({"op_id": ["a", "a"]}, ["row 2", "op_id"]),
    ],
)
def test_tables_are_refused_by_the_same_rules(columns: dict[str, list[Any]], words: list[str], tmp_path: Path) -> None:
    """A Parquet file is read by the rules of the lines; rows count from 1."""
    with pytest.raises(BadInput) as error:
        read(write_table(tmp_path / "h.parquet", **columns), COUNTER)
    assert all(word in str(error.value) for word in words)


def test_a_parquet_file_that_is_cut_off(tmp_path: Path) -> None:
    """It begins like one and is none."""
    path = write_table(tmp_path / "h.parquet")
    assert len(read(path, COUNTER)) == 2
    assert "h.parquet" in refused(path, path.read_bytes()[:-30])


@pytest.mark.parametrize(
    ("model", "operation", "word"),
    [
        (REGISTER, op(op="write", result=...), "value"),
        (REGISTER, op(op="write", value=[1], result=...), "value"),
        (REGISTER, op(op="cas", value=1, expected=2, result="yes"), "result"),
        (SET, op(op="elements", result=7), "result"),
        (SET, op(op="elements", result=[1, 2.5]), "result"),
        (SET, op(op="contains", value=1, result="true"), "result"),
        (IDS, op(op="new-id", result=None), "result"),
        (INVENTORY, op(op="buy", result="maybe"), "result"),
        (MODELS["at-most-once"], op(op="execute", result=...), "op_id"),
        (MODELS["key-value"], op(op="put", value=3, result=...), "value"),
        (MODELS["echo"], op(op="echo", result="a"), "value"),
    ],
)
def test_each_model_has_its_own_fields(model: Any, operation: dict[str, Any], word: str, tmp_path: Path) -> None:
    """A field that the operation needs, of the wrong type or missing, is named."""
    assert word in refused(tmp_path / "h.jsonl", text_of(operation), model)


MEANT = [
    ("counter", op(amount=5), "amount"),
    ("blind-counter", op(result=..., amount=5), "amount"),
    ("blind-counter", op(result=5), "result"),
    ("counter", op(delta=-1), "delta"),
    ("counter", op(expected=0), "expected"),
    ("register", op(op="read", result=3, value=4), "value"),
    ("register", op(op="read", result=None, output=4), "output"),
    ("register", op(op="write", value=3, result=2), "result"),
    ("register", op(op="write", value=3, result=..., ttl=60), "ttl"),
    ("register", op(op="cas", value=3, expected=2, result=True, old=1), "old"),
    ("key-value", op(op="put", value="a", result=..., nx=True), "nx"),
    ("set", op(op="add", value=3, result=False), "result"),
    ("set", op(op="elements", value=3, result=[3]), "value"),
    ("inventory", op(op="buy", result="ok", quantity=2), "quantity"),
    ("inventory", op(op="buy", result="ok", value=2), "value"),
    ("mutex", op(op="acquire", result=..., shared=True), "shared"),
    ("mutex", op(op="acquire", result=False), "result"),
    ("unique-ids", op(op="new-id", result=1, value=7), "value"),
    ("at-most-once", op(op="execute", op_id="a", result=..., success=False), "success"),
    ("echo", op(op="echo", value=1, result=1, response=2), "response"),
    ("session", op(op="read", result=1, value=2), "value"),
]


@pytest.mark.parametrize(("model", "operation", "field"), MEANT)
def test_a_field_that_means_something_is_never_ignored(
    model: str, operation: dict[str, Any], field: str, tmp_path: Path
) -> None:
    """What other tools mean by it is read or refused, in lines and in tables; null says nothing."""
    assert f'"{field}" of {operation["op"]}' in refused(tmp_path / "h", text_of(operation), MODELS[model])
    pyarrow.parquet.write_table(pyarrow.table({name: [value] for name, value in operation.items()}), tmp_path / "t")
    with pytest.raises(BadInput, match=f'row 1: "{field}" of'):
        read(tmp_path / "t", MODELS[model])
    (tmp_path / "n").write_text(text_of(operation | {field: None}))
    assert len(read(tmp_path / "n", MODELS[model])) == 1


@pytest.mark.parametrize("field", ["value", "amount", "delta", "by"])
def test_an_amount_of_one_is_what_is_meant(field: str, tmp_path: Path) -> None:
    """A blind counter adds one, so one may be said."""
    (tmp_path / "h").write_text(text_of(op(result=..., **{field: 1})))
    assert len(read(tmp_path / "h", MODELS["blind-counter"])) == 1


def test_the_other_fields_are_ignored(tmp_path: Path) -> None:
    """What a history says besides is nobody's business; a process may be a text."""
    path = tmp_path / "h.jsonl"
    path.write_text(text_of(op(process="anna", note={"x": [1]}, elapsed=0.5)))
    assert msgspec.to_builtins(read(path, COUNTER).operations()[0])["process"] == "anna"


def test_of_two_bad_lines_the_first_is_named(tmp_path: Path) -> None:
    """Also where the first is decoded without complaint and only its columns show that it fits no rule."""
    good = '{"process": 0, "op": "read", "start": %d, "end": %d, "status": "ok", "result": 1}'
    lines = [good % (1, 2), good.replace(', "result": 1', "") % (3, 4), good % (5, 6), "not JSON"]
    (tmp_path / "h.jsonl").write_text("\n".join(lines))
    with pytest.raises(BadInput, match=r'h\.jsonl, line 2: "result" of read \(ok\) is missing'):
        read(tmp_path / "h.jsonl", MODELS["blind-counter"])
