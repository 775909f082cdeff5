"""An app's description of itself at `GET /catalogue`: its workloads, operations, mechanisms and claims."""

import os
import subprocess
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from statelab.core.access import DIRECT, Access
from statelab.core.calls import WITH_THE_LAB
from statelab.core.errors import BadInput, Unavailable, require_known
from statelab.core.paths import SERVICES
from statelab.plan.app import MECHANISM_FILES, WORKLOADS, App


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """Which requests share the state. Each claim is explained in services/webapp/claims.py."""

    shared_across: frozenset[str]
    inherited: frozenset[str] = frozenset()
    unpatched: frozenset[str] = frozenset()
    copies: str = "alike"
    of_importing_thread: bool = False
    in_context: bool = False
    keyed: bool = False
    carried: bool = False


@dataclass(frozen=True, kw_only=True)
class Excluding:
    """Which requests an update excludes, and how."""

    atomic_across: frozenset[str]
    lease_ms: int | None = None
    single_flight: frozenset[str] = frozenset()
    blocks_hub: bool = False
    blocks_unpatched: bool = False


@dataclass(frozen=True, kw_only=True)
class Switching:
    """Where another request can come in between."""

    switches_inside: frozenset[str] = frozenset()
    answers_later: bool = False
    written_whole: bool = False
    name_reused: bool = False


@dataclass(frozen=True, kw_only=True)
class Failing:
    """Which requests fail because they share the state."""

    fails_across: frozenset[str] = frozenset()
    fails_beside: frozenset[str] = frozenset()
    fails_in_turn: frozenset[str] = frozenset()
    notices: frozenset[str] = frozenset()
    untimed: bool = False
    timed: bool = False


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """When the state begins and when it ends."""

    survives: str | None
    left_to: str | None = None
    not_after_fork: bool = False
    thread: str | None = None
    resumed: bool = False


@dataclass(frozen=True, kw_only=True)
class Replacing:
    """Where the state is kept and what for; used to choose the nearest fix."""

    store: str | None = None
    server: str | None = None
    medium: str | None = None
    part: str | None = None


@dataclass(frozen=True, kw_only=True)
class Claims(Sharing, Excluding, Switching, Failing, Lifetime, Replacing):
    """What a mechanism claims; the sets hold boundaries (requests, greenlets, threads, processes, hosts). A claim that
    an app leaves out has its default; an unknown claim is ignored."""

    def offered_by(self, server: str) -> bool:
        """Whether a kind of server offers the mechanism."""
        return self.server in (None, server)


NOTHING = Claims(shared_across=frozenset(), atomic_across=frozenset(), survives=None)
"""The claims of a mechanism that claims nothing."""


class Mechanism(msgspec.Struct, frozen=True, kw_only=True):
    """`summary` is one line, `description` the sentences that follow it; `source` is the mechanism's code without
    docstrings, imports and claims (None: the app does not show it). If it is not `claimed`, its claims mean nothing and
    nothing can be predicted. `file` is its file if that is outside of the lab."""

    summary: str
    claims: Claims
    claimed: bool = True
    unavailable: str | None = None
    description: str = ""
    source: str | None = None
    file: str | None = None


FAULTS = ("never-persists", "divergent", "lost-update", "misreported", "stalled")
"""The faults that the rule may find in a workload that does not say how its clients see a fault."""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """`operations` maps each operation to its HTTP method. `windows` are the windows in which its mechanisms differ
    (empty: all). `shows` maps each fault that the theory's rule may find to the anomaly that a client then sees."""

    promise: str
    operations: dict[str, str]
    mechanisms: dict[str, Mechanism]
    arguments: dict[str, list[str]] = {}
    windows: list[str] = []
    shows: dict[str, str] = msgspec.field(default_factory=lambda: {fault: fault for fault in FAULTS})


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """`python` is the version of the interpreter that answers (empty: the app does not say)."""

    python: str = ""
    windows: list[str]
    workloads: dict[str, Workload]


def decode(body: bytes | str) -> Catalogue:
    """Reads a catalogue. Raises msgspec.ValidationError if it does not have this form."""
    return msgspec.json.decode(body, type=Catalogue)


def fetch(url: str, timeout_s: float = 10.0, access: Access = DIRECT) -> Catalogue:
    """The catalogue of a running deployment; raises Unavailable if it does not answer with one."""
    code, headers, body = access.read(f"{url}/catalogue", timeout_s)
    if code != 200:
        raise Unavailable(f"{url}/catalogue answers HTTP {code}")
    try:
        return decode(body)
    except msgspec.MsgspecError as error:
        kind = headers.get_content_type()
        said = f"{kind}, no JSON" if kind != "application/json" else f"another form of catalogue: {error}"
        raise Unavailable(f"{url}/catalogue answers with {said}") from None


def served_over_http(addresses: Mapping[str, str]) -> dict[str, str]:
    """The addresses of the deployments, without those of the stores."""
    return {name: address for name, address in addresses.items() if address.startswith("http")}


def any_offers(addresses: Iterable[str]) -> bool:
    """Whether a deployment at one of these addresses answers with a catalogue; without one the lab cannot make load."""
    for url in (address for address in addresses if address.startswith("http")):
        try:
            fetch(url)
        except Unavailable:
            continue
        return True
    return False


NOT_OFFERED = (
    "it has no GET /catalogue, the page that names workloads and mechanisms as services/webapp/catalogue.py does, and "
    "no promises in a statelab.toml: name some (docs/own-app.md), or let `statelab audit {0}` find what any app keeps "
    "in the wrong place, or serve it with `statelab up --app {0}`"
)


class _Answer(msgspec.Struct):
    """The output of services/catalogue_of.py."""

    status: str = ""
    body: str = ""
    failed: str | None = None
    refused: str | None = None


def of_app(app: App, workloads: Collection[str] = ()) -> Catalogue:
    """The catalogue of an app that is not served yet, read in a separate process. Raises BadInput with what is missing
    and what to do, and Unavailable if packages of the lab's own app are missing. With `workloads` it has only these,
    which the lab's own app loads faster, or all, if one of these does not exist."""
    found = _of_app(app, workloads)
    return found if found.workloads.keys() >= set(workloads) else _of_app(app, ())


def _of_app(app: App, workloads: Collection[str]) -> Catalogue:
    command = [app.interpreter, str(SERVICES / "catalogue_of.py"), str(app.folder), *([app.name] if app.name else [])]
    try:
        environment = {**os.environ, MECHANISM_FILES: app.mechanism_files(), WORKLOADS: ",".join(workloads)}
        done = subprocess.run(command, cwd=app.folder, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BadInput(f"--python {app.interpreter}: {error.strerror}") from None
    try:
        answer = msgspec.json.decode(done.stdout, type=_Answer)
    except msgspec.MsgspecError:
        words = (done.stderr or f"it ended with {done.returncode}").strip().splitlines()[-1]
        raise BadInput(f"the app {app} in {app.folder} ended when it was loaded: {words}") from None
    if answer.refused:
        raise BadInput(answer.refused)
    if answer.failed and app.is_the_labs and answer.failed.startswith("ModuleNotFoundError"):
        how = "install requirements/app.txt there" if app.python else WITH_THE_LAB
        raise Unavailable(f"the lab's own app lacks a package for {app.interpreter} ({answer.failed}): {how}")
    if answer.failed:
        raise BadInput(f"the app {app} cannot be loaded from {app.folder} (--app-dir): {answer.failed}")
    if not answer.status.startswith("200"):
        raise BadInput(f"the app {app} cannot be measured: {NOT_OFFERED.format(app)}")
    try:
        return decode(answer.body)
    except msgspec.MsgspecError as error:
        raise BadInput(
            f"GET /catalogue of the app {app} is not of the form of services/webapp/catalogue.py: {error}"
        ) from None


def require_workloads(wanted: list[str], catalogue: Catalogue) -> None:
    """Raises BadInput if the app lacks a workload; the message names those that it has, and the files for a new one."""
    try:
        require_known("workload", wanted, list(catalogue.workloads))
    except BadInput as error:
        missing = next(name for name in wanted if name not in catalogue.workloads).replace("-", "_")
        where = f"services/webapp/{missing}/__init__.py, and its line in services/webapp/catalogue.py"
        raise BadInput(f"{error}; a new one of the lab's own app needs {where}") from None


REACHES = ("request", "thread", "process", "host", "cluster")
"""What `group` may answer, nearest first."""

GROUPS = (
    ("cluster", "hosts"),
    ("host", "processes"),
    ("process", "threads"),
)


def group(claims: Sharing) -> str:
    """How far the state reaches, as one word: cluster, host, process, thread or request.

    State that crosses processes only by inheritance counts as `host`.
    """
    reach = claims.shared_across | claims.inherited
    for name, boundary in GROUPS:
        if boundary in reach:
            return name
    return "thread" if "requests" in reach else "request"
