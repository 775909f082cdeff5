"""Tries what state outlives: counts up, ends something and starts it again, and reads the value back.

Requests come one after the other to one worker, so that a missing value is lost and not just in another process. A host
is ended where there are two, behind a balancer whose cookie keeps the client at one of them.
"""

import secrets
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator

from msgspec.structs import replace

from statelab.core.cookies import Jar
from statelab.core.errors import Unavailable
from statelab.core.operation import Operation
from statelab.core.operation import ServedBy
from statelab.core.results import ENDINGS
from statelab.core.results import Survival
from statelab.deploy.local import LocalEngine
from statelab.drive.request import Line
from statelab.drive.request import Request
from statelab.drive.request import perform
from statelab.plan.catalogue import Catalogue
from statelab.plan.catalogue import Workload
from statelab.plan.catalogue import fetch
from statelab.plan.deployments import Deployment
from statelab.theory.rule import outlives

WORKLOAD = "counter"
TIMES = 3
"""How many increments come before something is ended."""

PATIENCE_S = 10.0
LIMIT_S = 4.0
PAUSE_S = 0.02


def _end_request(engine: LocalEngine, deployment: str, jar: Jar) -> None:
    """Nothing to do: the requests that counted have ended already."""


def _end_worker(engine: LocalEngine, deployment: str, jar: Jar) -> None:
    before = _boot(engine, deployment)
    engine.recycle(deployment)
    deadline = time.monotonic() + PATIENCE_S
    while _boot(engine, deployment) in (before, None):
        if time.monotonic() > deadline:
            raise Unavailable(f"{deployment} has no new worker {PATIENCE_S:.0f} s after SIGHUP")
        time.sleep(PAUSE_S)


def _end_server(engine: LocalEngine, deployment: str, jar: Jar) -> None:
    engine.restart(deployment)


def _end_store(engine: LocalEngine, deployment: str, jar: Jar) -> None:
    for name in engine.stores:
        engine.restart_store(name)


def _end_everything(engine: LocalEngine, deployment: str, jar: Jar) -> None:
    engine.restart_everything(deployment)


def _end_host(engine: LocalEngine, deployment: str, jar: Jar) -> None:
    before = _served_by(engine, deployment, jar)
    if before is None:
        raise Unavailable(f"{deployment} does not say which host serves the client")
    engine.end_host(before.host)
    deadline = time.monotonic() + PATIENCE_S
    while (now := _served_by(engine, deployment, jar)) is None or now.host == before.host:
        if time.monotonic() > deadline:
            raise Unavailable(f"no other host of {deployment} serves the client {PATIENCE_S:.0f} s after its own ended")
        time.sleep(PAUSE_S)


BRING: dict[str, Callable[[LocalEngine, str, Jar], None]] = {
    "request": _end_request,
    "worker": _end_worker,
    "server": _end_server,
    "store": _end_store,
    "everything": _end_everything,
    "host": _end_host,
}
"""How each of ENDINGS is made to happen to a deployment and the client that has these cookies."""


def _ask(engine: LocalEngine, deployment: str, mechanism: str, operation: str, key: str, jar: Jar) -> Operation:
    path = f"/{WORKLOAD}/{mechanism}"
    reading = operation == "read"
    request = Request(
        who="survivor",
        op=operation,
        op_id=secrets.token_hex(4),
        method="GET" if reading else "POST",
        path=path if reading else f"{path}/{operation}",
        parameters={"key": key} if reading else {"key": key, "window": "tight"},
        cookies=jar.headers(),
    )
    line = Line(engine.url(deployment), LIMIT_S)
    try:
        return perform(request, line, jar)
    finally:
        line.close()


def _read(engine: LocalEngine, deployment: str, mechanism: str, key: str, jar: Jar) -> Operation:
    """Reads until the app has found its store again; reading changes nothing."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        operation = _ask(engine, deployment, mechanism, "read", key, jar)
        if operation.status == "ok" or time.monotonic() > deadline:
            return operation
        time.sleep(PAUSE_S)


def _served_by(engine: LocalEngine, deployment: str, jar: Jar) -> ServedBy | None:
    """Who answers a client with these cookies."""
    return _ask(engine, deployment, "flask-g", "read", "boot", jar).served_by


def _boot(engine: LocalEngine, deployment: str) -> str | None:
    """The id of the process that answers; each new process has a new one."""
    server = _served_by(engine, deployment, Jar())
    return server.boot if server else None


def fit(deployments: Iterable[Deployment]) -> Deployment | None:
    """The deployment to use: gunicorn with one process that serves one request after the other."""
    return next((d for d in deployments if d.server == "gunicorn" and not d.spread), None)


def with_hosts(deployments: Iterable[Deployment]) -> Deployment | None:
    """The deployment of which one host can end: a balancer keeps each client at one of several."""
    return next((d for d in deployments if "hosts" in d.between_clients), None)


class Survey:
    """Tries each ending once, for all mechanisms together. The engine must be up and serve `deployment`. If that has
    several hosts, one of them ends; else everything but that."""

    def __init__(
        self, engine: LocalEngine, deployment: Deployment, mechanisms: Iterable[str], catalogue: Catalogue
    ) -> None:
        self._engine = engine
        self._deployment = deployment.name
        self._endings = [ending for ending in ENDINGS if (ending == "host") == (deployment.hosts > 1)]
        self._jar = Jar()
        self._workload: Workload = catalogue.workloads[WORKLOAD]
        self._mechanisms = list(mechanisms)

    def measure(self) -> list[Survival]:
        """Tries all endings. Raises Unavailable if something does not start again."""
        missing = self._missing()
        return [found for ending in self._endings for found in self._try(ending, missing)]

    def _missing(self) -> dict[str, str]:
        """Why some mechanisms cannot be tried here."""
        stores = self._engine.store_reasons()
        offered = fetch(self._engine.url(self._deployment)).workloads[WORKLOAD].mechanisms
        reasons = {
            name: stores.get(mechanism.claims.store or "") or mechanism.unavailable
            for name, mechanism in offered.items()
        }
        return {name: reason for name, reason in reasons.items() if reason}

    def _try(self, ending: str, missing: dict[str, str]) -> Iterator[Survival]:
        predicted = {name: outlives(self._workload.mechanisms[name].claims, ending) for name in self._mechanisms}
        key = f"survival-{secrets.token_hex(6)}"
        asked = [name for name in self._mechanisms if name not in missing and predicted[name] is not None]
        counted = {name: self._count(name, key) for name in asked}
        started = time.monotonic()
        BRING[ending](self._engine, self._deployment, self._jar)
        ms = (time.monotonic() - started) * 1000
        for name in self._mechanisms:
            about = Survival(mechanism=name, ending=ending, predicted=predicted[name], ms=ms)
            yield self._found(about, counted[name], key) if name in counted else _without(about, missing.get(name))

    def _count(self, mechanism: str, key: str) -> int | str:
        """How many increments were acknowledged, or why they were not."""
        _read(self._engine, self._deployment, mechanism, key, self._jar)
        for _ in range(TIMES):
            operation = _ask(self._engine, self._deployment, mechanism, "increment", key, self._jar)
            if operation.status != "ok":
                return f"an increment failed: {operation.error}"
        return TIMES

    def _found(self, about: Survival, counted: int | str, key: str) -> Survival:
        if isinstance(counted, str):
            return _without(about, counted)
        operation = _read(self._engine, self._deployment, about.mechanism, key, self._jar)
        if not isinstance(operation.result, int):
            return _without(about, f"the app does not answer: {operation.error}")
        return replace(about, counted=counted, found=operation.result)


def _without(about: Survival, reason: str | None) -> Survival:
    return replace(about, reason=reason or "it needs no store that could end")


EXIT_CONTRADICTED = 1
EXIT_UNAVAILABLE = 3


def exit_code(survival: Iterable[Survival]) -> int:
    """1 if the experiment contradicts the rule, else 3 if something could not be tried, else 0."""
    tried = list(survival)
    if any(not each.agrees for each in tried):
        return EXIT_CONTRADICTED
    return EXIT_UNAVAILABLE if any(each.kept is None and each.predicted is not None for each in tried) else 0
