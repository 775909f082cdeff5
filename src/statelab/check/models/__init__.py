"""One folder or file per model. History in, finding out: no I/O here. Models share the kernels and nothing else."""

from collections.abc import Iterator, Mapping
from importlib import import_module

from statelab.check.kernels.model import Model

_TABLE = {
    "counter": "counter.model",
    "blind-counter": "blind_counter.model",
    "register": "register.model",
    "key-value": "key_value.model",
    "set": "set.model",
    "inventory": "inventory",
    "mutex": "mutex.model",
    "queue": "queue.model",
    "unordered-queue": "unordered_queue",
    "unique-ids": "unique_ids",
    "at-most-once": "at_most_once",
    "echo": "echo",
    "session": "session",
}  # fmt: skip
"""The module of each model, in the order of the docs; its `MODEL` says the rest."""


class _Models(Mapping[str, Model]):
    """Loads a model when it is asked for: the names alone need none of them, and no numpy."""

    def __getitem__(self, name: str) -> Model:
        model: Model = import_module(f"{__name__}.{_TABLE[name]}").MODEL
        assert model.name == name, f"the table calls it {name}, its MODEL {model.name}"
        return model

    def __iter__(self) -> Iterator[str]:
        return iter(_TABLE)

    def __len__(self) -> int:
        return len(_TABLE)


MODELS: Mapping[str, Model] = _Models()
"""The models of `statelab check` by name, in the order of the docs."""
