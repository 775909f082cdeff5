"""Says what a file that is not a history seems to be, and what it lacks."""

import csv
import re
from collections.abc import Iterable

from statelab.core.errors import listed
from statelab.foreign.json_text import first
from statelab.record.reading.rules import REQUIRED

NO_ANSWERS = (
    "it does not say how each request was answered, so nothing can be judged; record at the clients what each "
    "operation asked for and got back (docs/histories.md)"
)

_BINARY = {
    b"SQLite format 3": "an SQLite database",
    b"JEPSEN": "Jepsen's own file of a test; give the history.edn beside it",
    b"%PDF": "a PDF file",
    b"PK\x03\x04": "a ZIP archive; unpack it first",
    b"BZh": "compressed with bzip2; unpack it first (gzip and zstd are read as they are)",
    b"\xfd7zXZ": "compressed with xz; unpack it first (gzip and zstd are read as they are)",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"ARROW1": "an Arrow file; write it as Parquet",
    b"Obj\x01": "an Avro file; write it as Parquet",
    b"\x89PNG": "a picture",
    b"\x7fELF": "a program",
    b"\xff\xfe": "text in UTF-16; write it as UTF-8",
    b"\xfe\xff": "text in UTF-16; write it as UTF-8",
}
_MARKUP = re.compile(r"\s*<(!doctype\s+html|html|\?xml|[a-z][\w:-]*[\s>])", re.IGNORECASE)
_ACCESS = re.compile(
    r'^\S+ \S+ .*\[[^\]]+\] "|"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S+(?: HTTP/[\d.]+)?"', re.MULTILINE
)
_LOAD = re.compile(
    r"^\s*(Running \S+ test @|This is ApacheBench|Transactions:|Requests/sec:|Requests\s+\[total|execution: local|"
    r"Type\s+Name\s+# reqs)|Summary:\s+Total:",
    re.MULTILINE,
)
_REQUEST_WORDS = re.compile(
    r"latenc|elapsed|duration|response.?(time|code)|status.?code|request|url|method|remote.?(addr|ip)|user.?agent|"
    r"http|metric|rps|bytes"
)
_SEPARATORS = {",": "CSV", ";": "CSV", "\t": "a table with tabs", "|": "a table"}
_MOST = 8


def seems(head: bytes) -> str | None:
    """What a file with this beginning seems to be and what it lacks; None if it may be our own lines."""
    for magic, name in _BINARY.items():
        if head.startswith(magic):
            return name
    if b"\x00" in head:
        return "binary data; JSON Lines, Parquet and the formats of docs/histories.md are read"
    text = head.decode("utf-8-sig", errors="replace")
    if not text.strip():
        return None
    if markup := _MARKUP.match(text):
        kind = "HTML, such as an error page" if "html" in markup[1].lower() else "XML"
        return f"{kind}; a history is one operation a line as JSON (docs/histories.md)"
    if text.lstrip()[0] in "{[":
        return _json(text.lstrip(), head)
    if _ACCESS.search(text):
        return f"an access log: {NO_ANSWERS}"
    if _LOAD.search(text):
        return f"the output of a load tool: {NO_ANSWERS}"
    return _table(text)


def _json(text: str, head: bytes) -> str | None:
    """JSON of another shape than ours."""
    fields = first(head)
    if sum(name in fields for name in REQUIRED) > 1 or "op" in fields:
        return None
    if text[0] == "[":
        return f"a JSON array {_of(fields)}" if fields else "a JSON array of something else than operations"
    if not fields:
        return None
    inside = [
        name for name, value in fields.items() if isinstance(value, list) and value and isinstance(value[0], dict)
    ]
    if inside:
        return f'a JSON object with a list in its field "{inside[0]}"; give that list alone if operations are in it'
    return f"JSON {_of(fields)}"


def _of(names: Iterable[str]) -> str:
    names = list(names)
    shown = ", ".join(names[:_MOST]) + (", ..." if len(names) > _MOST else "")
    if any(_REQUEST_WORDS.search(name.lower()) for name in names) and not {"op", "f", "result"} & set(names):
        return f"with the fields {shown}, such as a load tool or a server logs: {NO_ANSWERS}"
    if missing := [name for name in REQUIRED if name not in names]:
        return f"with the fields {shown}; an operation needs {listed(missing, 'and')} as well (docs/histories.md)"
    return f"with the fields {shown}; see docs/histories.md"


def _table(text: str) -> str | None:
    """A text whose first two lines have the same number of columns."""
    lines = [line for line in text.splitlines() if line.strip()][:2]
    for separator, kind in _SEPARATORS.items():
        rows: list[list[str]] = list(csv.reader(lines, delimiter=separator))
        if len(rows[0]) > 1 and len({len(row) for row in rows}) == 1:
            return f"{kind} {_of(cell.strip() for cell in rows[0])}; write each row as a JSON object, or Parquet"
    return None
