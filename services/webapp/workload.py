"""A workload: what the app does with state, and the table of mechanisms that keep the state."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType

from flask import Flask

from webapp import absent, outside, stores
from webapp.arguments import Arguments
from webapp.claims import Claims
from webapp.settings import SETTINGS
from webapp.window import WINDOWS

FAULTS = ("never-persists", "divergent", "lost-update", "misreported", "stalled")
"""The faults that clients see under the theory's own name, unless the workload says otherwise."""


@dataclass(frozen=True)
class Mechanism:
    """One way to keep the state: a module with `CLAIMS` and one function per operation of its workload.

    A module may also have `init_app(app)`, called by the factory, and `unavailable()`, which says why this deployment
    cannot offer the mechanism (None: it can). `file` is where it stands if that is outside of the lab.
    """

    name: str
    module: ModuleType
    file: str | None = None

    @property
    def claims(self) -> Claims:
        claims: Claims = self.module.CLAIMS
        return claims

    @cached_property
    def unavailable(self) -> str | None:
        store, server = self.claims.store, self.claims.server
        if store and getattr(SETTINGS, store) is None:
            return f"{store} is not configured for this deployment"
        if store in stores.absent:
            return stores.absent[store]
        if server and server != SETTINGS.server:
            return f"{server} alone has it: the server here is {SETTINGS.server}"
        reason: str | None = getattr(self.module, "unavailable", lambda: None)()
        return reason

    @property
    def summary(self) -> str:
        return (self.module.__doc__ or "").strip().partition("\n")[0]

    def init_app(self, app: Flask) -> None:
        init = getattr(self.module, "init_app", None)
        if init and not self.unavailable:
            absent.tried(lambda: init(app), lambda reason: self.__dict__.update(unavailable=reason))


@dataclass(frozen=True)
class Workload:
    """`operations` maps each operation's name to True if it only reads; `table` maps a mechanism's name to its module
    in the workload's folder. `arguments` are those of an operation besides key and window, `windows` the windows in
    which its mechanisms differ. `shows` maps each fault that the theory's rule may find to the anomaly that a client of
    this workload sees then; a fault that it leaves out does no harm here."""

    name: str
    promise: str
    operations: Mapping[str, bool]
    table: Mapping[str, str]
    arguments: Mapping[str, Arguments] = field(default_factory=dict)
    windows: tuple[str, ...] = tuple(WINDOWS)
    shows: Mapping[str, str] = field(default_factory=lambda: {fault: fault for fault in FAULTS})

    @cached_property
    def mechanisms(self) -> dict[str, Mechanism]:
        package = f"webapp.{self.name.replace('-', '_')}"
        found = {name: Mechanism(name, absent.module(f"{package}.{file}")) for name, file in self.table.items()}
        for path in SETTINGS.mechanism_files.get(self.name, ()):
            parts = outside.module(Path(path), package, found, self.functions_like(next(iter(found.values()))))
            name = outside.name_of(Path(path))
            found[name] = Mechanism(name, parts, path)
        return found

    def functions_like(self, example: Mechanism) -> dict[str, list[str]]:
        """What a mechanism must have: a function for each operation, with the parameters that it has in `example`."""
        names = [operation.replace("-", "_") for operation in self.operations]
        return {name: list(inspect.signature(getattr(example.module, name)).parameters) for name in names}
