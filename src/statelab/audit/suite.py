"""`--pytest`: the app's own test suite is the judge; no model of noise is needed.

In: the app's folder and arguments of pytest. Each run of the suite has a copy of the folder and one way to serve the
requests that tests send through their client: all in the test's process (alone), all in one other process (the
control), by two processes in turn, by a second process from some request on, or each by a new process. A test that
passes alone and in the control and fails when more processes serve is a finding, and its own assertion is the proof. If
the control fails too, after as many requests or fewer, the test itself shares something with the app outside of its
requests; that is noted, not reported as a finding.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from statelab.audit import confirm
from statelab.audit.explore import Candidate, Explorer
from statelab.audit.finding import Audit, Finding
from statelab.audit.folder import Folder
from statelab.audit.inside.process import SHARED
from statelab.audit.kinds import EACH, PROCESSES, RESTART
from statelab.audit.play import Seen
from statelab.audit.processes import Started
from statelab.audit.ready import Ready
from statelab.audit.run import Asked, concluded, require_loaded
from statelab.audit.site import Sites
from statelab.audit.stores import Stores
from statelab.audit.story import Request
from statelab.audit.tell import FIXES, MOST_CHANGES, changes, line_of, reading
from statelab.core.errors import BadInput
from statelab.plan.deployments import Deployment

ROUNDS = 4
"""The most rounds that learn which requests must stay in the test's process. If they are not enough, all requests for
which Flask keeps a context stay there."""
MOST_TRIES = 12
"""The most requests that are tried as the one that the other process must serve."""
EVERY_S = 0.3
NO_TESTS = 5
"""The exit code of pytest if it collects no tests."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """Ways of serving a suite that show one kind of fault; see `inside.suite.Way` for the names."""

    anomalies: tuple[tuple[str, Callable[[Deployment], bool]], ...]
    words: str
    name: str
    at: int = 1


def _apart(deployment: Deployment) -> bool:
    together = deployment.spread - deployment.in_turn - deployment.between_clients
    return bool(together & PROCESSES) and not deployment.fresh & PROCESSES


DIVERGENT = (("divergent", _apart),)
WAYS = (
    Way(name="alternating", words="two processes", anomalies=DIVERGENT),
    Way(name="split", at=1, words="two processes", anomalies=DIVERGENT),
    Way(name="split", at=-1, words="two processes", anomalies=DIVERGENT),
    Way(
        name="each",
        words="a new process for each, after the one before had ended",
        anomalies=(("never-persists", EACH.where), ("lost-at-restart", RESTART.where)),
    ),
)


@dataclass(kw_only=True)
class Test:
    """The result of a test in one run. `requests` are the requests that it sent, with who served each."""

    name: str
    outcome: str
    requests: list[dict[str, Any]]
    failure: dict[str, Any] | None
    memory: bool

    @property
    def failed(self) -> bool:
        return self.outcome == "failed"

    @property
    def proof(self) -> str:
        failure = self.failure or {}
        return f"{failure.get('file')}:{failure.get('line')}: {failure.get('message')}"


@dataclass(kw_only=True)
class Suite:
    """Runs the suite. `stays` and `counts` hold what was learned about each test."""

    asked: Asked
    arguments: Sequence[str]
    stays: dict[str, list[int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    smallest: dict[tuple[str, int], tuple[list[int], "Test"]] = field(default_factory=dict)
    played: int = 0
    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="statelab-audit-")))
    folder: Folder = field(init=False)
    ready: Ready = field(init=False)

    def __post_init__(self) -> None:
        self.ready = Ready.of(self.asked.app.python)

    def run(
        self,
        way: str,
        *,
        at: int = 1,
        drop: bool = False,
        together: bool = True,
        looks: Sequence[int] = (),
        only: Sequence[str] = (),
    ) -> dict[str, Test]:
        """The results of one run in a new copy of the folder, by test; `only` names the tests to run. Raises BadInput
        if there is no suite."""
        app, place = self.asked.app, Path(tempfile.mkdtemp(dir=self.root))
        self.folder = folder = Folder(place, app.folder)
        stores = Stores(app.stores, place)
        out, log = place / "results", place / "log"
        plan = {
            "way": way,
            "at": at,
            "drop": drop,
            "stays": self.stays if together else {},
            "counts": self.counts,
            "looks": list(looks),
            "only": list(only),
            "roots": [str(folder.app) + os.sep],
            "limit_s": app.limit_s,
            "folder": str(folder.app),
            "inside": str(folder.work),
            "protected": str(app.folder),
            "allowed": [*app.allowed, *stores.allowed],
            "path": folder.import_paths(),
            "out": str(out),
        }
        (place / "plan").write_text(json.dumps(plan))
        try:
            environment = folder.environment({**app.environment, **stores.environment})
            kind = "bare" if folder.has_module_of(SHARED) else "tests"
            process = Started(app.python, folder.app, environment, log, self.ready.process(kind))
            try:
                process.tell("suite", plan=str(place / "plan"), arguments=list(self.arguments))
                self._wait(process, way, out)
            finally:
                process.wait(0)
                process.close()
        finally:
            stores.close()
        self._require_ended(out, log)
        return self._results(out)

    def _wait(self, process: Started, way: str, out: Path) -> None:
        of = f" of {len(self.counts)}" if self.counts else ""
        ended = False
        while not ended:
            done = out.read_text().count("\n") if out.exists() else 0
            self.asked.progress(f"the suite's requests served {way}: {done}{of} tests")
            ended = process.ended(EVERY_S)

    def _require_ended(self, out: Path, log: Path) -> None:
        words = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        errors = [line[1:].strip() for line in words if line.startswith("E  ")]
        last = " | ".join(errors[-1:] + [line.strip("= ") for line in words[-1:]])
        end = Path(f"{out}.end")
        if not end.exists():
            if any("No module named 'pytest'" in line for line in words):
                raise BadInput(
                    f"{self.asked.app.python} has no pytest: install it there, or name another with --python"
                )
            raise BadInput(f"the suite did not end; its last words: {last}")
        ended = json.loads(end.read_text())
        self.notes += [f"the suite was refused a {what}" for what in ended["blocked"]]
        if ended["code"] == NO_TESTS:
            raise BadInput(f"pytest found no test in {self.asked.app.folder}: name a file with --pytest 'FILE'")
        if ended["code"] > 1:
            raise BadInput(f"pytest cannot run the suite ({last}); run it by hand in the app's folder first")

    def _results(self, out: Path) -> dict[str, Test]:
        tests: dict[str, Test] = {}
        for line in out.read_text().splitlines():
            said = json.loads(line.replace(str(self.folder.work), "<folder>"))  # the same in every copy
            test = Test(name=said.pop("test"), **said)
            if test.name not in tests or test.failed:
                tests[test.name] = test
        self.played += len(tests)
        return tests

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ready.release()
        shutil.rmtree(self.root, ignore_errors=True)


def perform(asked: Asked, arguments: Sequence[str]) -> Audit:
    """Everything that the suite shows or, after Ctrl-C, everything that it showed until then; raises BadInput."""
    findings: list[Finding] = []
    alone: dict[str, Test] = {}
    done = False
    with Suite(asked=asked, arguments=arguments) as suite:
        try:
            alone = suite.run("alone")
            suite.counts = {name: len(test.requests) for name, test in alone.items()}
            if any(test.failed for test in alone.values()):
                named = ", ".join(name for name, test in alone.items() if test.failed)
                suite.notes.append(
                    f"not judged, because they fail even when the app is served in the test's own process: {named}"
                )
            judged = {name: test for name, test in alone.items() if test.outcome == "passed" and len(test.requests) > 1}
            odd = [name for name, test in judged.items() if any(request.get("odd") for request in test.requests)]
            if odd:
                suite.notes.append(
                    f"served in the test's process because of what they pass to the app: requests of {', '.join(odd)}"
                )
            if judged:
                _learn_stays(suite, judged)
                findings += _judge(suite, judged)
            else:
                suite.notes.append("no test sends two requests through the test client of Werkzeug or Flask")
            done = bool(judged)
        except KeyboardInterrupt:
            suite.notes.append("stopped before everything was tried")
        if asked.confirm is not None and findings:
            findings = _confirmed(asked, findings)
        suite.notes.append(
            "a suite's requests are served one after the other: none was interrupted, and no threads were tried"
        )
        # a suite shows only what goes wrong between processes: none of its requests is interrupted
        between = {name: deployment.spread - deployment.in_turn for name, deployment in asked.deployments.items()}
        tried = [name for name, boundaries in between.items() if done and boundaries <= PROCESSES]
        return concluded(
            asked,
            findings,
            tried,
            requests=sum(len(test.requests) for test in alone.values()),
            worlds=suite.played,
            lines_held=0,
            notes=suite.notes,
        )


def _confirmed(asked: Asked, findings: Sequence[Finding]) -> list[Finding]:
    """The findings, each with what the real servers show for its requests. Only findings that their requests alone show
    are tried, because a server has nothing that the fixtures made."""
    candidates: dict[str, Candidate] = {}
    try:
        with Sites(asked.app, asked.jobs) as sites:
            require_loaded(asked.app, sites.first)
            explorer = Explorer(sites, asked.progress, ignore=asked.ignore, deployments=asked.deployments.values())
            for finding in findings:
                for candidate in explorer.serial(finding.story):
                    if candidate.anomaly == finding.anomaly and explorer.form(candidate.story[-1]) == finding.form[-1]:
                        candidates.setdefault(finding.key, candidate)
        alone = [finding for finding in findings if finding.key in candidates]
        real = {name: known for name, known in asked.deployments.items() if name in (asked.confirm or ())}
        shown = confirm.confirmed(asked.app, real, alone, candidates, asked.progress)
    except KeyboardInterrupt:
        return [replace(finding, confirmed="not tried: stopped before") for finding in findings]
    told = {finding.key: finding.confirmed for finding in shown}
    needs = f"not tried: its requests alone do not show it in {asked.app.name}; what the fixtures make is missing"
    return [replace(finding, confirmed=told.get(finding.key, needs)) for finding in findings]


def _learn_stays(suite: Suite, judged: Mapping[str, Test]) -> None:
    """Learns which requests the test's process must serve, because the test reads their context afterwards."""
    keeping = [name for name, test in judged.items() if any(request["keeps"] for request in test.requests)]
    for round_ in range(ROUNDS):
        if not keeping:
            return
        ran = suite.run("alone", drop=True, only=keeping)
        keeping = [name for name in keeping if name not in ran or ran[name].failed]
        for name in keeping:
            known = suite.stays.setdefault(name, [])
            last = len(ran[name].requests) - 1 if name in ran else -1
            keeps = [index for index, request in enumerate(judged[name].requests) if request["keeps"]]
            if last in keeps and last not in known and round_ < ROUNDS - 1:
                known.append(last)
            else:
                known[:] = keeps


def _judge(suite: Suite, judged: Mapping[str, Test]) -> Iterator[Finding]:
    control = suite.run("moved", together=False)
    known: set[tuple[str, str]] = set()
    unclear: dict[str, str] = {}
    for way in WAYS:
        ran = suite.run(way.name, at=way.at)
        for name, test in ran.items():
            if name not in judged or not test.failed:
                continue
            also = control.get(name)
            if also is None or (also.failed and len(also.requests) <= len(test.requests)):
                unclear[name] = also.proof if also else "it did not run"
            elif test.memory:
                unclear[name] = "a database in memory (SQLite), which only one process has"
            else:
                key = (way.anomalies[0][0], _form(test.requests[-1]))
                if key not in known and (found := list(_stands(suite, way, test))):
                    known.add(key)
                    yield from found
    for name, why in unclear.items():
        suite.notes.append(f"{name} cannot be judged: it shares something with the app outside of its requests ({why})")


def _stands(suite: Suite, way: Way, failed: Test) -> Iterator[Finding]:
    """The finding, if the test, run by itself, passes when its own process serves it and fails again when served this
    way."""
    name = failed.name
    again = [suite.run("alone", only=[name]).get(name), suite.run(way.name, at=way.at, only=[name]).get(name)]
    if again[0] is None or again[0].failed or again[1] is None or not again[1].failed:
        suite.notes.append(f"{name} failed when served by {way.words}, but not again when it was run by itself")
        return
    last = len(again[1].requests) - 1
    if (name, last) not in suite.smallest:
        suite.smallest[name, last] = _smallest(suite, name, last)
    needed, looked = suite.smallest[name, last]
    shown = looked if looked.failed and way.anomalies == DIVERGENT else again[1]
    seen = Seen(answers=[], places=looked.requests[needed[0]].get("places", []))
    changed = tuple(changes(seen))[:MOST_CHANGES]
    steps = looked.requests[last].get("steps", []) if last < len(looked.requests) else []
    failure = shown.failure or {}
    proof = {"file": str(suite.folder.app / failure["file"]), "line": failure["line"], "function": name}
    source = (*reading(suite.folder, steps, changed), line_of(suite.folder, proof))
    for anomaly, where in way.anomalies:
        yield Finding(
            anomaly=anomaly,
            requests=tuple(_named(shown.requests[index]) for index in needed),
            form=tuple(_form(shown.requests[index]) for index in needed),
            story=tuple(_story(shown.requests[index]) for index in needed),
            world=f"the test {name}, its requests served by {way.words}",
            places=changed,
            source=source,
            deployments=tuple(name for name, deployment in suite.asked.deployments.items() if where(deployment)),
            rests_on="test",
            expected="the test passes, as it does when one process serves all of its requests",
            observed=shown.proof,
            schedule=(
                *(f"{request['at']}  {_named(request)}: {request['status']}" for request in shown.requests),
                f"the test  {shown.proof}",
            ),
            fix=FIXES[anomaly],
        )


def _smallest(suite: Suite, name: str, last: int) -> tuple[list[int], Test]:
    """The requests that are needed: the last one, and the one that another process must serve for the test to fail
    there (all requests, if it takes more than one). Also returns the run that recorded their places and lines."""
    for index in list(reversed(range(last)))[:MOST_TRIES]:
        tried = suite.run("only", at=index, only=[name]).get(name)
        if tried is not None and tried.failed and len(tried.requests) == last + 1:
            return [index, last], suite.run("only", at=index, looks=[index, last], only=[name]).get(name, tried)
    looked = suite.run("alternating", looks=range(last + 1), only=[name])
    return list(range(last + 1)), looked[name]


def _named(request: Mapping[str, Any]) -> str:
    return f"{request['method']} {request['target']}"


def _form(request: Mapping[str, Any]) -> str:
    return f"{request['method']} {request['rule']}"


def _story(request: Mapping[str, Any]) -> Request:
    headers = tuple((name, value) for name, value in request["headers"] if name.lower() != "cookie")  # of one run
    return Request(method=request["method"], target=request["target"], headers=headers, body=request["body"])
