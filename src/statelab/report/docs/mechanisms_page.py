"""Writes docs/mechanisms.md: every mechanism, from the app's catalogue and the theory."""

from collections.abc import Iterator, Mapping

from statelab.core.errors import counted
from statelab.core.paths import DEPLOYMENTS, ROOT
from statelab.plan.app import App
from statelab.plan.catalogue import Catalogue, Claims, Mechanism, Workload, of_app
from statelab.plan.deployments import Deployment, load_all
from statelab.report.content import states
from statelab.report.content.text import listed
from statelab.report.formats.markdown import anomalies_in, escaped, fenced, table, violated_mark
from statelab.theory.code_diff import diff, in_columns
from statelab.theory.fixes import candidates
from statelab.theory.rule import predict

PAGE = ROOT / "docs" / "mechanisms.md"
WINDOWS = ("tight", "io")
"""The narrowest and the widest. Whatever goes wrong with any window also goes wrong with the widest."""

Deployments = Mapping[str, Deployment]

MARKS = {
    states.HELD.symbol: "held, by the mechanism's own promise",
    states.NOT_GUARANTEED.symbol: "held, not guaranteed: in most cases this window only has no switch point",
}

INTRODUCTION = """\
# The mechanisms

For anyone who looks up one way to keep state: what it promises, where it breaks, and which lines to write instead.

Written by `make docs` from the app's catalogue and the theory; a test fails if they differ. Nothing here was
measured: the figures, and what a change costs in throughput and p95, are in the report of a run (`make report
PROFILE=standard`).

For each mechanism: what it is and what people believe about it, what it claims, what the theory predicts from that
under each deployment, and, where it breaks, the nearest mechanism that holds there, with the lines that change. The
nearest is the one that keeps the state in the same place (reach, store, what it outlives), then one that needs no other
store, then one that widens the reach least, then one that changes the fewest lines of code. It always does the same
job, reaches as far and lasts as long (the last two only if clients see a fault in state that is not kept), and it is
guaranteed to hold with every window. The code is shown without imports and docstrings: `-` marks a removed line, `+` an
added one, and `...` lines that are the same on both sides; a line whose indentation alone differs counts as the same.
The call `window()` stands for what your code does there.
"""


def render(catalogue: Catalogue, deployments: Deployments) -> str:
    """The whole page."""
    parts = []
    for name, workload in catalogue.workloads.items():
        parts.append(f"## {escaped(name)}\n\nThe promise: {escaped(workload.promise)}.\n")
        for mechanism in workload.mechanisms:
            parts += _mechanism(workload, mechanism, deployments)
    used = {f"{states.VIOLATED.symbol} {code}": meaning for code, meaning in anomalies_in("".join(parts)).items()}
    legend = [[mark, escaped(meaning)] for mark, meaning in (MARKS | used).items()]
    return "\n".join([INTRODUCTION, table(["predicted", "meaning"], legend), *parts])


def _mechanism(workload: Workload, name: str, deployments: Deployments) -> Iterator[str]:
    mechanism = workload.mechanisms[name]
    yield f"### {escaped(name)}\n\n{escaped(mechanism.summary)}\n"
    if mechanism.description:
        yield f"{escaped(mechanism.description)}\n"
    yield _claims(mechanism.claims)
    deployments = {name: found for name, found in deployments.items() if mechanism.claims.offered_by(found.server)}
    if not deployments:
        yield f"No standard column has it: only the server {mechanism.claims.server} ([servers.md](servers.md)).\n"
        return
    yield _predictions(workload, mechanism.claims, deployments)
    for fix, served in _nearest(workload, name, deployments).items():
        yield _instead(name, mechanism, fix, workload.mechanisms.get(fix), served)


def _claims(claims: Claims) -> str:
    more = {
        f"inherits across a fork: {_named(claims.inherited)}": claims.inherited,
        f"if made before gevent patches, it does not see: {_named(claims.unpatched)}": claims.unpatched,
        "answers after its update": claims.answers_later,
        f"a miss is computed once across: {_named(claims.single_flight)}": claims.single_flight,
        f"requests that share it fail across: {_named(claims.fails_across)}": claims.fails_across,
        f"and if others write to the data behind it, across: {_named(claims.fails_beside)}": claims.fails_beside,
        f"requests that share it fail even one after the other, across: {_named(claims.fails_in_turn)}": (
            claims.fails_in_turn
        ),
        f"they fail before a wrong answer is given, across: {_named(claims.notices)}": claims.notices,
        "a request whose answer another one took waits for it without a time limit": claims.untimed,
        "such a request waits until a time limit has passed, and keeps its thread": claims.timed,
        "its documentation forbids its use after a fork": claims.not_after_fork,
        f"the {claims.left_to} must close what a request opens": claims.left_to is not None,
        "waiting for it stops every greenlet": claims.blocks_hub,
        "waiting for it stops every greenlet if it was made before gevent patches": claims.blocks_unpatched,
        f"excludes others for at most {claims.lease_ms} ms": claims.lease_ms is not None,
        f"a thread started at its {claims.thread} does the work": claims.thread is not None,
        f"copies begin {claims.copies.replace('-', ' ')}": claims.copies != "alike",
        "only in the thread that imported the app": claims.of_importing_thread,
        "in the context, of which a server may copy one for each request": claims.in_context,
        "one for each client": claims.keyed,
        "travels with the client": claims.carried,
        "read and written back whole": claims.written_whole,
        "its name may be given to somebody else": claims.name_reused,
    }
    facts = {
        "state crosses": _named(claims.shared_across),
        "an update excludes others across": _named(claims.atomic_across),
        "lets others in by itself at": _named(claims.switches_inside),
        "outlives": claims.survives or "nothing",
        "needs": claims.store or claims.server or "nothing",
        "moreover": "; ".join(text for text, claimed in more.items() if claimed) or "–",
    }
    return table(list(facts), [[escaped(fact) for fact in facts.values()]])


def _named(boundaries: frozenset[str]) -> str:
    return ", ".join(sorted(boundaries)) or "nothing"


def _predictions(workload: Workload, claims: Claims, deployments: Deployments) -> str:
    lines = []
    for window in (window for window in WINDOWS if window in (workload.windows or WINDOWS)):
        line = [f"`{window}`"]
        for deployment in deployments.values():
            prediction = predict(claims, deployment, window, workload.shows)
            held = states.HELD if prediction.guaranteed else states.NOT_GUARANTEED
            line.append(violated_mark(prediction.anomalies) or held.symbol)
        lines.append(line)
    return table(["window", *(f"`{name}`" for name in deployments)], lines)


def _nearest(workload: Workload, name: str, deployments: Deployments) -> dict[str, list[str]]:
    """Nearest mechanism that holds (empty if there is none) -> the deployments in which `name` breaks and it holds."""
    served: dict[str, list[str]] = {}
    for deployment in deployments.values():
        if predict(workload.mechanisms[name].claims, deployment, WINDOWS[-1], workload.shows).anomalies:
            found = candidates(workload, name, deployment)
            served.setdefault(found[0].name if found else "", []).append(deployment.name)
    return served


def _instead(name: str, broken: Mechanism, fix: str, other: Mechanism | None, served: list[str]) -> str:
    if other is None:
        none = "no mechanism here that does the same job, reaches as far and lasts as long holds"
        return f"Under {listed(served)}: {none}.\n"
    text = f"Under {listed(served)} the nearest that holds is `{fix}`"
    if not broken.source or not other.source:
        return f"{text}; the app shows no source to compare.\n"
    comparison = diff(broken.source, other.source)
    return f"{text}; {counted(comparison.changed, 'line')} changed:\n\n{fenced(in_columns(comparison, name, fix))}"


def current() -> str:
    """The page for the app and deployments of this checkout."""
    return render(of_app(App()), load_all(DEPLOYMENTS))


if __name__ == "__main__":
    PAGE.write_text(current())
