"""A run on disk: what was planned and under which conditions, the recordings, and the histories made of them."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from statelab.core.errors import BadInput
from statelab.core.operation import RECORDINGS, Operation, read_recording
from statelab.core.paths import REPORTS, no_longer_latest, point_latest
from statelab.core.results import CellKey
from statelab.plan.manifest import Manifest, made_by

if TYPE_CHECKING:  # numpy and pyarrow, which take half a second, are loaded where a history is read or written
    from statelab.record.columns import History


def cell_of(key: str) -> str:
    """The key of the cell: without the dot and name that a workload may add, to have several keys in one cell."""
    return key.partition(".")[0]


class RunFolder:
    """`reports/<run>/`: manifest.json, recordings/ while it runs, histories/, logs/, and the reports."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._manifest = path / "manifest.json"
        self.recordings, self.histories, self.logs = (path / name for name in ("recordings", "histories", "logs"))
        self._taken_in: dict[Path, History] = {}
        self._former: str | None = None

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
        """Removes a run in which nothing was measured; `reports/latest` names the run before it again."""
        no_longer_latest(self.path, self._former)
        shutil.rmtree(self.path)

    def write_manifest(self, manifest: Manifest) -> None:
        temporary = self._manifest.with_suffix(".new")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        temporary.replace(self._manifest)

    def read_manifest(self) -> Manifest:
        """Raises BadInput where manifest.json is not of the form of this version."""
        try:
            return msgspec.json.decode(self._manifest.read_bytes(), type=Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadInput(self._other_version(self._manifest.name, str(error))) from None

    def _other_version(self, file: str, why: str) -> str:
        """What is said of a run that this version does not read; it names the commit that made the run, if it can."""
        page, by = self.path / "index.html", made_by(self._manifest.read_bytes())
        seen = f"; its page as it was is {page}" if page.exists() else ""
        return f"{self.path} is damaged or of another version of State Lab ({by}): {file}: {why}{seen}"

    def history_path(self, run: int, cell: CellKey) -> Path:
        folder = self.histories / cell.workload / f"run-{run}"
        return folder / f"{cell.mechanism}.{cell.deployment}.{cell.window}.parquet"

    def history(self, run: int, cell: CellKey) -> "History | None":
        """One cell's history of one run, None where it has none; raises BadInput where it cannot be read."""
        from statelab.record import parquet
        from statelab.record.coding import pa

        path = self.history_path(run, cell)
        found = self._taken_in.get(path)
        if found is not None or not path.exists():
            return found
        try:
            return parquet.read(path)
        except (ValueError, LookupError, TypeError, NotImplementedError, pa.ArrowException) as error:
            raise BadInput(self._other_version(str(path.relative_to(self.path)), str(error))) from None

    def take_in_recordings(self, manifest: Manifest) -> None:
        """Turns the recordings into one Parquet file per cell and run, and removes them."""
        from statelab.record import parquet
        from statelab.record.columns import History

        cells = {
            manifest.key(run, index): self.history_path(run, cell)
            for run in range(1, manifest.runs + 1)
            for index, cell in enumerate(manifest.cells)
        }
        recordings = sorted(self.recordings.glob(RECORDINGS))
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
        self._former = point_latest(self.path)
