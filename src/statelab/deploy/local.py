"""The local engine: runs every deployment as child processes on this machine, without Docker."""

import shutil
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Collection
from collections.abc import Mapping
from pathlib import Path

from statelab.core.errors import Unavailable
from statelab.core.paths import SERVICES
from statelab.deploy.processes import Child
from statelab.deploy.processes import Processes
from statelab.deploy.stores import STORES
from statelab.deploy.stores import Store
from statelab.deploy.stores import start_again
from statelab.plan.app import MECHANISM_FILES
from statelab.plan.app import App
from statelab.plan.deployments import Deployment

READY_S = 30.0


class LocalEngine:
    """`environment` is added to that of every deployment and goes before it; `stores` are those to start. `logs` is a
    new folder for the logs, which stays (None: they go with everything else when the engine is down)."""

    name = "local"

    def __init__(
        self,
        app: App | None = None,
        environment: Mapping[str, str] | None = None,
        stores: Collection[str] = tuple(STORES),
        logs: Path | None = None,
    ) -> None:
        self._wanted = stores
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

    def up(self, deployments: list[Deployment]) -> None:
        for name in self._wanted:
            try:
                self._stores[name] = STORES[name](self._processes, self._logs)
            except Unavailable as error:
                self._reasons[name] = str(error)
        for deployment in deployments:
            self._deployments[deployment.name] = deployment
            self._start(deployment)
        for deployment in deployments:
            try:
                self._wait_until_ready(deployment.name)
            except Unavailable as error:
                self._reasons[deployment.name] = str(error)

    def _start(self, deployment: Deployment) -> None:
        """Binds the socket first and passes it on, so that no other program can take the port in between."""
        name = deployment.name
        self._sockets[name] = socket.create_server(("127.0.0.1", 0), backlog=1024)
        state_dir = self._processes.folder / name
        state_dir.mkdir(exist_ok=True)
        descriptor = self._sockets[name].fileno()
        environment = {
            **deployment.environment,
            **{store.variable: store.address for store in self._stores.values()},
            "APP": self._app.name or "",
            "APP_DIR": str(self._app.folder),
            "DEPLOYMENT": name,
            "LISTEN_FD": str(descriptor),
            "STATE_DIR": str(state_dir),
            "GUNICORN_CONFIG": str(self._app.gunicorn_config or ""),
            MECHANISM_FILES: self._app.mechanism_files(),
            **self._environment,
        }
        self._children[name] = self._processes.start(
            [self._app.interpreter, str(SERVICES / "serve.py")],
            log=self._logs / f"{name}.log",
            environment=environment,
            descriptors=[descriptor],
        )

    def _wait_until_ready(self, name: str) -> None:
        child = self._children[name]
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and child.process.poll() is None:
            if self._answers(name):
                return
            time.sleep(0.02)
        raise Unavailable(f"{name} did not come up; its log ends with:\n{child.last_words()}")

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
        self._children[deployment].process.send_signal(signal.SIGHUP)

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
        for name, listener in self._sockets.items():
            listener.close()
            self._reasons[name] = f"{name} was killed with everything else"
        self._children = {}
        self._start(self._deployments[deployment])
        self._wait_until_ready(deployment)
        del self._reasons[deployment]

    def restart(self, deployment: str) -> None:
        self._processes.kill(self._children[deployment])
        self._sockets[deployment].close()  # requests that still wait in it would hang the new server too
        self._start(self._deployments[deployment])
        try:
            self._wait_until_ready(deployment)
        except Unavailable as error:
            self._reasons[deployment] = str(error)
            raise

    def addresses(self) -> dict[str, str]:
        stores = {name: store.address for name, store in self._stores.items()}
        return stores | {name: self._address(name) for name in self._children if name not in self._reasons}

    def versions(self) -> dict[str, str]:
        return {f"{name} server": store.version for name, store in self._stores.items()}

    def save_logs(self, folder: Path) -> None:
        shutil.copytree(self._logs, folder, dirs_exist_ok=True)

    def down(self) -> None:
        self._processes.close()
        for listener in self._sockets.values():
            listener.close()
