"""Our own operations whose stamps are seconds with fractions, such as those of Python's `time.time()`.

    {"process": 0, "op": "write", "value": 1, "start": 1764064800.10, "end": 1764064800.20, "status": "ok"}

Each stamp is read as it is written, to the ns.
"""

import io
import re
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow.parquet

from statelab.core.errors import counted
from statelab.foreign.events import Records
from statelab.foreign.json_text import first
from statelab.foreign.pairing import MIX, NS, SECONDS
from statelab.foreign.refused import Refused
from statelab.record.coding import pa, pc

pq: Any = pyarrow.parquet

NAME = "operations, one a line"

_STAMP = re.compile(rb'("(?:start|end)"\s*:\s*)(-?\d+)((?:\.\d+)?(?:[eE][+-]?\d+)?)(?=\s*[,}])')
"""A stamp with its name. Inside of a text the quotes would have backslashes before them."""


def sniff(head: bytes) -> bool:
    """The first line is an operation whose start is a fraction."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and isinstance(first(head).get("start"), float)


def read(text: str, model: str | None) -> Records:
    """The operations of the lines; raises Refused."""
    numbered = [(line, each.encode()) for line, each in enumerate(text.split("\n"), 1) if each.strip()]
    return with_whole_stamps([each for _, each in numbered], [line for line, _ in numbered])


def with_whole_stamps(operations: list[bytes], lines: list[int]) -> Records:
    """Our own operations as they are read: with stamps in ns if all were seconds with fractions, unchanged if none was.

    Raises Refused for a mix.
    """
    fractions = {
        line: {bool(found[3]) for found in _STAMP.finditer(each)} for each, line in zip(operations, lines, strict=True)
    }
    kinds = set[bool]().union(*fractions.values())
    if len(kinds) > 1:
        usual = next(iter(next(kinds for kinds in fractions.values() if kinds)))
        odd = next(line for line, kinds in fractions.items() if usual not in kinds or len(kinds) > 1)
        raise Refused(f"a stamp {MIX}", odd)
    counts = (counted(len(lines), "operation"),)
    if kinds != {True}:
        return Records(operations=operations, lines=lines, counts=counts)
    in_ns = [_STAMP.sub(_in_ns, each) for each in operations]
    return Records(operations=in_ns, lines=lines, counts=(*counts, SECONDS), unit="ns", seconds=True)


def table_in_ns(source: BinaryIO) -> BinaryIO | None:
    """A Parquet file with stamps in whole ns, made from one with seconds with fractions; None if the stamps are others.

    Raises Refused for a mix.
    """
    try:
        schema = pq.read_schema(source)
    except (pa.ArrowException, OSError):
        return None
    stamps = [name for name in ("start", "end") if name in schema.names]
    fractions = [name for name in stamps if pa.types.is_floating(schema.field(name).type)]
    if not fractions:
        return None
    if fractions != stamps:
        raise Refused(f'"{fractions[0]}" is in seconds with fractions and the other stamp is not')
    table = pq.read_table(source)
    for name in stamps:
        seconds = table[name].combine_chunks().cast(pa.float64())
        whole = pc.floor(seconds)
        rest = pc.round(pc.multiply(pc.subtract(seconds, whole), NS))  # the difference is exact, a product would not be
        ns = pc.add(pc.multiply(whole.cast(pa.int64()), NS), rest.cast(pa.int64()))
        table = table.set_column(table.schema.get_field_index(name), name, ns)
    written = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"unit": "ns"}), written)
    written.seek(0)
    return written


def _in_ns(found: re.Match[bytes]) -> bytes:
    return found[1] + str(round(Decimal((found[2] + found[3]).decode()) * NS)).encode()
