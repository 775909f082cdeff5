"""The runs of weeks in one SQLite file: the table `runs` has a row for each run, `cells` a row for each cell of a run.

A run is known by its start time and its seed, so a run that is put in again replaces its former rows, even if it comes
from another folder. Both tables have columns for queries, and everything else as JSON except the proofs, which stay in
the run's folder.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import msgspec

from statelab.core.errors import BadInput
from statelab.core.results import Cell, Results

FORM = 1
"""Version of the tables; the file keeps it as `user_version`."""

_TABLES = """
create table runs (
  id text primary key, name text not null, folder text not null, started text not null, profile text, engine text,
  python text, commit_id text, manifest text not null
);
create table cells (
  run text not null references runs (id) on delete cascade,
  workload text not null, mechanism text not null, deployment text not null, window text not null,
  verdict text not null, anomalies text not null, violated integer, runs integer, rate_ops_s real, cell text not null,
  primary key (run, workload, mechanism, deployment, window)
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRun:
    """A run with its results; `name` is that of its folder, `started` when it began, as ISO 8601."""

    name: str
    folder: Path
    started: str
    results: Results

    @classmethod
    def of(cls, folder: Path, results: Results) -> "SavedRun":
        folder = folder.resolve()
        return cls(
            name=folder.name, folder=folder, started=str(results.manifest.get("started", folder.name)), results=results
        )

    @property
    def id(self) -> str:
        """Differs between any two runs: made of start time and seed, or of all results if the run lacks one of them."""
        own = [self.results.manifest.get(name) for name in ("started", "seed")]
        return blake2b(msgspec.json.encode(own if None not in own else self.results), digest_size=12).hexdigest()


class Archive:
    """A SQLite file; it is made when the first runs are put in."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, runs: Sequence[SavedRun]) -> int:
        """Puts in all of these runs or none; how many of them were not there before."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._opened() as database:
            known = {name for (name,) in database.execute("select id from runs")}
            for run in runs:
                database.execute("delete from runs where id = ?", (run.id,))
                database.execute(f"insert into runs values ({', '.join('?' * 9)})", _run_row(run))
                rows = [_cell_row(run.id, cell) for cell in run.results.cells]
                database.executemany(f"insert into cells values ({', '.join('?' * 11)})", rows)
        return len({run.id for run in runs} - known)

    def runs(self) -> list[SavedRun]:
        """All runs, the oldest first; raises BadInput where there is no file."""
        if not self._path.exists():
            raise BadInput(f"{self._path}: no such file, so there are no runs yet; name run folders of reports/")
        with self._opened() as database:
            asked = "select id, name, folder, started, manifest from runs order by started, name"
            runs = []
            for id_, name, folder, started, manifest in database.execute(asked).fetchall():
                own = database.execute("select cell from cells where run = ? order by rowid", (id_,))
                cells = [msgspec.json.decode(cell, type=Cell) for (cell,) in own]
                results = Results(manifest=msgspec.json.decode(manifest), cells=cells)
                runs.append(SavedRun(name=name, folder=Path(folder), started=started, results=results))
        if not runs:
            raise BadInput(f"{self._path} has no runs yet; name run folders of reports/")
        return runs

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The database in one transaction; raises BadInput if the file is damaged or of another version."""
        with closing(sqlite3.connect(self._path)) as database:
            try:
                (form,) = database.execute("pragma user_version").fetchone()
                if form not in (0, FORM):
                    raise BadInput(f"{self._path} is of another version of State Lab (form {form}, this one: {FORM})")
                database.execute("pragma foreign_keys = on")
                if form == 0:
                    database.executescript(f"{_TABLES} pragma user_version = {FORM};")
                with database:
                    yield database
            except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
                raise BadInput(f"{self._path} is damaged, or no file of runs: {error}") from None


def _run_row(run: SavedRun) -> tuple[str | None, ...]:
    manifest = run.results.manifest
    profile, versions, machine = (manifest.get(name) or {} for name in ("profile", "versions", "machine"))
    named = profile.get("name") if isinstance(profile, dict) else str(profile)
    told = named, manifest.get("engine"), versions.get("python"), machine.get("commit")
    return run.id, run.name, str(run.folder), run.started, *told, msgspec.json.encode(manifest).decode()


def _cell_row(run: str, cell: Cell) -> tuple[str | int | float | None, ...]:
    key = cell.workload, cell.mechanism, cell.deployment, cell.window
    runs = (cell.runs.violated, cell.runs.total) if cell.runs else (None, None)
    anomalies = ", ".join(cell.anomalies)
    rest = msgspec.json.encode(msgspec.structs.replace(cell, witness=None)).decode()
    return run, *key, cell.verdict, anomalies, *runs, cell.rate_ops_s, rest
