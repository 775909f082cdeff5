"""What the tests of datasets share: small parts, and the command on them."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def part(path: Path, *rows: dict[str, Any], unit: str | None = None) -> Path:
    """A Parquet file with these operations; a column is there if a row has it."""
    path.parent.mkdir(exist_ok=True)
    names = dict.fromkeys(name for row in rows for name in row)
    table = pa.table({name: [row.get(name) for row in rows] for name in names})
    pq.write_table(table.replace_schema_metadata({"unit": unit} if unit else None), path)
    return path
