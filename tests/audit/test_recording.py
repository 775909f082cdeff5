"""A history of the lab as a story: its operations as the requests that the app's promises say."""

from pathlib import Path

import pytest

from statelab.audit.run import story_of
from statelab.core.errors import BadInput
from statelab.core.operation import Operation, encode_line
from statelab.record import parquet
from statelab.record.columns import History

PROMISES = """
[promise.hits]
workload = "counter"
increment = { request = "POST /hit/{key}", json = { id = "{id}" }, result = "$.hits" }
read = { request = "GET /hits/{key}", result = "$.hits" }
[promise.users]
workload = "session"
login = { request = "POST /login", form = { user = "{user}" } }
whoami = { request = "GET /me", result = "$.user" }
count = { request = "POST /count", result = "$.n" }
logout = { request = "POST /logout" }
"""

RECORDED = [
    Operation(process=2, op="read", start=5, end=6, status="ok", key="k1", result=1),
    Operation(process=1, op="increment", start=1, end=3, status="ok", key="k1", result=1, op_id="a-1"),
    *(Operation(process=1, op="read", start=10 + n, end=11 + n, status="ok", key="k1", result=1) for n in range(20)),
]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_the_first_operations_in_order(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "statelab.toml").write_text(PROMISES)
    path = tmp_path / f"hits.sync.none.{suffix}"
    if suffix == "jsonl":
        path.write_bytes(b"".join(map(encode_line, RECORDED)))
    else:
        parquet.write(History.from_operations(RECORDED), path)
    story, notes = story_of(path, tmp_path)
    assert [(str(request), request.client) for request in story[:2]] == [("POST /hit/k1", "1"), ("GET /hits/k1", "2")]
    assert story[0].body == '{"id":"a-1"}'
    assert notes == [f"{path}: its first 12 operations; 10 more left out"]


@pytest.mark.parametrize(
    ("name", "line", "sentence"),
    [
        ("sales.jsonl", "", "is asked for by no [promise.sales]"),
        ("hits.jsonl", "", "no operation in it"),
        ("hits.jsonl", "{}", "no history of the lab"),
        ("hits.parquet", "PAR1", "no history of the lab"),
        ("hits.jsonl", '{"process":1,"op":"buy","start":1,"end":2,"status":"ok"}', "says no request for 'buy'"),
        ("users.jsonl", '{"process":1,"op":"login","start":1,"end":2,"status":"ok"}', "the {user} of 'login'"),
    ],
)
def test_what_cannot_be_one(name: str, line: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "statelab.toml").write_text(PROMISES)
    (tmp_path / name).write_text(line + "\n")
    with pytest.raises(BadInput) as refused:
        story_of(tmp_path / name, tmp_path)
    assert sentence in str(refused.value)
