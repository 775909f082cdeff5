"""JSON Lines, one line at a time: exact, and slow."""

import json
from typing import Any

import msgspec

from statelab.reading.record import Refused

_decode = msgspec.json.Decoder().decode


def record(line: bytes) -> Any:
    """What one line holds; raises Refused."""
    try:
        decoded = _decode(line)
    except UnicodeDecodeError:
        raise Refused("not UTF-8") from None
    except RecursionError:
        raise Refused("nested too deeply") from None
    except msgspec.MsgspecError as error:
        raise Refused(f"not JSON ({error})") from None
    if isinstance(decoded, dict) and line.count(b":") > len(decoded):
        json.loads(line, object_pairs_hook=_named_once)
    return decoded


def _named_once(pairs: list[tuple[str, Any]]) -> None:
    """A field that is given twice is refused: programs differ in which of them they take."""
    names = [name for name, _ in pairs]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise Refused(f"the field {json.dumps(twice)} is given twice")
