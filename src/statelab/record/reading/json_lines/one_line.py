"""JSON Lines, one line at a time: exact, and slow."""

import json
from typing import Any

import msgspec

from statelab.record.reading.strict import Refused

_decode = msgspec.json.Decoder().decode


def record(line: bytes) -> Any:
    """What one line holds; raises Refused."""
    try:
        decoded = _decode(line)
        if isinstance(decoded, dict) and line.count(b":") > _names(decoded):
            json.loads(line, object_pairs_hook=_named_once, parse_int=str, parse_float=str)
    except UnicodeDecodeError:
        raise Refused("not UTF-8") from None
    except RecursionError:
        raise Refused("nested too deeply") from None
    except msgspec.MsgspecError as error:
        raise Refused(f"not JSON ({error})") from None
    return decoded


def _names(decoded: dict[str, Any]) -> int:
    """How many fields an object has, with those of objects in it. One that is given twice counts once."""
    return len(decoded) + sum(len(value) for value in decoded.values() if isinstance(value, dict))


def _named_once(pairs: list[tuple[str, Any]]) -> None:
    """A field that is given twice is refused: programs differ in which of them they take."""
    seen = set[str]()
    for name, _ in pairs:
        if name in seen:
            raise Refused(f"the field {json.dumps(name)} is given twice")
        seen.add(name)
