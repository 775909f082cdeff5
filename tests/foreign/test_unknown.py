"""Files that are no history: each is named for what it seems to be, with what it lacks."""

from pathlib import Path

import pytest

from foreign.test_formats import refused

SEEMS: dict[str, tuple[str | bytes, list[str]]] = {
    "csv of a load tool": ("Type,Name,Request Count\nGET,/,100\n", ["CSV", "Request Count", "nothing can be judged"]),
    "csv": ("a;b;c\n1;2;3\n", ["CSV", "a, b, c", "process, op, start and status"]),
    "csv with our fields": ("process,op,start,status\n1,read,2,ok\n", ["CSV", "each row as a JSON object"]),
    "an access log": (
        '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326\n',
        ["an access log", "nothing can be judged"],
    ),
    "a log of JSON": ('{"level": "info", "msg": "a"}\n{"level": "info"}\n', ["level, msg", "process, op, start"]),
    "requests in JSON": ('{"code": 200, "latency": 12}\n', ["code, latency", "nothing can be judged"]),
    "an object around a list": ('{"run": 1,\n "operations": [{"op": "read"}]}\n', ['"operations"', "that list alone"]),
    "an array of numbers": ("[1, 2]", ["a JSON array"]),
    "an array of others": ('[{"name": "a"}]', ["a JSON array with the fields name"]),
    "a page": ("<!DOCTYPE html>\n<html></html>", ["HTML"]),
    "xml": ('<?xml version="1.0"?>\n<a/>', ["XML"]),
    "a summary": ("Running 30s test @ http://127.0.0.1\n  2 threads\n", ["load tool", "nothing can be judged"]),
    "a database": (b"SQLite format 3\x00\x10", ["SQLite"]),
    "an archive": (b"PK\x03\x04\x00\x00", ["ZIP", "unpack"]),
    "bytes": (b"\x01\x02\x00\x03", ["binary"]),
    "utf-16": ('{"op": 1}'.encode("utf-16"), ["UTF-16"]),
}


@pytest.mark.parametrize(("content", "words"), SEEMS.values(), ids=SEEMS.keys())
def test_what_it_seems_to_be(content: str | bytes, words: list[str], tmp_path: Path) -> None:
    """One sentence names the file, what it seems to be, and what it lacks."""
    said = refused(tmp_path, content, "register")
    assert said.startswith(f"{tmp_path / 'x'}: not a history; it seems to be ")
    for word in words:
        assert word in said


OURS = {
    "half a line": ('{"process": 1, "op": "rea', "line 1: not JSON"),
    "half an array": ('[{"process": 1, "op": "rea', "line 1: begins like a JSON array and is not one"),
    "an array with a fault": ('[\n{"process": 1, "op": "read"},\n{"process",}]', "line 3: begins like a JSON array"),
    "an array of one operation too few fields": ('[\n{"process": 1, "op": "read"}]', 'line 2: "status" is missing'),
    "two on a line": ('[{"op": "read", "status": "ok"}, {"op": 1}]', "line 1, operation 1: "),
    "nothing": ("", "no operations in it"),
    "an empty array": (" [ ] ", "no operations in it"),
    "words": ("rubbish", "line 1: not JSON"),
    "an operation that lacks a field": ('{"process": 1, "op": "read", "start": 1}', '"status" is missing'),
}


@pytest.mark.parametrize(("content", "words"), OURS.values(), ids=OURS.keys())
def test_our_own_with_a_fault_has_its_line(content: str, words: str, tmp_path: Path) -> None:
    """What was meant as a history is not called something else."""
    assert words in refused(tmp_path, content, "register")
