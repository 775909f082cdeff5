"""The folder that worlds work in: a copy of the app's, put back to the state after the import before each world.

Files keep their inodes, because the process that imported the app may hold some of them open and every world inherits
them: each is kept alive by a hard link, and put back by linking it to its name again and writing its old content.
"""

import filecmp
import os
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from statelab.core.errors import BadInput

MOST_BYTES = 500_000_000
MOST_TEXT = 200_000
_BY_NAME = shutil.ignore_patterns(
    *(".git", ".hg", ".svn", "__pycache__", "*.pyc", ".venv", "venv", "env", "node_modules", ".tox", ".nox"),
    *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".state", "*.sock"),
)


def left_out(base: str, names: list[str]) -> set[str]:
    """The names in a folder that are not copied: a fixed list, and every Python virtual environment."""
    return _BY_NAME(base, names) | {name for name in names if os.path.exists(os.path.join(base, name, "pyvenv.cfg"))}


def our_environment() -> dict[str, str]:
    """The environment of this process, without the variables of our own tests and paths."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE_", "PYTEST_")) and name != "PYTHONPATH"
    }


@dataclass(frozen=True)
class State:
    """Every file of a folder at one moment: its inode and modification time, with its content in `copies`."""

    files: dict[str, tuple[int, int, int]]
    folders: frozenset[str]
    copies: Path
    links: Path


class Folder:
    """The folder of a site. Worlds see `work`, which has `app` (the copy), `state`, `tmp` and `home`."""

    def __init__(self, root: Path, app: Path) -> None:
        self.root = root
        self.work = root / "work"
        self.app = self.work / "app"
        size = 0
        for base, folders, files in os.walk(app):
            omitted = left_out(base, [*folders, *files])
            folders[:] = [name for name in folders if name not in omitted]
            size += sum(os.lstat(os.path.join(base, name)).st_size for name in files if name not in omitted)
            if size > MOST_BYTES:
                raise BadInput(
                    f"{app} holds more than {MOST_BYTES // 10**6} MB; start the audit in the app's own folder"
                )
        shutil.copytree(app, self.app, ignore=left_out, symlinks=True, ignore_dangling_symlinks=True)
        for name in ("state", "tmp", "home"):
            (self.work / name).mkdir()
        self._saved = 0

    @property
    def places(self) -> dict[str, str]:
        """The variables that make an app write into this folder."""
        return {
            "STATE_DIR": str(self.work / "state"),
            "TMPDIR": str(self.work / "tmp"),
            "HOME": str(self.work / "home"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process in the app's interpreter: ours, then the variables for this folder, then
        `own`."""
        return {**our_environment(), **self.places, **own}

    def import_paths(self) -> list[str]:
        """The folders in which the app's modules are looked for."""
        return [str(self.app), *([str(self.app / "src")] if (self.app / "src").is_dir() else [])]

    def has_module_of(self, names: Iterable[str]) -> bool:
        """Whether a module of the app has one of these names."""
        paths = [Path(path) / name for path in self.import_paths() for name in names]
        return any(path.is_dir() or path.with_suffix(".py").exists() for path in paths)

    def _walk(self) -> tuple[dict[str, os.stat_result], set[str]]:
        files, folders = {}, set()
        stack = [str(self.work)]
        cut = len(stack[0]) + 1
        while stack:
            for entry in os.scandir(stack.pop()):
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        folders.add(entry.path[cut:])
                        stack.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    files[entry.path[cut:]] = entry.stat(follow_symlinks=False)
        return files, folders

    def save(self) -> State:
        """Remembers how everything is now."""
        self._saved += 1
        copies, links = self.root / f"copies-{self._saved}", self.root / f"links-{self._saved}"
        files, folders = self._walk()
        for base in (copies, links):
            base.mkdir()
            for folder in sorted(folders):
                (base / folder).mkdir()
        for name in files:
            shutil.copy2(self.work / name, copies / name)
            os.link(self.work / name, links / name)
        kept = {name: (stat.st_ino, stat.st_mtime_ns, stat.st_size) for name, stat in files.items()}
        return State(kept, frozenset(folders), copies, links)

    def put_back(self, state: State) -> None:
        """Restores everything as it was when saved, inodes included."""
        files, folders = self._walk()
        for name in files.keys() - state.files.keys():
            (self.work / name).unlink()
        for folder in sorted(folders - state.folders, reverse=True):
            shutil.rmtree(self.work / folder, ignore_errors=True)
        for folder in sorted(state.folders - folders):
            (self.work / folder).mkdir()
        for name, (inode, changed, size) in state.files.items():
            stat = files.get(name)
            path = self.work / name
            if stat is None or stat.st_ino != inode:
                path.unlink(missing_ok=True)
                os.link(state.links / name, path)
                stat = path.lstat()
            if (stat.st_mtime_ns, stat.st_size) != (changed, size):
                with open(state.copies / name, "rb") as kept, open(path, "r+b") as file:
                    file.truncate(0)
                    shutil.copyfileobj(kept, file)
                os.utime(path, ns=(stat.st_atime_ns, changed))

    def changes(self, state: State) -> dict[str, list[str]]:
        """What worlds left in files: the lines of each file that is new, deleted or changed. An SQLite database is
        shown as its rows, a file that is not text as its size."""
        files, _ = self._walk()
        found = {f"{name} (gone)": [""] for name in state.files.keys() - files.keys()}
        for name, stat in files.items():
            if state.files.get(name) == (stat.st_ino, stat.st_mtime_ns, stat.st_size):
                continue
            path = self.work / name
            if name in state.files and filecmp.cmp(path, state.copies / name, shallow=False):
                continue
            if not name.endswith(("-journal", "-wal", "-shm")):
                found[name] = _lines(path)
        return dict(sorted(found.items()))


def _lines(path: Path) -> list[str]:
    with open(path, "rb") as file:
        start = file.read(MOST_TEXT)
    if start.startswith(b"SQLite format 3\0"):
        try:
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)
            try:
                return [line for line in connection.iterdump() if line.startswith("INSERT")]
            finally:
                connection.close()
        except sqlite3.Error as error:
            return [f"an SQLite database that cannot be read: {error}"]
    try:
        return start.decode().splitlines()
    except UnicodeDecodeError:
        return [f"{path.stat().st_size} bytes"]
