"""`--confirm`: plays the story of each finding against the real servers that should show it, started by the lab's
engine.

All rounds are alike: each begins with a new server, the original contents of the folder and the stores, and the user's
`reset`. A round shows the finding if, at one of the places that differ, its answers (or files) equal those of the
finding's world and no reference explains them. Two requests that overlap are sent at once: the lab cannot hold a
request of an app that is not its own, so chance decides whether they meet between the same two lines.
"""

import http.client
import json
import os
import pwd
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from statelab.audit.compare import flat
from statelab.audit.explore import FILES, Candidate
from statelab.audit.finding import Finding
from statelab.audit.folder import Folder
from statelab.audit.inside.served import HEADER, VARIABLE
from statelab.audit.play import Player, Seen
from statelab.audit.processes import App, Crashed, Importer
from statelab.audit.site import reset
from statelab.audit.stores import Stores
from statelab.core.errors import Unavailable
from statelab.deploy.local import LocalEngine
from statelab.deploy.stores import unprivileged_user
from statelab.plan.app import App as Served
from statelab.plan.deployments import Deployment

REAL = Path(__file__).parent / "inside" / "real"
LEAST_ROUNDS = 3
MOST_ROUNDS = 40
LONGEST_S = 20.0
"""The rounds of one finding under one deployment end after this time, but not before LEAST_ROUNDS."""
QUIET_S = 0.5
"""How long to wait for files to be written after the last answer."""
UNKNOWN = {"method": "GET", "target": "/statelab-waits", "headers": [], "body": ""}
OTHERS = 8
"""Number of clients that keep a server busy. There are more of them than a process has threads, because under mod_wsgi
one process takes all requests that its four threads can serve."""
ALL_WORKERS_S = 5.0
MOST_FILLERS = 200
"""The most requests sent to get a worker replaced."""


class RealServer:
    """A deployment as the player sees it. `processes` are the ids of the processes that answered."""

    def __init__(self, url: str, limit_s: float, folder: Folder, files: Callable[[], dict[str, list[str]]]) -> None:
        self._address = urlsplit(url)
        self._limit_s = limit_s
        self._folder = folder
        self.files = files
        self.processes: list[str] = []
        self._others = False

    def server(self, name: str, *, run: int) -> "RealServer":
        return self

    def say(self, do: str, **arguments: Any) -> dict[str, Any]:
        return {"answer": self._answer(arguments["request"])} if do == "serve" else {"busy": []}

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer, over a new connection, so that any process may get the request; raises Crashed."""
        connection = http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=self._limit_s)
        body = request["body"].encode("latin-1")
        try:
            connection.putrequest(request["method"], request["target"], skip_host=True, skip_accept_encoding=True)
            headers = [("Host", "localhost"), *request["headers"], ("Connection", "close")]
            for name, value in headers + [("Content-Length", str(len(body)))] * bool(body):
                connection.putheader(name, value)
            connection.endheaders(body or None)
            got = connection.getresponse()
            text = got.read().decode("latin-1")
        except (OSError, http.client.HTTPException) as error:
            raise Crashed(f"the server gave no answer: {error}") from None
        finally:
            connection.close()
        self.processes.append(got.headers.get(HEADER, "unknown"))
        answered = [[name, value] for name, value in got.getheaders() if name != HEADER]
        return {"status": got.status, "headers": answered, "body": text, "errors": ""}

    def end(self, grace_s: float) -> bool:
        """Sends requests for an unknown address until a different process answers."""
        before = self.processes[-1:]
        for _ in range(MOST_FILLERS):
            self._answer(UNKNOWN)
            if self.processes[-1:] != before:
                return True
        return False

    @contextmanager
    def others(self, wanted: bool) -> Iterator[None]:
        """In this context other clients send requests for an unknown address, because in an idle server mostly one
        process answers."""
        ended = threading.Event()
        self._others = wanted

        def send() -> None:
            while wanted and not ended.is_set():
                with suppress(Crashed):
                    self._answer(UNKNOWN)

        threads = [threading.Thread(target=send) for _ in range(OTHERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def wait_for(self, workers: int) -> None:
        """Waits until this many processes have answered: the first one answers before the last one has started."""
        deadline = time.monotonic() + ALL_WORKERS_S
        while self._others and len({*self.processes}) < workers and time.monotonic() < deadline:
            time.sleep(0.01)

    def rest(self) -> None:
        time.sleep(QUIET_S)

    def unnamed(self, text: str) -> str:
        return text.replace(str(self._folder.work), "<folder>")


class AtOnce(Player):
    """Sends the two requests that overlap at the same moment."""

    def overlap(self, index: int) -> None:
        sent = [self.sent(at) for at in (index, index + 1)]
        both = threading.Barrier(2)
        said: dict[int, dict[str, Any]] = {}

        def send(at: int) -> None:
            both.wait()
            try:
                said[at] = self._opened.server("", run=0).say("serve", request=sent[at])
            except Crashed as error:
                self.seen.trouble[index + at] = str(error)

        threads = [threading.Thread(target=send, args=(at,)) for at in (0, 1) if None not in sent]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for at, answer in sorted(said.items()):
            self.took(index + at, answer)


def confirmed(
    app: App,
    deployments: Mapping[str, Deployment],
    findings: Sequence[Finding],
    candidates: Mapping[str, Candidate],
    progress: Callable[[str], None],
) -> list[Finding]:
    """The findings, each with the number of rounds that showed it and the number of all rounds, by deployment. Tries
    those of a finding's deployments that are among `deployments`."""
    root = Path(tempfile.mkdtemp(prefix="statelab-audit-"))
    stores = Stores(app.stores, root)
    app = replace(
        app,
        environment={**app.environment, **stores.environment},
        allowed=(*app.allowed, *stores.allowed),
    )
    folder = Folder(root, app.folder)
    pristine, stored = folder.save(), stores.save()
    importer: Importer | None = None
    plan = {
        "app": app.name,
        "path": folder.import_paths(),
        "folder": str(folder.app),
        "inside": str(folder.work),
        "protected": str(app.folder),
        "allowed": list(app.allowed),
    }
    environment = {**folder.places, **app.environment, VARIABLE: json.dumps(plan)}
    served = Served(name="statelab_served:app", folder=REAL, interpreter=app.python, stores=frozenset())
    engine = LocalEngine(served, environment)

    def round_(candidate: Candidate, name: str) -> Seen:
        folder.put_back(pristine)
        give(folder)
        stores.put_back(stored)
        if importer is not None:
            reset(app, importer, root / "stacks-reset")
        engine.restart(name)
        real = RealServer(
            engine.url(name), app.limit_s, folder, lambda: {**folder.changes(pristine), **stores.contents()}
        )
        with real.others(candidate.world.parts and candidate.world.ends_after is None):
            real.wait_for(deployments[name].workers)
            seen = AtOnce(real, candidate.story, candidate.world, 0, look=False, words=()).play()
        return replace(seen, ignored=candidate.observed.ignored)

    done: list[Finding] = []
    try:
        wanted = dict.fromkeys(name for finding in findings for name in finding.deployments if name in deployments)
        if app.reset is not None:
            importer = Importer(app, folder, root / "log", seed=0)
        engine.up([deployments[name] for name in wanted])
        for finding in findings:
            candidate = candidates[finding.key]
            counts: dict[str, tuple[int, int] | str] = {}
            for name in [name for name in finding.deployments if name in deployments]:
                shown, rounds, began = 0, 0, time.monotonic()
                try:
                    while rounds < LEAST_ROUNDS or not (
                        shown or rounds >= MOST_ROUNDS or time.monotonic() - began > LONGEST_S
                    ):
                        progress(f"on the real {name}: {', '.join(finding.requests)}, round {rounds + 1}")
                        shown += shows(candidate, round_(candidate, name))
                        rounds += 1
                    counts[name] = shown, rounds
                except Unavailable as error:
                    counts[name] = str(error).strip().splitlines()[-1]
            done.append(replace(finding, confirmed=_told(candidate, counts)))
    except KeyboardInterrupt:
        left = findings[len(done) :]
        return done + [replace(finding, confirmed="not tried: stopped before") for finding in left]
    finally:
        engine.down()
        if importer is not None:
            importer.stop()
        stores.close()
        shutil.rmtree(root, ignore_errors=True)
    return done


def give(folder: Folder) -> None:
    """If the lab runs as root, gives the app's files to the user that serves them, because httpd does not serve as
    root."""
    user = unprivileged_user()
    if user is not None:
        owner = pwd.getpwnam(user)
        for path in (folder.root, folder.work, *folder.work.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def shows(candidate: Candidate, seen: Seen) -> bool:
    """Whether the real server showed this finding, and not some other fault."""
    real, found = flat(seen), flat(candidate.observed)
    for pointer in set(candidate.unlike(seen)) & set(candidate.pointers):
        owner = pointer.partition("/")[0]
        alike = owner == FILES or real.get(f"{owner}/status") == found.get(f"{owner}/status")
        if alike and real.get(pointer) == found.get(pointer):
            return True
    return False


def _told(candidate: Candidate, counts: Mapping[str, tuple[int, int] | str]) -> str:
    tried = {name: count for name, count in counts.items() if not isinstance(count, str)}
    parts = [f"{shown} of {rounds} under {name}" for name, (shown, rounds) in tried.items() if shown]
    missed = [f"{name} (0 of {rounds})" for name, (shown, rounds) in tried.items() if not shown]
    if missed:
        parts.append(f"unconfirmed under {', '.join(missed)}")
    parts += [f"not tried under {name} ({why})" for name, why in counts.items() if isinstance(why, str)]
    if missed and candidate.pair:
        parts.append("both requests were only sent at once: the lab has no gate in this app")
    return "; ".join(parts) or "not tried: no deployment that was to be tried has such a world"
