"""`statelab run`: measures the selected cells, judges them, and writes and prints the report."""

import random
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from statelab.check.judges import judge_of
from statelab.cli import options as shared
from statelab.cli.progress import undisturbed
from statelab.cli.report import judge_and_report
from statelab.cli.watch import Watch
from statelab.core.calls import STANDARD
from statelab.core.errors import BadInput, EngineFailed, require_known
from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import CellKey
from statelab.deploy.choose import choose
from statelab.deploy.engine import Engine
from statelab.drive import survival
from statelab.drive.campaign import Campaign
from statelab.drive.locust import require_load
from statelab.plan import catalogue as app_catalogue
from statelab.plan import machine, own_file, remote
from statelab.plan import promises as own_app
from statelab.plan.app import App
from statelab.plan.deployments import ON_REQUEST, Deployment, load_all
from statelab.plan.manifest import Manifest
from statelab.plan.matrix import Selection, select
from statelab.plan.profiles import PROFILES, Profile, profile_of
from statelab.plan.promises import Promise
from statelab.plan.remote import Remote
from statelab.record.run_folder import RunFolder

PROFILE = f"""{", ".join(PROFILES)} (default: essentials, or standard where you pick
workloads, mechanisms, deployments, windows or an app)"""


@click.command("run")
@click.option("--profile", default="", help=PROFILE)
@shared.engine
@shared.selection
@click.option("--runs", type=click.IntRange(1, 1000), help="measure everything this many times on fresh servers")
@click.option("--seed", type=int, help="order of the cells (default: drawn, and written down)")
@click.option("--i-may-load", metavar="URL", help="engine remote: the address in statelab.toml, exactly")
@shared.app
def command(**options: Any) -> None:
    """Measure the selected cells, judge them, and write and print the report."""
    sys.exit(run(Console(), **options))


def _plan(options: dict[str, Any], app: App, promises: dict[str, Promise], target: Remote | None) -> Manifest:
    """The manifest of the run. Whatever can be refused is refused here, before anything is started.

    An app with promises in its statelab.toml is measured by them and needs no catalogue. A target that runs already is
    one deployment, and is asked for its catalogue directly."""
    names = ("workload", "mechanism", "deployment", "window")
    picked = bool(promises) or not app.is_the_labs or any(options[name] for name in names)
    profile = profile_of(options["profile"], picked=picked)
    profile = own_app.of_profile(profile) if promises else profile
    notes: list[str] = []
    if target:
        profile, notes = target.within_limits(profile)
    deployments = _deployments(options["deployment"], profile, target)
    if promises:
        catalogue = own_app.catalogue(promises)
    elif target:
        catalogue = target.catalogue()
    else:
        catalogue = app_catalogue.of_app(app, options["workload"])
    if promises:
        require_known("workload", options["workload"], list(catalogue.workloads))
    selection = Selection(**{f"{name}s": options[name] for name in names})
    cells = select(catalogue, deployments, profile, selection)
    for workload in {cell.workload for cell in cells}:
        require_load(workload)
        judge_of(workload)
    if not cells:
        raise BadInput(f"the profile {profile.name} has no such cell; try {STANDARD}")
    return Manifest(
        started=time.strftime("%Y-%m-%d %H:%M:%S %z"),
        profile=profile,
        engine="",
        engine_reason="",
        seed=random.SystemRandom().randrange(2**32) if options["seed"] is None else options["seed"],
        token=secrets.token_hex(4),
        runs=options["runs"] or profile.runs,
        cells=cells,
        survivors=_survivors(cells, selection, profile),
        catalogue=catalogue,
        deployments=list(deployments.values()),
        standard=list(load_all(DEPLOYMENTS).values()) if profile.compared else [],
        machine=machine.describe(),
        asks={name: dict(promise.asks) for name, promise in promises.items()},
        versions=machine.load_version()
        if target
        else machine.library_versions((each.package for each in deployments.values()), app.server),
        notes=notes,
    )


def _deployments(wanted: list[str], profile: Profile, target: Remote | None) -> dict[str, Deployment]:
    """The deployments that the run may use, in the order of the tables; raises BadInput for an unknown name."""
    if target:
        require_known("deployment", wanted, [target.deployment.name])
        return {target.deployment.name: target.deployment}
    require_known("deployment", wanted, [*load_all(DEPLOYMENTS), *load_all(DEPLOYMENTS / ON_REQUEST)])
    deployments = load_all(DEPLOYMENTS / profile.folder, wanted or profile.columns)
    return {name: deployments[name] for name in profile.columns} if profile.columns and not wanted else deployments


def _survivors(cells: list[CellKey], selection: Selection, profile: Profile) -> list[str]:
    """The mechanisms for which the run tries what their state outlives. Empty if deployments were picked, because the
    trial needs a deployment of its own."""
    if selection.deployments or not profile.survival:
        return []
    return list(dict.fromkeys(cell.mechanism for cell in cells if cell.workload == survival.WORKLOAD))


def run(console: Console, *, engine: str, **options: Any) -> int:
    """Measures, judges, reports; returns the exit code. If stopped half-way, it reports what it has."""
    target = _target(engine, options)
    app = shared.app_of(options["app_name"], options["app_dir"], options["interpreter"], options["gunicorn_config"])
    app, options["mechanism"] = shared.with_files(app, options["mechanism"], options["workload"])
    promises = own_app.load(target.where.parent if target else app.folder) if target or app.name else {}
    if target:
        target.require_no_secrets(promises.values())
    manifest = _plan(options, app, promises, target)
    served, environment = own_app.identified(app) if promises else (app, {})
    about = {cell: manifest.catalogue.workloads[cell.workload].mechanisms[cell.mechanism] for cell in manifest.cells}
    served = served.for_cells((cell.workload for cell in about), (each.claims.store for each in about.values()))
    chosen, manifest.engine_reason = choose(engine, served, environment, target=target)
    manifest.engine = chosen.name
    folder = RunFolder.create()
    console.print(
        f"{len(manifest.cells)} cells x {manifest.runs} run(s), profile {manifest.profile.name}, "
        f"engine {chosen.name} ({manifest.engine_reason})",
        highlight=False,
        soft_wrap=True,
    )
    started = time.monotonic()
    watch = Watch(console, manifest, folder)
    ended = _measure(console, manifest, folder, chosen, promises, watch)
    code = judge_and_report(console, folder, early=watch.judged)
    manifest.durations_s["total"] = time.monotonic() - started
    folder.write_manifest(manifest)
    return ended or code


def _target(engine: str, options: dict[str, Any]) -> Remote | None:
    """The target of the engine `remote`; None for another engine. Raises BadInput."""
    allowed = options.pop("i_may_load")
    if engine != remote.NAME:
        if allowed is not None:
            raise BadInput(f"{remote.OPTION} is for --engine {remote.NAME}, and the engine is {engine}")
        return None
    for option in ("app_name", "interpreter", "gunicorn_config"):
        if options[option]:
            raise BadInput(
                "--app, --python and --gunicorn-config say how to serve an app, and what the engine remote loads is "
                f"served already: leave them out; --app-dir is the folder of {own_file.NAME}"
            )
    folder, options["app_dir"] = options["app_dir"] or Path.cwd(), None
    return remote.load(folder, allowed)


def _measure(
    console: Console,
    manifest: Manifest,
    folder: RunFolder,
    engine: Engine,
    promises: dict[str, Promise],
    watch: Watch,
) -> int:
    """Returns 0, or the exit code of a run that ended early: 130 if stopped, 2 if an engine or the load failed
    half-way.

    Raises EngineFailed or BadInput if nothing was measured; then no run folder is left.
    """
    try:
        with watch:
            Campaign(manifest, folder, engine, watch, promises.values()).measure()
    except KeyboardInterrupt:
        console.print("stopping what was started, keeping what was measured")
        return 130
    except (EngineFailed, BadInput) as error:
        if not manifest.measured:
            folder.remove()
            raise
        console.print(f"{error}\nkeeping what was measured", highlight=False, markup=False)
        return 2
    finally:
        with undisturbed():
            engine.down()
    return 0
