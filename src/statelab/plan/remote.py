"""A deployment that runs already, as the user describes it: `[remote]` of statelab.toml.

In: the folder of that file, and the address that the user repeats on the command line. Out: the app's address and how
to reach it, the deployment for the rule and the judges, and the profile within the limits.
"""

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, urlsplit

import msgspec
from msgspec import structs

from statelab.core.access import SHORTEST, Access
from statelab.core.endings import server_in
from statelab.core.errors import BadInput, Unavailable
from statelab.core.paths import DEPLOYMENTS
from statelab.plan import own_file
from statelab.plan.catalogue import Catalogue, fetch
from statelab.plan.deployments import Deployment, load_all, served
from statelab.plan.profiles import Profile
from statelab.plan.promises import LONGEST_S, Promise

NAME = "remote"
OPTION = "--i-may-load"
EXAMPLE = """
[remote]
name = "staging"
url = "https://staging.example/shop"
server = { SERVER = "gunicorn", WORKER_CLASS = "gthread", WORKERS = 2, THREADS = 4 }
limits = { users = 4, rate = 50, seconds = 60 }
"""
SECRETS = re.compile(r"token|secret|passw|api.?key|credential|auth|signature|session|cookie|jwt", re.IGNORECASE)

ANSWER_S = 5.0
OTHERS_S = 30.0
"""Seconds to wait, after the first answer, for replicas that have not answered. A balancer may never lead to them; then
the cells say how many answered."""
OF_A_PROXY = (502, 503, 504)
"""HTTP statuses by which a proxy in front of an app says that the app does not answer."""

Positive = Annotated[int, msgspec.Meta(ge=1)]
Words = Annotated[list[str], msgspec.Meta(min_length=1)]
Written = Annotated[str, msgspec.Meta(min_length=1)]


class Limits(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The limits of the load on the target: clients at once, requests a second, seconds of load in a run."""

    users: Positive
    rate: Positive
    seconds: Annotated[float, msgspec.Meta(gt=0)]


class Token(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A header, and the environment variable that holds its value."""

    header: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]+$")]
    variable: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Reset(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """How to make the app forget everything: by a request to it, or by a command that is run here without a shell.
    `seconds`: the time within which it must answer again."""

    request: Annotated[str, msgspec.Meta(pattern=r"^(GET|POST|PUT|PATCH|DELETE) /\S*$")] | None = None
    command: Words | None = None
    seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0


class _Written(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The table as written in the file."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    url: Written
    server: str | dict[str, str | int | bool]
    limits: Limits
    replicas: Positive = 1
    sticky: bool = False
    processes: Positive | None = None
    token: Token | None = None
    ca: Written | None = None
    reset: Reset | None = None
    health: Annotated[str, msgspec.Meta(pattern=r"^/\S*$")] = "/healthz"
    wait: Annotated[float, msgspec.Meta(ge=0)] = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """The target. `url` has no slash at its end; `where` is the file. `health` is a page of the app, and `wait` the
    seconds that may pass until its first answer."""

    where: Path
    url: str
    access: Access
    deployment: Deployment
    limits: Limits
    reset: Reset | None
    health: str
    wait: float

    def within_limits(self, profile: Profile) -> tuple[Profile, list[str]]:
        """The profile with its only deployment, within the limits of the file, and in words what that changed. A cell
        may last long enough for its operations at that rate and over a network."""
        limits = self.limits
        long = max(profile.max_seconds, LONGEST_S, 1 + 2 * profile.min_operations / limits.rate)
        lowered = replace(
            profile,
            deployments=None,
            columns=(),
            folder="",
            survival=False,
            users=min(profile.users, limits.users),
            max_seconds=min(long, limits.seconds),
            rate=limits.rate,
            load_s=limits.seconds,
        )
        notes = [
            f"the load was held to {limits.rate} requests a second and {limits.seconds:g} s in all, as "
            f"{self.where.name} says (remote.limits)"
        ]
        if self.reset is None:
            notes.append(
                "nothing resets the app (remote.reset): every cell has names of its own, but what else the app kept of "
                "earlier cells and runs was there in later ones"
            )
        if lowered.users < profile.users:
            notes.append(
                f"the profile asks for {profile.users} clients at once, and {self.where.name} allows {limits.users} "
                "(remote.limits.users), so there were no more"
            )
        return lowered, notes

    def answers(self, seconds: float) -> None:
        """Waits until the app answers, even with "no such page"; raises Unavailable. If the app says which host
        answered, also waits for the other replicas, at most OTHERS_S seconds, because the instrument may be up before
        they are."""
        address, deadline = f"{self.url}{self.health}", time.monotonic() + seconds
        hosts: set[str] = set()
        while True:
            try:
                code, headers, _ = self.access.read(address, ANSWER_S)
                if code not in OF_A_PROXY:
                    server = server_in(headers.get("X-Served-By"))
                    if not hosts:
                        deadline = min(deadline, time.monotonic() + OTHERS_S)
                    hosts |= {server.host} if server else set()
                    if server is None or len(hosts) >= self.deployment.hosts or time.monotonic() > deadline:
                        return
                why = f"{address} answers HTTP {code}"
            except Unavailable as error:
                why = str(error)
            if time.monotonic() > deadline or "CERTIFICATE_VERIFY_FAILED" in why:
                raise Unavailable(f"{self.deployment.name} does not answer: {why}")
            time.sleep(0.2)

    def catalogue(self) -> Catalogue:
        """The catalogue of the lab's own app there; raises Unavailable if nothing answers, and BadInput if something
        else does."""
        self.answers(self.wait)
        try:
            return fetch(self.url, access=self.access)
        except Unavailable as error:
            raise BadInput(
                f"{error}; the lab's own app answers there with its catalogue, and for another app {self.where.name} "
                "names promises (docs/own-app.md)"
            ) from None

    def require_no_secrets(self, promises: Iterable[Promise]) -> None:
        """Raises BadInput if a promise's request contains what looks like a secret, because requests are in every
        report."""
        for promise in promises:
            for op, ask in promise.asks.items():
                parameters = parse_qsl(urlsplit(ask.path).query, keep_blank_values=True)
                for name, value in [*parameters, *ask.headers.items()]:
                    if SECRETS.search(name) and not re.fullmatch(r"(\{\w+\})?", value):
                        raise BadInput(
                            f"{promise.where}.{op}: {name} looks like a secret, and requests are in every report: let "
                            f"{NAME}.token name the environment variable that has it"
                        )


def load(folder: Path, allowed: str | None) -> Remote:
    """The target in that folder's file. Raises BadInput with the key for the first error, and if `allowed`, the address
    that the user permits to load, is not exactly its address. No message repeats an address that may contain a
    secret."""
    found = own_file.table(folder, NAME)
    if found is None:
        raise BadInput(
            f"the engine remote loads what {folder / own_file.NAME} names, and nothing else; write\n{EXAMPLE}"
        )
    path, table = found
    try:
        written = msgspec.convert(table, _Written)
    except msgspec.ValidationError as error:
        what, key = own_file.misfit(error)
        raise BadInput(f"{path}: {NAME}{key}: {what}") from None
    url = _url(path, written.url)
    _require_allowed(written, allowed)
    access, deployment = _access(path, written, urlsplit(url)), _deployment(path, written, url)
    if written.reset and (written.reset.request is None) == (written.reset.command is None):
        raise BadInput(f'{path}: {NAME}.reset: name one of request = "POST /reset" and command = ["kubectl", ...]')
    return Remote(
        where=path,
        url=url,
        access=access,
        deployment=deployment,
        limits=written.limits,
        reset=written.reset,
        health=written.health,
        wait=written.wait,
    )


def _url(path: Path, text: str) -> str:
    where = f"{path}: {NAME}.url"
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  (raises for a port that is not a number)
    except ValueError as error:
        raise BadInput(f"{where}: it is no address: {error}") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise BadInput(
            f"{where}: it has a user, a password, a query or a fragment; an address is in every report, so a secret "
            'goes into a header: token = { header = "Authorization", variable = "STAGING_TOKEN" }'
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", text):
        raise BadInput(f"{where} must be http:// or https://, a host, and where the app is, as https://host/shop")
    return text.rstrip("/")


def _require_allowed(written: _Written, allowed: str | None) -> None:
    if allowed == written.url:
        return
    limits = written.limits
    says = f"say that you may: {OPTION} {written.url}"
    if allowed is None:
        raise BadInput(
            f"this sends {limits.rate} requests a second to {written.url}, for up to {limits.seconds:g} s, and they "
            f"change its state; {says}"
        )
    raise BadInput(f"{OPTION} is not exactly the address in the file, {written.url}: nothing was sent; {says}")


def _access(path: Path, written: _Written, url: SplitResult) -> Access:
    ca = ""
    if written.ca is not None:
        if url.scheme != "https":
            raise BadInput(f"{path}: {NAME}.ca: the address is not https://, so no certificate is looked at")
        file = path.parent / written.ca
        if not file.is_file():
            raise BadInput(f"{path}: {NAME}.ca: there is no file {file}")
        ca = str(file.resolve())
    token = written.token
    access = Access(header=token.header, variable=token.variable, ca=ca) if token else Access(ca=ca)
    if token and not re.fullmatch(r"[\x21-\x7e]+( [\x21-\x7e]+)*", os.environ.get(token.variable, "")):
        state = "has what no header can have" if os.environ.get(token.variable) else "is not set"
        raise BadInput(f"{path}: {NAME}.token.variable: {token.variable} {state} in the environment")
    if token and max(map(len, os.environ[token.variable].split())) < SHORTEST:
        raise BadInput(
            f"{path}: {NAME}.token.variable: the words of {token.variable} are shorter than {SHORTEST} characters, and "
            "could not be told from other texts, and hidden, where an answer repeats them"
        )
    try:
        access.context()
    except OSError as error:
        raise BadInput(f"{path}: {NAME}.ca: {ca}: {error.strerror or error}") from None
    return access


def _deployment(path: Path, written: _Written, url: str) -> Deployment:
    where = f"{path}: {NAME}.server"
    if isinstance(written.server, str):
        known = load_all(DEPLOYMENTS, [written.server])
        if written.server not in known:
            raise BadInput(f"{where}: no deployment {written.server!r}; valid are {', '.join(known)}, or settings")
        model = known[written.server]
        if model.hosts > 1:
            raise BadInput(f"{where}: name the server of one host, and replicas and sticky beside it")
        settings, about = model.environment, model.description
    else:
        settings = {
            name: str(int(value) if isinstance(value, bool) else value) for name, value in written.server.items()
        }
        about = ", ".join(f"{name.lower()} {value}" for name, value in settings.items())
    if {"REPLICAS", "BALANCE"} & settings.keys():
        raise BadInput(f"{where}: replicas and sticky stand beside it: replicas = 2, sticky = true")
    if written.sticky and written.replicas == 1:
        raise BadInput(f"{path}: {NAME}.sticky: one replica has no balancer that could be sticky")
    balanced = f"{written.replicas} replicas, {'sticky' if written.sticky else 'in turn'}, each " * (
        written.replicas > 1
    )
    (one,) = served((where, written.name, f"{url}: {balanced}{about}", settings))
    return structs.replace(one, hosts=written.replicas, sticky=written.sticky, expects=written.processes)
