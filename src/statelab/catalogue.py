"""The app's own account of itself: workloads, operations, mechanisms and claims, as `GET /catalogue` serves them."""

from typing import Any

import msgspec


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a mechanism claims; the sets hold boundaries (requests, greenlets, threads, processes, hosts)."""

    shared_across: frozenset[str]
    atomic_across: frozenset[str]
    survives: str | None
    switches_inside: frozenset[str] = frozenset()
    inherited: frozenset[str] = frozenset()
    answers_later: bool = False
    blocks_hub: bool = False
    store: str | None = None


class Mechanism(msgspec.Struct, frozen=True, kw_only=True):
    summary: str
    claims: Claims
    unavailable: str | None = None


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    promise: str
    operations: dict[str, str]
    mechanisms: dict[str, Mechanism]


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    windows: list[str]
    workloads: dict[str, Workload]


def decode(body: bytes | str) -> Catalogue:
    """Raises msgspec.ValidationError where the app's catalogue is not of this form."""
    return msgspec.json.decode(body, type=Catalogue)


GROUPS = (
    ("cluster", "hosts"),
    ("host", "processes"),
    ("process", "threads"),
)


def group(claims: Claims) -> str:
    """How far the state reaches, as one word: cluster, host, process, thread or request.

    State that crosses processes only by inheritance counts as `host`.
    """
    reach = claims.shared_across | claims.inherited
    for name, boundary in GROUPS:
        if boundary in reach:
            return name
    return "thread" if "requests" in reach else "request"


def as_dict(catalogue: Catalogue) -> Any:
    """The catalogue as plain JSON values, for the manifest."""
    return msgspec.to_builtins(catalogue)
