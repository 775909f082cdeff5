"""Tries what state outlives: counts up, ends something and starts it again, and reads the value back.

Requests go one after the other to one worker, so that a missing value is really lost and not just in another process.
To end a host, there are two of them, behind a balancer whose cookie keeps the client at one.
"""

import secrets
import time
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from statelab.core.cookies import Jar
from statelab.core.errors import Unavailable
from statelab.core.operation import Operation, ServedBy
from statelab.core.results import ENDINGS, Survival
from statelab.deploy.local import LocalEngine
from statelab.drive.request import Request, path_of, perform_alone
from statelab.plan.catalogue import Catalogue, Workload, fetch
from statelab.plan.deployments import Deployment
from statelab.theory.rule import outlives

WORKLOAD = "counter"
TIMES = 3
"""How many increments come before something is ended."""

PATIENCE_S = 10.0
LIMIT_S = 4.0
PAUSE_S = 0.02


def end(ending: str, engine: LocalEngine, deployment: str, jar: Jar) -> None:
    """Makes one of ENDINGS happen to a deployment, and to the client with these cookies. Raises Unavailable if
    something does not start again."""
    match ending:
        case "request":
            return  # the requests that counted have ended already
        case "worker":
            before = _boot(engine, deployment)
            engine.recycle(deployment)
            deadline = time.monotonic() + PATIENCE_S
            while _boot(engine, deployment) in (before, None):
                if time.monotonic() > deadline:
                    raise Unavailable(f"{deployment} has no new worker {PATIENCE_S:.0f} s after SIGHUP")
                time.sleep(PAUSE_S)
        case "server":
            engine.restart(deployment)
        case "store":
            for name in engine.stores:
                engine.restart_store(name)
        case "everything":
            engine.restart_everything(deployment)
        case "host":
            server = _served_by(engine, deployment, jar)
            if server is None:
                raise Unavailable(f"{deployment} does not say which host serves the client")
            engine.end_host(server.host)
            deadline = time.monotonic() + PATIENCE_S
            while (now := _served_by(engine, deployment, jar)) is None or now.host == server.host:
                if time.monotonic() > deadline:
                    since = f"{PATIENCE_S:.0f} s after its own ended"
                    raise Unavailable(f"no other host of {deployment} serves the client {since}")
                time.sleep(PAUSE_S)
        case _:
            raise ValueError(f"no ending {ending!r}")


def _ask(engine: LocalEngine, deployment: str, mechanism: str, operation: str, key: str, jar: Jar) -> Operation:
    reading = operation == "read"
    request = Request(
        who="survivor",
        op=operation,
        op_id=secrets.token_hex(4),
        method="GET" if reading else "POST",
        path=path_of(WORKLOAD, mechanism, operation),
        parameters={"key": key} if reading else {"key": key, "window": "tight"},
        cookies=jar.headers(),
    )
    return perform_alone(request, engine.url(deployment), LIMIT_S, jar)


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
    """The deployment in which one host can end: a balancer keeps each client at one of several hosts."""
    return next((d for d in deployments if "hosts" in d.between_clients), None)


class Survey:
    """Tries each ending once, for all mechanisms together. The engine must be up and serve `deployment`. If that has
    several hosts, only the ending of a host is tried; otherwise all other endings."""

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
        stores = self._engine.store_reasons()
        offered = fetch(self._engine.url(self._deployment)).workloads[WORKLOAD].mechanisms
        missing: dict[str, str] = {}  # why some mechanisms cannot be tried here
        for name, mechanism in offered.items():
            if reason := stores.get(mechanism.claims.store or "") or mechanism.unavailable:
                missing[name] = reason
        return [found for ending in self._endings for found in self._try(ending, missing)]

    def _try(self, ending: str, missing: dict[str, str]) -> Iterator[Survival]:
        predicted = {name: outlives(self._workload.mechanisms[name].claims, ending) for name in self._mechanisms}
        key = f"survival-{secrets.token_hex(6)}"
        asked = [name for name in self._mechanisms if name not in missing and predicted[name] is not None]
        counted = {name: self._count(name, key) for name in asked}
        started = time.monotonic()
        end(ending, self._engine, self._deployment, self._jar)
        ms = (time.monotonic() - started) * 1000
        for name in self._mechanisms:
            about = Survival(mechanism=name, ending=ending, predicted=predicted[name], ms=ms)
            count = counted.get(name, missing.get(name, "it needs no store that could end"))
            if isinstance(count, int):
                operation = _read(self._engine, self._deployment, name, key, self._jar)
                if isinstance(operation.result, int):
                    yield replace(about, counted=count, found=operation.result)
                    continue
                count = f"the app does not answer: {operation.error}"
            yield replace(about, reason=count)

    def _count(self, mechanism: str, key: str) -> int | str:
        """How many increments were acknowledged, or why they were not."""
        _read(self._engine, self._deployment, mechanism, key, self._jar)
        for _ in range(TIMES):
            operation = _ask(self._engine, self._deployment, mechanism, "increment", key, self._jar)
            if operation.status != "ok":
                return f"an increment failed: {operation.error}"
        return TIMES


EXIT_CONTRADICTED = 1
EXIT_UNAVAILABLE = 3


def exit_code(survival: Iterable[Survival]) -> int:
    """1 if the experiment contradicts the rule, else 3 if something could not be tried, else 0."""
    tried = list(survival)
    if any(not each.agrees for each in tried):
        return EXIT_CONTRADICTED
    return EXIT_UNAVAILABLE if any(each.kept is None and each.predicted is not None for each in tried) else 0
