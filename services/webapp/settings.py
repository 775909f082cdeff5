"""The app's settings, read once from its environment at the start."""

import json
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`redis`, `memcached` and `postgres` are addresses, or None if the deployment has no such store. `mechanism_files`
    are the files of mechanisms from outside, by workload; `workloads` names the workloads that are offered (empty:
    all). `replicated`: other hosts serve the same deployment. `missing` has the packages that this interpreter cannot
    have, with the reasons."""

    redis: str | None
    memcached: tuple[str, int] | str | None
    postgres: str | None
    state_dir: Path
    server: str
    manager_address: str | None
    manager_key: bytes
    gates: bool
    mechanism_files: dict[str, list[str]]
    deployment: str
    front: str
    workloads: frozenset[str]
    replicated: bool
    missing: dict[str, str]


def _memcached_address(text: str | None) -> tuple[str, int] | str | None:
    if not text:
        return None
    if text.startswith("/"):
        return text
    host, _, port = text.rpartition(":")
    return host, int(port)


def from_environment() -> Settings:
    """Stores: REDIS_URL, MEMCACHED_ADDRESS (host:port, or the path of a Unix socket), POSTGRES_DSN; files and sockets:
    STATE_DIR (default: a folder in the system's temporary one). `serve` puts the address and the key of the manager
    process there. GATES=1 lets requests be held (see `gate`). MECHANISM_FILES is a JSON object of lists of paths,
    WORKLOADS a list of names separated by commas, REPLICAS how many hosts serve the deployment, PACKAGES_MISSING a JSON
    object.
    """
    state_dir = Path(os.environ.get("STATE_DIR") or Path(tempfile.gettempdir()) / "statelab")
    state_dir.mkdir(parents=True, exist_ok=True)
    return Settings(
        redis=os.environ.get("REDIS_URL") or None,
        memcached=_memcached_address(os.environ.get("MEMCACHED_ADDRESS")),
        postgres=os.environ.get("POSTGRES_DSN") or None,
        state_dir=state_dir,
        server=os.environ.get("SERVER", "none"),
        manager_address=os.environ.get("MANAGER_ADDRESS") or None,
        manager_key=bytes.fromhex(os.environ.get("MANAGER_KEY", "")),
        gates=os.environ.get("GATES") == "1",
        workloads=frozenset(filter(None, os.environ.get("WORKLOADS", "").split(","))),
        replicated=int(os.environ.get("REPLICAS", "1")) > 1,
        missing=json.loads(os.environ.get("PACKAGES_MISSING") or "{}"),
        mechanism_files=json.loads(os.environ.get("MECHANISM_FILES") or "{}"),
        deployment=os.environ.get("DEPLOYMENT", ""),
        front=os.environ.get("FRONT", ""),
    )


SETTINGS = from_environment()

PLACE = SETTINGS.deployment if SETTINGS.replicated else f"{socket.gethostname()}:{SETTINGS.state_dir}"
"""Identifies this deployment among others that use the same stores."""
