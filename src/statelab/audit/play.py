"""Playing a story in a world: which process and thread serves each request, and where one is interrupted."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol

from statelab.audit.processes import Crashed, Hung
from statelab.audit.site import Site
from statelab.audit.story import Request, Story, Unresolved

QUIET_S = 3.0
"""How long a world waits for work that requests left to threads."""
GRACE_S = 3.0
"""How long a worker that is replaced may take to end; gunicorn gives it 30 s and then kills it."""

NO_STEP = 10**9
"""A step that no request reaches: with it in `holds`, a request is never held, but its steps are counted."""


@dataclass(frozen=True, slots=True)
class At:
    """The process and thread that serve a request: a process of the site by name (`a1`), and its thread (`main`, `new`,
    or a name)."""

    process: str
    thread: str = "main"


@dataclass(frozen=True, kw_only=True)
class World:
    """A way to serve a story.

    `kind` names it in findings. `at` says who serves each request. `ends_after`: after this many requests the process
    that served is ended like a worker that is replaced. `pair`: the request with this index and the next one may
    overlap. With `holds` they are served in turns: the first until the first of these steps, the second until the
    second one (or to its end if there is none), the first again until the third, and so on. `beside`: importers that
    exist but serve nothing. `forked`: the processes are forks even if the import left something that a fork does not
    copy. `patched`: gevent patched the process before the import, and threads are greenlets.
    """

    kind: str
    at: tuple[At, ...]
    ends_after: int | None = None
    pair: int | None = None
    holds: tuple[int, ...] = ()
    beside: str = ""
    forked: bool = False
    patched: bool = False

    @property
    def importers(self) -> frozenset[str]:
        return frozenset(at.process[0] for at in self.at) | frozenset(self.beside) or frozenset("a")

    @property
    def parts(self) -> bool:
        """Whether several processes serve the story, one request after the other."""
        return self.pair is None and len({at.process for at in self.at}) > 1

    @property
    def parts_at(self) -> int | None:
        """The index of the first request that another process or thread serves; None if the server changes never or
        more than once."""
        changes = [index for index in range(1, len(self.at)) if self.at[index] != self.at[index - 1]]
        if self.ends_after is not None:
            return self.ends_after
        return changes[0] if len(changes) == 1 else None

    @property
    def processes(self) -> tuple[str, ...]:
        """The names of all processes that exist from the beginning."""
        used = dict.fromkeys([at.process for at in self.at] + [f"{name}1" for name in self.beside])
        return tuple(used)


@dataclass(frozen=True, slots=True)
class Turn:
    """One of two requests that overlap (0 or 1) is served until it is `held` before a step, `blocked` at one (it waits
    for a lock, or too long), or `answered`."""

    request: int
    how: str
    step: dict[str, Any] = field(default_factory=dict)
    taken: int = 0
    """The steps that it has taken by then, if they are counted."""


@dataclass(kw_only=True)
class Seen:
    """What a world showed. `answers` are by index of the story; None if there was no answer, with the reason in
    `trouble`.

    `ignored` are patterns of pointers that are not compared. `sent` are the requests with the values of earlier answers
    filled in. `turns` are the turns of two overlapping requests, in order. `steps` is what a traced request did
    (`steps_of`: each of the two). `places` is what was in memory before the first request and after each.
    """

    answers: list[dict[str, Any] | None]
    files: dict[str, list[str]] = field(default_factory=dict)
    sent: dict[int, str] = field(default_factory=dict)
    turns: list["Turn"] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    steps_of: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    places: list[dict[str, Any]] = field(default_factory=list)
    trouble: dict[int, str] = field(default_factory=dict)
    busy: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    ignored: tuple[str, ...] = ()

    @property
    def held(self) -> list[dict[str, Any]]:
        """The steps at which a request was interrupted."""
        return [turn.step for turn in self.turns if turn.how == "held"]


class Jars:
    """Each client's cookies. A client whose name is another's with a `'` at its end begins with a copy of them."""

    def __init__(self) -> None:
        self._jars: dict[str, dict[str, str]] = {}

    def of(self, client: str) -> dict[str, str]:
        if client not in self._jars:
            self._jars[client] = dict(self._jars.get(client.removesuffix("'"), {})) if client.endswith("'") else {}
        return self._jars[client]

    def keep(self, client: str, answer: dict[str, Any]) -> None:
        jar = self.of(client)
        for name, value in answer["headers"]:
            if name.lower() != "set-cookie":
                continue
            try:
                cookies = SimpleCookie(value)
            except CookieError:
                continue
            for key, morsel in cookies.items():
                if morsel["max-age"] == "0" or "1970" in morsel["expires"]:
                    jar.pop(key, None)
                else:
                    jar[key] = morsel.coded_value

    def header(self, client: str) -> list[tuple[str, str]]:
        jar = self.of(client)
        return [("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items()))] if jar else []


class Serving(Protocol):
    """Serves requests: `say` takes the commands of `inside.process`, `end` ends it like a worker that is replaced."""

    def say(self, do: str, **arguments: Any) -> dict[str, Any]: ...
    def end(self, grace_s: float) -> bool: ...


class Place(Protocol):
    """Where a story is played: a world, or a real server."""

    def server(self, name: str, *, run: int) -> Serving: ...
    def rest(self) -> None: ...
    def files(self) -> dict[str, list[str]]: ...
    def unnamed(self, text: str) -> str: ...


class Player:
    """Plays one story in one world; use once."""

    def __init__(
        self, opened: Place, story: Story, world: World, run: int, *, look: bool, words: Sequence[str]
    ) -> None:
        self._opened = opened
        self._story = story
        self._world = world
        self._run = run
        self._look = look
        self._words = list(words)
        self._jars = Jars()
        self._named: dict[str, dict[str, Any]] = {}
        self.seen = Seen(answers=[None] * len(story))

    def _server(self, index: int) -> Serving:
        return self._opened.server(self._world.at[index].process, run=self._run)

    def play(self) -> Seen:
        index = 0
        while index < len(self._story):
            if self._world.pair == index:
                for request in self._story[index : index + 2]:
                    self._jars.of(request.client)  # the cookies of a twin are copied before either request is sent
            if self._world.pair == index and self._world.holds:
                self.overlap(index)
                self._settle(index)
                index += 2
            else:
                self._serve(index)
                index += 1
            if self._world.ends_after == index:
                self._server(index - 1).end(GRACE_S)
        self._opened.rest()
        if self._look:
            self.seen.blocked = list(dict.fromkeys(text for found in self.seen.places for text in found["blocked"]))
        self.seen.files = {
            name: [self._opened.unnamed(line) for line in lines] for name, lines in self._opened.files().items()
        }
        return self.seen

    def _settle(self, index: int) -> None:
        """Waits until the work that both requests left to threads is done, as after every other request."""
        for name in dict.fromkeys(at.process for at in self._world.at[index : index + 2]):
            try:
                busy = self._opened.server(name, run=self._run).say("settle", limit=QUIET_S)["busy"]
            except (Crashed, Hung):
                continue
            self.seen.busy += [text for text in busy if text not in self.seen.busy]

    def sent(self, index: int) -> dict[str, Any] | None:
        """The request as the process gets it; None if an earlier answer lacks a value that it needs."""
        try:
            request = self._story[index].resolved(self._named)
        except Unresolved as error:
            self.seen.trouble[index] = str(error)
            return None
        if request.wait_s:
            time.sleep(request.wait_s)
        self.seen.sent[index] = str(request)
        return {
            "method": request.method,
            "target": request.target,
            "headers": [*request.headers, *self._jars.header(request.client)],
            "body": request.body.encode().decode("latin-1"),
        }

    def _placed(self, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The steps, with file names that are the same in every site."""
        return [{**step, "file": self._opened.unnamed(step["file"])} for step in steps]

    def took(self, index: int, said: dict[str, Any]) -> None:
        answer = said["answer"]
        request: Request = self._story[index]
        answer["body"] = self._opened.unnamed(answer["body"])
        answer["headers"] = [[name, self._opened.unnamed(value)] for name, value in answer["headers"]]
        self.seen.answers[index] = answer
        self._jars.keep(request.client, answer)
        if request.name:
            self._named[request.name] = answer

    def _serve(self, index: int) -> None:
        sent = self.sent(index)
        if sent is None:
            return
        server, thread = self._server(index), self._world.at[index].thread
        try:
            if self._look and not self.seen.places:
                self.warm(server)
            settle = 0 if self._world.ends_after == index + 1 else QUIET_S
            said = server.say("serve", thread=thread, request=sent, trace=self._look, settle=settle)
            self.took(index, said)
            self.seen.busy += [name for name in said.get("busy", ()) if name not in self.seen.busy]
            if self._look:
                self.seen.steps = self._placed(said["steps"])
                self.seen.places.append(server.say("look", words=self._words))
        except (Crashed, Hung) as error:
            self.seen.trouble[index] = str(error)

    def warm(self, server: Serving) -> None:
        """Sends two requests for an unknown address, so that what an app creates on first use does not count as a
        change."""
        request = {"method": "GET", "target": "/statelab-warms-up", "headers": [], "body": ""}
        for _ in range(2):
            server.say("serve", thread="main", request=request)
            self.seen.places.append(server.say("look", words=self._words))

    def overlap(self, index: int) -> None:
        """Serves two requests in turns: each until it is held, waits for the other, or is answered."""
        sent = self.sent(index), self.sent(index + 1)
        if None in sent:
            return
        servers = self._server(index), self._server(index + 1)
        holds = self._world.holds[0::2], self._world.holds[1::2]
        state = ["new", "new"]
        waited_at: dict[int, int] = {}
        turn = 0
        while True:
            other = 1 - turn
            asked: dict[str, Any] = {
                "thread": self._world.at[index + turn].thread,
                "beside_held": state[other] == "held",
            }
            if state[turn] == "new":
                asked |= {"request": sent[turn], "holds": holds[turn], "marks": NO_STEP in holds[turn]}
            try:
                said = servers[turn].say({"new": "serve", "held": "release", "blocked": "join"}[state[turn]], **asked)
            except (Crashed, Hung) as error:
                self.seen.trouble[index + turn] = str(error)
                if state[other] == "new":
                    return
                said = {}
            state[turn] = next((how for how in ("held", "blocked") if how in said), "answered")
            steps = self._placed(said.get("steps", []))
            at = self._placed([said[state[turn]]])[0] if state[turn] in said else {}
            self.seen.turns.append(Turn(turn, state[turn], at, said.get("steps_before", len(steps))))
            if state[turn] == "blocked":
                waited_at.setdefault(turn, said["steps_before"])
            if "answer" in said:
                self.took(index + turn, said)
                self.seen.steps_of[turn] = steps
                if NO_STEP in holds[turn]:  # its steps after the wait come when the other request has ended
                    self.seen.steps = steps[: waited_at.get(turn)]
            if state[other] != "answered":
                turn = other
            elif state[turn] == "answered":
                return


def play(site: Site, story: Story, world: World, *, run: int, look: bool = False, words: Sequence[str] = ()) -> Seen:
    """Plays the story in a new world and leaves nothing of it behind. `run` numbers repetitions; random numbers differ
    between them."""
    begins_with = world.processes if world.ends_after is None else world.processes[:1]
    with site.world(world.importers, begins_with, forked=world.forked, patched=world.patched) as opened:
        return Player(opened, story, world, run, look=look, words=words).play()
