"""`statelab check` as a program: verdict lines, JSON, exit codes, and what it refuses."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from statelab.check.models import MODELS
from statelab.cli.main import main

COMMAND = [sys.executable, "-c", "from statelab.cli.main import main; main()", "check"]


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def check(*arguments: str | Path) -> Done:
    return command("check", *arguments)


def command(*arguments: str | Path) -> Done:
    """The program in this process, which saves a second for each start."""
    before, out, err = signal.getsignal(signal.SIGTERM), io.StringIO(), io.StringIO()
    try:
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            mock.patch("sys.argv", ["statelab", *map(str, arguments)]),
        ):
            main()
    except SystemExit as ended:
        return Done(int(ended.code or 0), out.getvalue(), err.getvalue())
    finally:
        signal.signal(signal.SIGTERM, before)
    return Done(0, out.getvalue(), err.getvalue())


def program(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Done:
    """The program as a process of its own."""
    command = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(command, input=stdin, cwd=cwd, capture_output=True, timeout=60, check=False)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def write(path: Path, *operations: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(operation) + "\n" for operation in operations))
    return path


def operation(op: str, start: int, end: int | None, **fields: Any) -> dict[str, Any]:
    given = {"process": f"{op}{start}", "op": op, "start": start, "end": end, "status": "info" if end is None else "ok"}
    return given | fields


HELD = [operation("increment", 1, 5, result=1), operation("read", 6, 9, result=1)]
VIOLATED = [operation("increment", 1, 5, result=1), operation("increment", 6, 9, result=1)]


def test_held(tmp_path: Path) -> None:
    """A valid history: one line, exit code 0."""
    path = write(tmp_path / "good.jsonl", *HELD)
    done = check(path, "--model", "counter")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"{path}: held: one counter explains all answers [counter, 2 operations]"]
    assert done.stderr == ""


def test_violated(tmp_path: Path) -> None:
    """A violated one: exit code 1, the proof in words, its operations, and what clocks have to do with it."""
    done = program(write(tmp_path / "bad.jsonl", *VIOLATED), "--model", "counter")
    assert done.returncode == 1
    first, *details = done.stdout.splitlines()
    assert "bad.jsonl: violated: duplicate: " in first
    assert any(line.startswith("  proof: A and B were both told 1.") for line in details)
    witness = [json.loads(line.split("witness: ")[1]) for line in details if line.startswith("  witness: ")]
    assert [(o["op"], o["result"], o["start"], o["end"]) for o in witness] == [
        ("increment", 1, 1, 5),
        ("increment", 1, 6, 9),
    ]
    assert "  slack: none; the proof needs no clock" in details


def test_several_files_one_line_each_and_the_worst_exit_code(tmp_path: Path) -> None:
    """The lines come in the order given; held, violated: 1; with bad input among them: 2, and the others are judged."""
    good, bad = write(tmp_path / "a.jsonl", *HELD), write(tmp_path / "b.jsonl", *VIOLATED)
    rubbish = tmp_path / "c.jsonl"
    rubbish.write_text("{\n")
    done = check(bad, good, "--model", "counter")
    assert done.returncode == 1
    assert [line.split(": ")[:2] for line in done.stdout.splitlines()] == [[str(bad), "violated"], [str(good), "held"]]
    done = check(good, rubbish, bad, "--model", "counter")
    assert done.returncode == 2
    assert [line.split(": ")[:2] for line in done.stdout.splitlines()] == [[str(good), "held"], [str(bad), "violated"]]
    assert done.stderr.startswith(f"statelab: {rubbish}, line 1: ")
    assert done.stderr.count("\n") == 1


def test_json(tmp_path: Path) -> None:
    """One object per file, with everything that the text says."""
    done = check(write(tmp_path / "a", *VIOLATED), write(tmp_path / "b", *HELD), "--model", "counter", "--json")
    violated, held = map(json.loads, done.stdout.splitlines())
    assert (violated["verdict"], violated["model"], violated["operations"]) == ("violated", "counter", 2)
    assert violated["anomaly"] == "duplicate"
    assert violated["counts"] == {"duplicates": 1}
    assert [o["process"] for o in violated["witness"]] == ["increment1", "increment6"]
    assert violated["slack"] is None
    assert (held["verdict"], held["proof"], held["witness"]) == ("held", None, [])


def test_json_of_several_files_has_one_object_each_also_for_bad_input(tmp_path: Path) -> None:
    """In the order given; the one that is no history has its error and no verdict."""
    rubbish = tmp_path / "b"
    rubbish.write_text("rubbish")
    done = check(
        write(tmp_path / "a", *HELD), rubbish, write(tmp_path / "c", *VIOLATED), "--model", "counter", "--json"
    )
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert [first["verdict"], third["verdict"]] == ["held", "violated"]
    assert second.keys() == {"file", "model", "error"}
    assert second["file"] == str(rubbish)
    assert "line 1: not JSON" in second["error"]
    assert done.returncode == 2


def test_the_model_may_be_that_of_the_operations(tmp_path: Path) -> None:
    """Without --model the first one of the docs whose form the operations have; none fits: it is asked for."""
    blind = [{"process": 0, "op": "increment", "start": 0, "end": 1, "status": "ok"}]
    for operations, model in ((HELD, "counter"), (blind, "blind-counter")):
        (verdict,) = map(json.loads, check(write(tmp_path / "x", *operations), "--json").stdout.splitlines())
        assert (verdict["model"], verdict["verdict"], verdict["read_as"]) == (model, "held", None)
    done = check(write(tmp_path / "y", {"op": "increment"}, {"op": "write"}))
    assert (done.returncode, done.stdout) == (2, "")
    assert "--model" in done.stderr


def test_a_history_is_converted(tmp_path: Path) -> None:
    """Of any format, to both of ours, with its unit; what comes out is judged alike."""
    path = tmp_path / "history.edn"
    path.write_text(
        "{:process 0, :type :invoke, :f :write, :value 1, :time 1000000}\n"
        "{:process 0, :type :ok, :f :write, :value 1, :time 2000000}\n"
        "{:process 1, :type :invoke, :f :read, :value nil, :time 4000000}\n"
        "{:process 1, :type :ok, :f :read, :value nil, :time 5000000}\n"
    )
    expected = json.loads(check(path, "--json").stdout)
    for name in ("out.parquet", "out.jsonl"):
        done = command("convert", path, "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert "2 operations of the model register" in done.stdout
        said = json.loads(check(tmp_path / name, "--json").stdout)
        assert said | {"file": "", "read_as": None} == expected | {"file": "", "read_as": None}
        assert (said["unit"], said["slack"]) == ("ns", 2_000_000)
    done = command("convert", path, "-o", tmp_path / "out.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert ".parquet or a .jsonl" in done.stderr


def test_standard_input_gzip_and_zstd(tmp_path: Path) -> None:
    """`-` is standard input; compressed files are recognised by their first bytes, not by their name."""
    path = write(tmp_path / "x", *VIOLATED)
    packed = gzip.compress(path.read_bytes())
    done = program("-", "--model", "counter", stdin=packed)
    assert (done.returncode, done.stdout.split(": ")[0]) == (1, "standard input")
    (tmp_path / "y").write_bytes(packed[:-9])
    done = check(tmp_path / "y", "--model", "counter")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_the_key_is_named(tmp_path: Path) -> None:
    """Keys are judged independently, and the witness says which one is wrong."""
    keyed = [operation("increment", 10 * n, 10 * n + 5, result=1, key=f"k{n}") for n in range(3)]
    path = write(tmp_path / "keys", *keyed, operation("increment", 100, 105, result=1, key="k1"))
    (verdict,) = map(json.loads, check(path, "--model", "counter", "--json").stdout.splitlines())
    assert (verdict["keys"], verdict["violated"], verdict["violated_keys"]) == (3, 1, ["k1"])
    assert {o["key"] for o in verdict["witness"]} == {"k1"}
    assert "key k1" in verdict["proof"]


def test_how_far_the_state_reaches(tmp_path: Path) -> None:
    """Where it is known who served, the check says at which level each part is valid by itself."""

    def served(start: int, told: int, pid: int) -> dict[str, Any]:
        by = {"host": "a", "pid": pid, "thread": 1, "greenlet": 0, "boot": f"b{pid}"}
        return operation("increment", start, start + 5, result=told, served_by=by)

    path = write(tmp_path / "x", served(0, 1, 7), served(10, 1, 8), served(20, 2, 7), served(30, 2, 8))
    (verdict,) = map(json.loads, check(path, "--model", "counter", "--json").stdout.splitlines())
    assert verdict["scope"] == "valid per process, not across processes"


def test_an_initial_value(tmp_path: Path) -> None:
    """`--initial` moves the start; one of the wrong kind is refused before any file is read."""
    path = write(tmp_path / "x", operation("increment", 1, 2, result=11))
    assert check(path, "--model", "counter", "--initial", "10").returncode == 0
    assert check(path, "--model", "counter", "--initial", "9").returncode == 1
    done = check(path, "--model", "counter", "--initial", "ten")
    assert (done.returncode, done.stdout) == (2, "")
    assert "an integer" in done.stderr


REFUSED: dict[str, list[str]] = {
    "no such model": ["x", "--model", "contour"],
    "a unit that is none": ["x", "--model", "counter", "--unit", "min"],
    "no file": ["--model", "counter"],
    "a file that is not there": ["missing.jsonl", "--model", "counter"],
    "a folder": [os.curdir, "--model", "counter"],
    "a time limit of zero": ["x", "--model", "counter", "--time-limit", "0"],
    "standard input twice": ["-", "-", "--model", "counter"],
}


@pytest.mark.parametrize("arguments", REFUSED.values(), ids=REFUSED.keys())
def test_bad_use(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2 and one line that says what is wrong; no verdict."""
    write(tmp_path / "x", *HELD)
    monkeypatch.chdir(tmp_path)
    done = check(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("statelab: ")
    assert done.stderr.count("\n") == 1


def test_the_help_names_every_model() -> None:
    """`--help` says which models there are."""
    said = "".join(check("--help").stdout.split())  # lines may be broken behind a hyphen
    assert all(name in said for name in MODELS)
