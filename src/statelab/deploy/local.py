"""The local engine: runs every deployment as child processes on this machine, without Docker."""

import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from statelab.core.access import DIRECT
from statelab.core.errors import Unavailable
from statelab.core.paths import PACKAGES, SERVICES
from statelab.deploy.engine import wait_for_all_workers
from statelab.deploy.processes import Child, Processes
from statelab.deploy.programs import Program, find, get, of_servers
from statelab.deploy.pythons import free_threaded
from statelab.deploy.stores import INSTALL, STORES, Store, start_again, unprivileged_user
from statelab.plan.app import MECHANISM_FILES, WORKLOADS, App, Python
from statelab.plan.deployments import Deployment

READY_S = 60.0
NOT_OF_THE_APP = shutil.ignore_patterns(".git", ".venv", "venv", "node_modules", "__pycache__")


def listening() -> socket.socket:
    """A socket whose connections send data without delay, as gunicorn, waitress and asyncio set it. gevent's WSGIServer
    does not set it, nor does uvicorn on an inherited socket: an answer in two packets then waits 40 ms, until the
    client's kernel has acknowledged the first packet."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _held_port() -> socket.socket:
    """A socket that holds a port: only sockets with SO_REUSEPORT, of the same user, can still be bound to it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", 0))
    return held


class LocalEngine:
    """`environment` is added to that of every deployment and overrides it. `logs` is a new folder for the logs, which
    is kept (None: they are deleted with everything else when the engine goes down)."""

    name = "local"
    access = DIRECT

    def __init__(
        self,
        app: App | None = None,
        environment: Mapping[str, str] | None = None,
        logs: Path | None = None,
    ) -> None:
        self._app = app or App()
        self._environment = environment or {}
        self._processes = Processes()
        self._logs = logs or self._processes.folder / "logs"
        self._logs.mkdir(parents=True)
        self._stores: dict[str, Store] = {}
        self._deployments: dict[str, Deployment] = {}
        self._sockets: dict[str, socket.socket] = {}
        self._children: dict[str, Child] = {}
        self._reasons: dict[str, str] = {}
        self.front = ""
        """The address of the front page, to which the lab's own app redirects requests for `/`."""

    def up(self, deployments: list[Deployment]) -> None:
        get(of_servers(deployments), lambda text: print(text, file=sys.stderr, flush=True))
        wanted = set(STORES if self._app.stores is None else self._app.stores)
        if self._app.name is None and any(deployment.hosts > 1 for deployment in deployments):
            wanted.add("redis")  # the lab's own app keeps there what is outside of its hosts (webapp/world.py)
        for name in [name for name in STORES if name in wanted]:
            try:
                self._stores[name] = STORES[name](self._processes, self._logs)
            except Unavailable as error:
                self._reasons[name] = str(error)
        self._deployments = {deployment.name: deployment for deployment in deployments}
        for step in (self._start, self._wait_until_ready):
            for deployment in deployments:
                try:
                    if deployment.name not in self._reasons:
                        step(deployment)
                except Unavailable as error:
                    self._reasons[deployment.name] = str(error)

    def _start(self, deployment: Deployment) -> None:
        """Starts its replicas and, where there are several, the balancer; raises Unavailable."""
        balancer = find("haproxy") if deployment.hosts > 1 else None
        if deployment.hosts > 1 and balancer is None:
            raise Unavailable(f"haproxy, which balances {deployment.name}, is missing: {INSTALL.format('haproxy')}")
        for replica in deployment.replicas:
            self._serve(deployment, replica)
        if balancer:
            self._balance(deployment, balancer)

    def _balance(self, deployment: Deployment, balancer: Program) -> None:
        """Starts the balancer on a socket that it inherits; its configuration takes values from its environment."""
        self._sockets[deployment.name] = listener = listening()
        replicas = {
            f"REPLICA_{number}": self._address(name).removeprefix("http://")
            for number, name in enumerate(deployment.replicas, 1)
        }
        bind = {"BIND": f"fd@{listener.fileno()}"}
        self._children[deployment.name] = self._processes.start(
            [str(balancer.path), "-db", "-f", str(SERVICES / "balancer.cfg")],
            log=self._logs / f"{deployment.name}.log",
            environment={**balancer.environment, **deployment.environment, **replicas, **bind},
            descriptors=[listener.fileno()],
        )

    def _serve(self, deployment: Deployment, name: str) -> None:
        """Starts one replica, with folders of its own. Binds the socket first and passes it on, so that no other
        program can take the port in between. For a server that opens its own socket, another socket holds the port: it
        does not listen, and lets the server's socket bind beside it."""
        inherits = deployment.inherits_socket
        self._sockets[name] = listening() if inherits else _held_port()
        state_dir = self._processes.folder / name
        state_dir.mkdir(exist_ok=True)
        descriptor = self._sockets[name].fileno()
        python = self._python(deployment)
        environment = {
            **deployment.environment,
            **{store.variable: store.address for store in self._stores.values()},
            "APP": self._app.name or "",
            "APP_DIR": str(self._app.folder),
            "DEPLOYMENT": deployment.name,
            "FRONT": self.front,
            **({"LISTEN_FD": str(descriptor)} if inherits else {"BIND": self._address(name).removeprefix("http://")}),
            "STATE_DIR": str(state_dir),
            "SERVER_DIR": str(state_dir),  # the server's own files stay apart where STATE_DIR is given for an app
            "PACKAGES": str(PACKAGES),
            "RUN_AS": unprivileged_user() or "",
            "GUNICORN_CONFIG": str(self._app.gunicorn_config or ""),
            MECHANISM_FILES: self._app.mechanism_files(),
            WORKLOADS: ",".join(self._app.workloads),
            "PACKAGES_MISSING": python.missing,
            # otherwise one package that is not marked as safe brings the lock back for the whole process
            **({"PYTHON_GIL": "0"} if deployment.parallel else {}),
            **self._environment,
        }
        if deployment.hosts > 1:
            environment |= {"HOST_NAME": name, **self._app_of_its_own(environment, state_dir)}
        self._children[name] = self._processes.start(
            [python.program, str(SERVICES / "serve.py")],
            log=self._logs / f"{name}.log",
            environment=environment,
            descriptors=[descriptor] if inherits else [],
        )

    def _python(self, deployment: Deployment) -> Python:
        """The interpreter for a deployment; raises Unavailable if there is no such interpreter, or it lacks the
        server's package."""
        python = self._app.python or Python(program=self._app.interpreter, version="")
        if deployment.parallel and self._app.name is None:
            python = free_threaded()
        if why := python.lacks(deployment.package):
            raise Unavailable(f"{deployment.package} cannot be installed for Python {python.version}: {why}")
        return python

    def _app_of_its_own(self, environment: Mapping[str, str], state_dir: Path) -> dict[str, str]:
        """For another app, each host gets a copy of its folder, because hosts share no files."""
        if self._app.name is None:
            return {}
        variable = "STATELAB_IDENTIFIED_DIR" if "STATELAB_IDENTIFIED_DIR" in environment else "APP_DIR"
        copy = state_dir / "app"
        if not copy.exists():  # otherwise the replica is restarting
            shutil.copytree(environment[variable], copy, symlinks=True, ignore=NOT_OF_THE_APP)
        return {variable: str(copy)}

    def _parts(self, deployment: Deployment) -> list[str]:
        """The names of a deployment's processes: its replicas, and its own name, which is the balancer if there are
        several."""
        return list(dict.fromkeys([*deployment.replicas, deployment.name]))

    def _wait_until_ready(self, deployment: Deployment) -> None:
        deadline = time.monotonic() + READY_S
        for name in self._parts(deployment):
            child = self._children[name]
            while not self._answers(name):
                if time.monotonic() > deadline or child.process.poll() is not None:
                    raise Unavailable(f"{name} did not come up; its log ends with:\n{child.last_words()}")
                time.sleep(0.02)
        if self._app.name is None:
            wait_for_all_workers(deployment, self._address(deployment.name))

    def _answers(self, name: str) -> bool:
        try:
            urllib.request.urlopen(f"{self._address(name)}/healthz", timeout=2).close()
        except urllib.error.HTTPError:
            return True  # another app may not have this page
        except OSError:
            return False
        return True

    def _address(self, name: str) -> str:
        return f"http://127.0.0.1:{self._sockets[name].getsockname()[1]}"

    def url(self, deployment: str) -> str:
        if deployment in self._reasons:
            raise Unavailable(self._reasons[deployment])
        return self._address(deployment)

    def reasons(self) -> dict[str, str]:
        return dict(self._reasons)

    def store_reasons(self) -> dict[str, str]:
        return {name: reason for name, reason in self._reasons.items() if name in STORES}

    @property
    def stores(self) -> list[str]:
        """The stores that started."""
        return list(self._stores)

    def recycle(self, deployment: str) -> None:
        """Sends SIGHUP, so that gunicorn starts new workers; does not wait for them."""
        for replica in self._deployments[deployment].replicas:
            self._children[replica].process.send_signal(signal.SIGHUP)

    def end_host(self, replica: str) -> None:
        """Kills the server of one host of a deployment; nothing listens at its address any more."""
        self._processes.kill(self._children.pop(replica))
        self._sockets.pop(replica).close()

    def restart_store(self, name: str) -> None:
        """Stops a store and starts it again on the same folder; raises Unavailable."""
        self._processes.stop([self._stores[name].child])
        self._stores[name] = start_again(name, self._stores[name])

    def restart_everything(self, deployment: str) -> None:
        """Kills all deployments and stores at once, then starts the stores and this one deployment again.

        Raises Unavailable."""
        for child in [*self._children.values(), *(store.child for store in self._stores.values())]:
            self._processes.kill(child)
        for name, store in self._stores.items():
            self._stores[name] = start_again(name, store)
        for listener in self._sockets.values():
            listener.close()
        self._reasons |= {name: f"{name} was killed with everything else" for name in self._deployments}
        self._children = {}
        self._start(self._deployments[deployment])
        self._wait_until_ready(self._deployments[deployment])
        del self._reasons[deployment]

    def restart(self, deployment: str) -> None:
        about = self._deployments[deployment]
        for name in self._parts(about):
            if name in self._children:  # otherwise its host has ended
                self.end_host(name)  # requests that still wait in its socket would hang the new server too
        try:
            self._start(about)
            self._wait_until_ready(about)
        except Unavailable as error:
            self._reasons[deployment] = str(error)
            raise

    def addresses(self) -> dict[str, str]:
        stores = {name: store.address for name, store in self._stores.items()}
        served = [name for name in self._deployments if name in self._children and name not in self._reasons]
        return stores | {name: self._address(name) for name in served}

    def versions(self) -> dict[str, str]:
        return {f"{name} server": store.version for name, store in self._stores.items()}

    def save_logs(self, folder: Path) -> None:
        shutil.copytree(self._logs, folder, dirs_exist_ok=True)

    def down(self) -> None:
        self._processes.close()
        for listener in self._sockets.values():
            listener.close()
