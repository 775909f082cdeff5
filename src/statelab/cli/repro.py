"""`statelab repro`: starts the lab with gates, plays the chosen cells, stops everything, and says what was shown."""

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from statelab.cli import options as shared
from statelab.cli.progress import Tracker, undisturbed
from statelab.core.errors import BadInput, Unavailable
from statelab.core.operation import UNIT_HEADER, encode_line
from statelab.core.paths import DEPLOYMENTS, REPORTS
from statelab.deploy.choose import choose
from statelab.deploy.engine import Engine
from statelab.plan import catalogue
from statelab.plan.app import App
from statelab.plan.deployments import load_all
from statelab.plan.profiles import Profile, profile_of
from statelab.report.formats.terminal import PLAIN_WIDTH
from statelab.report.timeline.svg import timeline as picture
from statelab.repro import narrate
from statelab.repro.availability import Availability, NotOffered
from statelab.repro.gates import ENVIRONMENT, STORE, Gates, gates_host
from statelab.repro.outcome import AS_PREDICTED, Outcome, reproduce
from statelab.repro.targets import Target, played, played_of_each, targets
from statelab.repro.timeline import timeline

EXIT_NOT_AS_PREDICTED = 1
EXIT_UNAVAILABLE = 3

ASK = "name one cell, as in `statelab repro counter/module-global --deployment gthread`, or --all for every red cell"


@click.command("repro")
@click.argument("cell", metavar="[WORKLOAD/MECHANISM]", default="")
@click.option("--deployment", callback=shared.several, metavar="NAMES", help="under this one (with --all: under these)")
@shared.engine
@click.option("--all", "everything", is_flag=True, help="every cell that requests which meet must break")
@click.option("--profile", default="", help="with --all: of the deployments and mechanisms of this profile")
@click.option("--runs", type=click.IntRange(1, 1000), default=1, show_default=True, help="play each so many times")
def command(**options: Any) -> None:
    """Show a predicted violation on demand: two requests in the one order that breaks the promise, no load."""
    sys.exit(repro(Console(), **options))


class Reproduction:
    """The chosen targets, the number of runs, and the result of each."""

    def __init__(self, console: Console, chosen: list[Target], runs: int, *, everything: bool) -> None:
        self._console = console
        self._chosen = chosen
        self._runs = runs
        self._everything = everything
        self._tally: Counter[str] = Counter()

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def perform(self, engine: Engine) -> int:
        """Brings the lab up, plays everything, and returns the exit code. The caller stops the engine."""
        started = time.monotonic()
        deployments = load_all(DEPLOYMENTS)
        gates_at = gates_host(deployments)
        used = {target.deployment.name: target.deployment for target in self._chosen} | {gates_at.name: gates_at}
        engine.up(list(used.values()))
        gates, availability = Gates(engine.url(gates_at.name)), Availability(engine)
        tracked = Tracker(self._console)(self._chosen, "reproducing") if self._everything else self._chosen
        for target in tracked:
            try:
                availability.require(target)
                self._play(target, engine, gates)
            except NotOffered as error:
                self._absent("not offered", target, error)
            except Unavailable as error:
                self._absent("unavailable", target, error)
        if self._everything:
            seconds = time.monotonic() - started
            parts = ", ".join(f"{count} {kind}" for kind, count in self._tally.items())
            self.say(f"\n{len(self._chosen)} red cells, {self._runs} run(s) each: {parts}, in {seconds:.0f} s")
        if self._tally.keys() - {*AS_PREDICTED, "not offered", "unavailable"}:
            return EXIT_NOT_AS_PREDICTED
        return EXIT_UNAVAILABLE if self._tally["unavailable"] else 0

    def _absent(self, kind: str, target: Target, why: Exception) -> None:
        self._tally[kind] += 1
        self.say(f"{kind:15} {target.name}: {why}")

    def _play(self, target: Target, engine: Engine, gates: Gates) -> None:
        """All runs of one target."""
        started = time.monotonic()
        outcomes = [reproduce(target, engine, gates) for _ in range(self._runs)]
        seconds = time.monotonic() - started
        shown = next((outcome for outcome in outcomes if not outcome.as_predicted), outcomes[0])
        self._tally[shown.kind] += 1
        if not self._everything or not shown.as_predicted:
            self.say(narrate.headline(target))
            width = self._console.width if self._console.is_terminal else max(self._console.width, PLAIN_WIDTH)
            self._console.print(narrate.steps(shown), width=width)
            self.say("\n".join(timeline(shown.play)) + "\n")
            self.say(narrate.conclusion(shown))
            for path in _files(shown):
                self.say(f"  {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
        if self._everything or self._runs > 1:
            times = f"{sum(outcome.as_predicted for outcome in outcomes)}/{self._runs}"
            self.say(f"{shown.kind:15} {times:5} {target.anomaly or '':15} {target.name:52} {seconds:6.2f} s")


def _files(outcome: Outcome) -> list[Path]:
    """Writes the history that was judged and the picture of its witness."""
    target, folder = outcome.target, REPORTS / "repro"
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / ".".join(filter(None, [*target.cell, target.anomaly]))
    history = base.with_name(f"{base.name}.jsonl")
    history.write_bytes(UNIT_HEADER + b"".join(encode_line(operation) for operation in outcome.judged))
    if outcome.witness is None:
        return [history]
    svg = base.with_name(f"{base.name}.svg")
    svg.write_text(picture(outcome.witness))
    return [history, svg]


def _chosen(app: App, cell: str, deployment: list[str], everything: bool, profile: Profile | None) -> list[Target]:
    """One cell, or every cell predicted to break among those named or those of a profile; raises BadInput."""
    deployment = deployment or [*profile.columns] if profile else deployment
    workload = cell.partition("/")[0]
    offered = catalogue.of_app(app, [workload] if workload else [])
    found = targets(offered, load_all(DEPLOYMENTS, deployment), cell, deployment)
    if not everything:
        if len({target.cell for target in found}) > 1:
            raise BadInput(ASK)
        return played(found)
    if profile and profile.mechanisms:
        measured = profile.mechanisms
        found = [target for target in found if target.mechanism in measured.get(target.workload, ())]
    red = [target for target in played_of_each(found) if target.anomaly and target.schedule.collides]
    if not red:
        raise BadInput("in none of these cells is anything predicted that requests must meet for: nothing to reproduce")
    return red


def repro(
    console: Console, *, cell: str, deployment: list[str], engine: str, everything: bool, profile: str, runs: int
) -> int:
    """Reproduces and returns the exit code: 0 as predicted, 1 not as predicted, 3 as predicted, but some of it was
    unavailable.

    Raises BadInput, before anything is started, for a name that does not exist.
    """
    workload, _, mechanism = cell.partition("/")
    app, named = shared.with_files(App(), [mechanism] if mechanism else [], [workload])
    if profile and not everything:
        raise BadInput(f"--profile {profile} is for --all: one cell has its own deployment")
    of_profile = profile_of(profile, picked=False) if profile else None
    chosen = _chosen(app, "/".join([workload, *named]), deployment, everything, of_profile)
    stores = (STORE, *(target.claims.store for target in chosen))
    needed = app.for_cells((target.workload for target in chosen), stores)
    lab, reason = choose(engine, needed, ENVIRONMENT)
    reproduction = Reproduction(console, chosen, runs, everything=everything)
    reproduction.say(f"{len(chosen)} cell(s) x {runs} run(s), engine {lab.name} ({reason})")
    try:
        return reproduction.perform(lab)
    finally:
        with undisturbed():
            lab.down()
