"""Processes that others are forked from: each of them has started the app's interpreter, and most have imported Flask.

Starting Python and importing Flask takes longer than importing most apps, and an audit imports its app four times or
more. So it is done once, and each process that is to import the app is a fork of that one.
"""

import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

from statelab.audit.folder import our_environment
from statelab.audit.processes import IMPORT_S, Crashed, Hung, Started
from statelab.core.errors import BadInput

FLASK = ("flask", "flask.json.provider", "flask.testing")
"""Modules that most apps import. Importing them only makes definitions."""
PYTEST = ("pytest", "_pytest.junitxml", "_pytest.doctest", "_pytest.unittest", "_pytest.pastebin", "_pytest.terminal")
IMPORTS = {"bare": (), "plain": FLASK, "patched": FLASK, "tests": (*FLASK, *PYTEST)}


class Ready:
    """These processes by kind. `bare` has only started Python. `plain` has also imported Flask, `patched` has done so
    after gevent patched it, and `tests` has imported pytest as well. Each is made when first needed.

    `kept` is one `Ready` for all audits of this process (tests set it); without it each audit has its own.
    """

    kept: "Ready | None" = None

    def __init__(self, python: str) -> None:
        self.python = python
        self._made: dict[str, Started] = {}
        self._lock = threading.Lock()
        descriptor, name = tempfile.mkstemp(prefix="statelab-audit-")
        os.close(descriptor)
        self._log = Path(name)

    @classmethod
    def of(cls, python: str) -> "Ready":
        """The kept `Ready` if it belongs to this interpreter, else a new one. Call `release` at the end."""
        return cls.kept if cls.kept and cls.kept.python == python else cls(python)

    def release(self) -> None:
        if self is not Ready.kept:
            self.close()

    def process(self, kind: str) -> Started:
        """The process of this kind; raises BadInput if the interpreter cannot be started."""
        with self._lock:
            if kind not in self._made:
                self._made[kind] = self._new(kind)
            return self._made[kind]

    def _new(self, kind: str) -> Started:
        places = {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
        fixed = {"PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
        try:
            started = Started(self.python, Path("/"), {**our_environment(), **places, **fixed}, self._log)
        except OSError as error:
            raise BadInput(f"{self.python} cannot be started ({error.strerror}): name another with --python") from None
        try:
            hub = started.ask("prepare", limit_s=IMPORT_S, modules=IMPORTS[kind], patched=kind == "patched")["hub"]
        except (Crashed, Hung):
            started.stop()
            words = self._log.read_text(errors="replace").strip().splitlines()[-1:]
            last = f"; its last words: {words[0]}" if words else ""
            raise BadInput(f"{self.python} is no Python 3.9 or newer{last}: name another with --python") from None
        if hub:  # the import of Flask has begun it
            started.stop()
            return self._new("bare")
        return started

    def close(self) -> None:
        for started in self._made.values():
            with suppress(Crashed, Hung):
                started.stop()
        self._log.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
