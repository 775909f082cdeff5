"""The user's promises for an app that is not the lab's own: `[promise.<name>]` of statelab.toml.

In: the app's folder. Out: which request each operation is (`Ask`), and a catalogue in which every promise is a
mechanism that claims nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec

from statelab.core.ask import PLACEHOLDER, Ask, Meaning, path_of
from statelab.core.errors import BadInput, listed, require_known
from statelab.core.paths import SERVICES
from statelab.plan import own_file
from statelab.plan.app import App
from statelab.plan.catalogue import NOTHING, Catalogue, Mechanism, Workload
from statelab.plan.profiles import Profile

WINDOW = "none"
"""The window of such an app: the lab puts nothing between its reads and its writes."""

LONGEST_S = 3.0
"""The longest load of a cell, in seconds."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_NEED_RESULT: tuple[Meaning, ...] = ("number", "text", "sent", "user", "user-number", "ledger")
_MAY_HAVE_RESULT: tuple[Meaning, ...] = (*_NEED_RESULT, "sold", "lock", "own-user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What the promise needs for one operation: the meaning of its answer, the placeholders that its request must have
    and may have, and the key (`no`) for an answer that refuses. Every request may have `{id}`, an id of its own.
    `bare`: the answer need not have a result."""

    means: Meaning
    must: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset({"key"})
    no: str = ""
    no_required: bool = False
    reads: bool = False
    optional: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A workload for an app that is not the lab's own: the promise in words, and its operations."""

    promise: str
    operations: Mapping[str, Operation]


KINDS = {
    "counter": Kind(
        promise="every acknowledged increment counts once, and no two are told the same number",
        operations={
            "increment": Operation(means="number", bare=True),
            "read": Operation(means="number", reads=True),
        },
    ),
    "unique-id": Kind(
        promise="no two requests are given the same id",
        operations={"new-id": Operation(means="text")},
    ),
    "request-scope": Kind(
        promise="what a request stores about itself it reads back, and it finds nothing that another request stored",
        operations={
            "echo": Operation(means="sent", must=frozenset({"value"})),
            "find": Operation(means="sent", may=frozenset({"key", "value"}), reads=True, optional=True),
        },
    ),
    "lock": Kind(
        promise="no two clients hold the lock at the same time",
        operations={
            "acquire": Operation(means="lock", no="busy"),
            "release": Operation(means="done", may=frozenset({"key", "token"})),
        },
    ),
    "inventory": Kind(
        promise="never more is sold than there was, and nobody is refused while there is stock",
        operations={
            "stock": Operation(means="done", must=frozenset({"key", "value"})),
            "buy": Operation(means="sold", must=frozenset({"key"}), no="sold_out", no_required=True),
            "read": Operation(means="number", reads=True, optional=True),
        },
    ),
    "session": Kind(
        promise="a browser sees its own counter and nobody else's, its own concurrent requests all count, and a "
        "finished logout stays finished",
        operations={
            "login": Operation(means="own-user", must=frozenset({"user"})),
            "whoami": Operation(means="user", no="nobody", reads=True),
            "count": Operation(means="user-number", may=frozenset({"key", "user"}), no="nobody"),
            "read": Operation(means="user-number", no="nobody", reads=True, optional=True),
            "logout": Operation(means="own-user", may=frozenset({"key", "user"}), no="nobody"),
        },
    ),
    "once": Kind(
        promise="a request that is sent again takes effect once, and does take effect",
        operations={
            "execute": Operation(means="done", must=frozenset({"id"}), may=frozenset({"key", "body"})),
            "read": Operation(means="ledger", reads=True),
        },
    ),
}


class _Written(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One operation as written in the file."""

    request: Annotated[str, msgspec.Meta(pattern=r"^(GET|POST|PUT|PATCH|DELETE) /\S*$")]
    headers: dict[str, str] = {}
    form: dict[str, str] = {}
    json: Any = None
    result: str | None = None
    user: str | None = None
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise: its workload, and the request for each of its operations. `where` is its file and key."""

    where: str
    name: str
    workload: str
    asks: Mapping[str, Ask]


def load(folder: Path) -> dict[str, Promise]:
    """The promises of the app in that folder, by name; empty if there are none. Raises BadInput with file and key for
    the first error."""
    found = own_file.table(folder, "promise")
    if found is None:
        return {}
    path, table = found
    promises = {}
    for name, written in table.items():
        where = f"{path}: promise.{name}"
        if not _NAME.fullmatch(name):
            raise BadInput(f"{where}: a name has small letters, digits and dashes, at most 40")
        if not isinstance(written, dict):
            raise BadInput(f"{where}: expected a table, [promise.{name}]")
        promises[name] = _promise(where, name, dict(written))
    return promises


def _promise(where: str, name: str, written: dict[str, Any]) -> Promise:
    workload = written.pop("workload", None)
    if not isinstance(workload, str) or workload not in KINDS:
        found = "is missing" if workload is None else f"is {workload!r}"
        raise BadInput(f"{where}.workload {found}; valid are {', '.join(KINDS)}")
    operations = KINDS[workload].operations
    try:
        require_known("operation", list(written), list(operations))
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None
    missing = [op for op, needs in operations.items() if not needs.optional and op not in written]
    if missing:
        example = f'{missing[0]} = {{ request = "{"GET" if operations[missing[0]].reads else "POST"} /..." }}'
        raise BadInput(f"{where}: the promise {workload} needs {listed(missing, 'and')} as well, such as {example}")
    asks = {op: _ask(f"{where}.{op}", operations[op], table) for op, table in written.items()}
    return Promise(where=where, name=name, workload=workload, asks=asks)


def _ask(where: str, needs: Operation, table: Any) -> Ask:
    """Raises BadInput with the key."""
    if not isinstance(table, dict):
        raise BadInput(f'{where}: expected {{ request = "POST /..." }}')
    rest = dict(table)
    no = rest.pop(needs.no, None) if needs.no else None
    try:
        written = msgspec.convert(rest, _Written)
    except msgspec.ValidationError as error:
        what, key = own_file.misfit(error)
        if "matching regex" in what:
            what = "expected a method and a path, such as POST /hit"
        raise BadInput(f"{where}{key}: {what}") from None
    if written.result is None and needs.means in _NEED_RESULT and not needs.bare:
        raise BadInput(f'{where}.result is missing: where in the answer its result stands, such as "$.hits"')
    for key, allowed in (("result", needs.means in _MAY_HAVE_RESULT), ("user", needs.means == "user-number")):
        given = getattr(written, key)
        if given is not None and not allowed:
            raise BadInput(f"{where}.{key}: nothing is read from the answer of this operation; leave it out")
        try:
            path = given and path_of(given)
        except ValueError as error:
            raise BadInput(f"{where}.{key}: {given!r} is not a JSONPath: {error}") from None
        if path and needs.means != "ledger" and not path.singular_query():
            raise BadInput(f"{where}.{key}: {given!r} may find several values; one is needed, such as $.a.b[0]")
    if written.form and written.json is not None:
        raise BadInput(f"{where}: a body is form or json; leave one out")
    if needs.no_required and no is None:
        raise BadInput(f"{where}.{needs.no} is missing: the answer that refuses, such as 409, or a value of the result")
    if no is not None and not isinstance(no, str | bool) and (not isinstance(no, int) or not 200 <= no <= 599):
        raise BadInput(f"{where}.{needs.no} is {no!r}; it must be an HTTP status such as 409, or a value of the result")
    if isinstance(no, str | bool) and written.result is None:
        raise BadInput(f"{where}.{needs.no} is {no!r}, but without a result it must be an HTTP status, such as 409")
    method, _, target = written.request.partition(" ")
    texts = [target, *written.headers.values(), *_texts(written.form), *_texts(written.json)]
    used = {name for text in texts for name in PLACEHOLDER.findall(text)}
    for name in sorted(used - needs.must - needs.may - {"id"}):
        valid = ", ".join(f"{{{known}}}" for known in sorted(needs.must | needs.may | {"id"}))
        raise BadInput(f"{where}: no placeholder {{{name}}}; valid are {valid}")
    for name in sorted(needs.must - used):
        raise BadInput(f"{where}: the placeholder {{{name}}} is missing in path, headers and body: the load sets it")
    return Ask(
        method=method,
        path=target,
        means="done" if needs.bare and written.result is None else needs.means,
        headers=written.headers,
        form=written.form,
        json=written.json,
        result=written.result,
        user=written.user,
        no=no,
        status=written.status,
        reads=needs.reads,
    )


def _texts(body: Any) -> Iterator[str]:
    match body:
        case str():
            yield body
        case dict():
            for value in body.values():
                yield from _texts(value)
        case list():
            for value in body:
                yield from _texts(value)


def catalogue(promises: Mapping[str, Promise]) -> Catalogue:
    """The promises by workload, in the order of the workloads."""
    workloads = {}
    for name, kind in KINDS.items():
        mechanisms = {}
        for promise in promises.values():
            if promise.workload == name:
                summary = ", ".join(f"{op}: {ask.method} {ask.path}" for op, ask in promise.asks.items())
                mechanisms[promise.name] = Mechanism(summary=summary, claims=NOTHING, claimed=False)
        if mechanisms:
            operations = {op: "GET" if needs.reads else "POST" for op, needs in kind.operations.items()}
            workloads[name] = Workload(promise=kind.promise, operations=operations, mechanisms=mechanisms)
    return Catalogue(windows=[WINDOW], workloads=workloads)


def of_profile(profile: Profile) -> Profile:
    """The profile for such an app: all of its promises, in its only window. The app may be slow, so every process has
    more time to answer."""
    about = "every promise of the app, with nothing put between its reads and its writes"
    everything = replace(profile, description=about, mechanisms=None, deployments=None, survival=False)
    longer = max(profile.max_seconds, LONGEST_S)
    return replace(everything, windows=(WINDOW,), in_process_windows=(), max_seconds=longer)


def identified(app: App) -> tuple[App, dict[str, str]]:
    """The app in a wrapper that names the server in each answer (`services/identified`), and the environment variables
    that the wrapper needs."""
    environment = {"STATELAB_IDENTIFIED": str(app.name), "STATELAB_IDENTIFIED_DIR": str(app.folder)}
    return replace(app, name="statelab_identified:app()", folder=SERVICES / "identified"), environment
