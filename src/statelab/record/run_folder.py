"""A run on disk: what was planned and under which conditions, the recordings, and the histories made of them."""

import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from statelab.core.errors import BadInput
from statelab.core.operation import Operation
from statelab.core.operation import read_recording
from statelab.core.paths import REPORTS
from statelab.core.results import CellKey
from statelab.plan.manifest import Manifest

if TYPE_CHECKING:  # numpy and pyarrow, which take half a second, are loaded where a history is read or written
    from statelab.record.columns import History


def cell_of(key: str) -> str:
    """The cell's key, of which a workload makes several with a dot and a name of its own."""
    return key.partition(".")[0]


class RunFolder:
    """`reports/<run>/`: manifest.json, recordings/ while it runs, histories/, logs/, and the reports."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._manifest = path / "manifest.json"
        self.recordings = path / "recordings"
        self.histories = path / "histories"
        self.logs = path / "logs"
        self._taken_in: dict[Path, History] = {}

    @classmethod
    def create(cls, base: Path = REPORTS) -> "RunFolder":
        """A new folder named by the time."""
        path = base / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        path.mkdir(parents=True)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run; raises BadInput where the folder is none."""
        folder = cls(path)
        if not folder._manifest.is_file():
            raise BadInput(f"{path} is no run folder: it has no manifest.json; runs are in {REPORTS.name}/")
        return folder

    def remove(self) -> None:
        """Removes a run in which nothing was measured."""
        shutil.rmtree(self.path)

    def write_manifest(self, manifest: Manifest) -> None:
        temporary = self._manifest.with_suffix(".new")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        temporary.replace(self._manifest)

    def read_manifest(self) -> Manifest:
        """Raises BadInput where manifest.json is not one of ours."""
        try:
            return msgspec.json.decode(self._manifest.read_bytes(), type=Manifest)
        except msgspec.MsgspecError as error:
            raise BadInput(f"{self._manifest}: {error}") from None

    def history_path(self, run: int, cell: CellKey) -> Path:
        name = f"{cell.mechanism}.{cell.deployment}.{cell.window}.parquet"
        return self.histories / cell.workload / f"run-{run}" / name

    def history(self, run: int, cell: CellKey) -> "History | None":
        """One cell's history of one run, None where it has none."""
        from statelab.record import parquet

        path = self.history_path(run, cell)
        if path in self._taken_in:
            return self._taken_in[path]
        return parquet.read(path) if path.exists() else None

    def take_in_recordings(self, manifest: Manifest) -> None:
        """Turns the recordings into one Parquet file per cell and run, and removes them."""
        from statelab.record import parquet
        from statelab.record.columns import History

        cells = {
            manifest.key(run, index): self.history_path(run, cell)
            for run in range(1, manifest.runs + 1)
            for index, cell in enumerate(manifest.cells)
        }
        recordings = sorted(self.recordings.glob("history-*.jsonl"))
        by_key: dict[str, list[Operation]] = {}
        for recording in recordings:
            for operation in read_recording(recording):
                by_key.setdefault(cell_of(operation.key), []).append(operation)
        for key, operations in by_key.items():
            if key in cells:
                cells[key].parent.mkdir(parents=True, exist_ok=True)
                self._taken_in[cells[key]] = History.from_operations(operations)
                parquet.write(self._taken_in[cells[key]], cells[key])
        for recording in recordings:
            recording.unlink()

    def point_latest(self) -> None:
        """Lets `reports/latest` name this run."""
        link = self.path.parent / "latest"
        temporary = self.path.parent / f".latest-{os.getpid()}"
        temporary.symlink_to(self.path.name)
        temporary.replace(link)
