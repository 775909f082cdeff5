"""Random histories of a register, written as other tools write them: the same operations, and the referee's verdict."""

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agreement import HISTORIES
from models.register import KNOWN
from statelab.check.kernels.model import Deadline
from statelab.check.models import MODELS
from statelab.core.operation import Operation
from statelab.foreign.read import read

SEED = 20_261_125
FORMATS = ("edn", "edn in any order", "json", "log")


def events(operations: list[Operation]) -> list[dict[str, Any]]:
    """Invokes and ends in the order of their stamps; what happens at one moment is concurrent, so invokes are first."""
    found = []
    for o in operations:
        asked = [o.expected, o.value] if o.op == "cas" else o.value
        told = o.result if o.op == "read" and o.status == "ok" else asked
        refused = o.op == "cas" and o.result is False
        event: dict[str, Any] = {"process": o.process, "f": o.op}
        found.append((o.start, 0, event | {"type": "invoke", "value": asked}))
        if o.end is not None:
            lost = {"error": "lost"} if o.status == "fail" else {}
            kind = "fail" if refused else o.status
            found.append((o.end, 1, event | {"type": kind, "value": told} | lost))
    found.sort(key=lambda each: each[:2])
    return [event | {"time": time, "index": index} for index, (time, _, event) in enumerate(found)]


def edn(value: Any) -> str:
    if isinstance(value, list):
        return f"[{' '.join(map(edn, value))}]"
    return "nil" if value is None else str(value)


def written(form: str, told: list[dict[str, Any]], rng: random.Random) -> str:
    if form == "json":
        return json.dumps([{name: value for name, value in event.items() if name != "time"} for event in told])
    if form == "log":
        lines = (
            [edn(e["process"]), f":{e['type']}", f":{e['f']}", edn(e["value"]), *([":lost"] if "error" in e else [])]
            for e in told
        )
        return "".join("INFO  jepsen.util - " + "\t".join(line) + "\n" for line in lines)
    names = {"type", "f", "error"}
    maps = [
        "{" + ", ".join(f":{n} {f':{v}' if n in names else edn(v)}" for n, v in event.items()) + "}" for event in told
    ]
    if form != "edn":
        rng.shuffle(maps)
    return "\n".join(maps)


@pytest.mark.parametrize("form", FORMATS)
def test_the_verdict_is_that_of_the_referee(form: str, tmp_path: Path) -> None:
    """With times the operations come back as they were; without, their order does."""
    rng, verdicts = random.Random(SEED), {"held": 0, "violated": 0}
    for _ in range(HISTORIES // 40):
        operations = [msgspec.structs.replace(o, seen=None, key="", served_by=None) for o in KNOWN.small(rng)]
        path = tmp_path / "x"
        path.write_text(written(form, events(operations), rng))
        reading = read(str(path), MODELS, None)
        found = sorted(reading.history.operations(), key=lambda o: int(o.process))
        if form.startswith("edn"):
            assert found == sorted(operations, key=lambda o: int(o.process))
        verdict = MODELS["register"].check(reading.history, initial=None, deadline=Deadline()).verdict
        assert verdict == ("held" if KNOWN.referee(operations, None) else "violated")
        verdicts[verdict] += 1
    assert min(verdicts.values()) > HISTORIES // 400
