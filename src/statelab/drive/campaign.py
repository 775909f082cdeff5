"""Measures a run: starts the lab, runs the load on every cell, and saves the recordings."""

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from statelab.core.errors import EngineFailed, Unavailable
from statelab.core.load import Cell
from statelab.core.results import CellKey
from statelab.deploy.engine import Engine
from statelab.deploy.local import LocalEngine
from statelab.drive import survival
from statelab.drive.locust import Load
from statelab.drive.try_out import try_out
from statelab.plan.catalogue import fetch
from statelab.plan.deployments import Deployment
from statelab.plan.manifest import Manifest
from statelab.plan.promises import Promise
from statelab.record.run_folder import RunFolder

TIMES = 2000
"""How often one request counts if requests must meet within a line of code; that takes about a millisecond."""

Track = Callable[[Iterable[Any], str], Iterable[Any]]


class Campaign:
    """One run of the lab over an engine. `track` wraps the loop over cells, to show progress. `promises` are those of
    an app that is not the lab's own. They are tried out first, and every cell has freshly started servers, because it
    is unknown where such an app keeps its state."""

    def __init__(
        self, manifest: Manifest, folder: RunFolder, engine: Engine, track: Track, promises: Iterable[Promise] = ()
    ) -> None:
        self._manifest = manifest
        self._folder = folder
        self._engine = engine
        self._track = track
        self._promises = list(promises)
        self._used: set[str] = set()
        self._deployments = {deployment.name: deployment for deployment in manifest.deployments}
        self._random = random.Random(manifest.seed)
        self._run = 1
        self._end = math.inf
        """When the load has to end (s of the monotonic clock)."""

    def measure(self) -> None:
        """Measures every cell in every run. If it ends early (Ctrl-C, EngineFailed), says so in the manifest and
        raises. Raises BadInput if another app does not answer as its promises say."""
        started = time.monotonic()
        load_s = 0.0
        profile = self._manifest.profile
        self._folder.write_manifest(self._manifest)
        try:
            with Load(self._folder.recordings, profile, self._engine.access) as load:
                self._engine.up(self._used_deployments())
                self._note_unavailable()
                self._try_out()
                self._end = math.inf if profile.load_s is None else time.monotonic() + profile.load_s
                for run, index, cell in self._track(self._schedule(), "measuring"):
                    if time.monotonic() > self._end:
                        self._manifest.stopped = f"the load may last {profile.load_s:g} s in all, and has"
                        break
                    self._begin_run(run)
                    load_s += self._measure_cell(load, run, index, cell)
            self._end_things()
        except KeyboardInterrupt:
            self._manifest.stopped = "stopped before its end by the person at the keyboard"
            raise
        except EngineFailed as error:
            self._manifest.stopped = str(error)
            raise
        finally:
            self._manifest.durations_s |= {"measuring": time.monotonic() - started, "load": load_s}
            self._folder.write_manifest(self._manifest)  # now, because a broken engine may not report its versions
            self._manifest.versions |= self._engine.versions()
            self._folder.write_manifest(self._manifest)
            self._engine.save_logs(self._folder.logs)

    def _used_deployments(self) -> list[Deployment]:
        used = {cell.deployment for cell in self._manifest.cells}
        return [deployment for deployment in self._manifest.deployments if deployment.name in used]

    def _note_unavailable(self) -> None:
        """Asks each deployment which mechanisms it offers, because the same app does not have every mechanism on every
        server, and which Python serves it."""
        wanted = {(cell.workload, cell.mechanism, cell.deployment) for cell in self._manifest.cells}
        self._manifest.unavailable |= self._engine.store_reasons()
        served: dict[str, str] = {}
        for deployment in self._used_deployments():
            try:
                url = self._engine.url(deployment.name)
                offered = self._manifest.catalogue if self._promises else fetch(url, access=self._engine.access)
            except Unavailable as error:
                self._manifest.unavailable[deployment.name] = str(error)
                continue
            served[deployment.name] = offered.python
            for workload, about in offered.workloads.items():
                for name, mechanism in about.mechanisms.items():
                    if mechanism.unavailable and (workload, name, deployment.name) in wanted:
                        self._manifest.unavailable[f"{name} on {deployment.name}"] = mechanism.unavailable
        usual = next((python for python, _ in Counter(filter(None, served.values())).most_common(1)), None)
        if usual:  # an image has its own interpreter, and a server may have one, too
            others = {f"python of {name}": python for name, python in served.items() if python != usual}
            self._manifest.versions |= {"python": usual, **others}

    def _try_out(self) -> None:
        """Tries the promises of another app under the simplest deployment that is up. That deployment then counts as
        used, so its servers are restarted before they are measured."""
        up = [each for each in self._used_deployments() if each.name not in self._manifest.unavailable]
        if self._promises and up:
            simplest = min(up, key=lambda each: len(each.spread))
            self._used.add(simplest.name)
            url = self._engine.url(simplest.name)
            try_out(url, self._promises, alone=not simplest.spread, access=self._engine.access)

    def _begin_run(self, run: int) -> None:
        """Restarts the servers for each run, because the runs must be independent trials."""
        if run == self._run:
            return
        self._run = run
        self._used.clear()
        for deployment in self._used_deployments():
            if deployment.name not in self._manifest.unavailable:
                try:
                    self._engine.restart(deployment.name)
                except Unavailable as error:
                    self._gone(deployment.name, error)

    def _gone(self, deployment: str, error: Unavailable) -> None:
        """Notes that a deployment does not answer any more. Its measured cells are kept; the rest are unavailable."""
        self._manifest.unavailable[deployment] = str(error)
        self._manifest.notes.append(
            f"in the middle of the run {deployment} was gone, and what was measured before stands: {error}"
        )

    def _schedule(self) -> list[tuple[int, int, CellKey]]:
        """All cells of all runs, in a new random order for each run, after those that the profile wants first."""
        schedule = []
        for run in range(1, self._manifest.runs + 1):
            order = list(enumerate(self._manifest.cells))
            self._random.shuffle(order)
            order.sort(key=lambda item: f"{item[1].workload}/{item[1].mechanism}" not in self._manifest.profile.first)
            schedule += [(run, index, cell) for index, cell in order if self._manifest.why_unavailable(cell) is None]
        return schedule

    def _measure_cell(self, load: Load, run: int, index: int, cell: CellKey) -> float:
        """Runs one cell; returns the seconds of load."""
        key = self._manifest.key(run, index)
        if cell.deployment in self._manifest.unavailable:
            return 0.0
        try:
            if self._promises and cell.deployment in self._used:
                self._engine.restart(cell.deployment)
            self._used.add(cell.deployment)
            done = load.run(self._order(key, cell, self._engine.url(cell.deployment)))
            self._manifest.measured.append(key)
            if done.timed_out or not done.answered:  # the deployment may no longer answer at all
                self._engine.restart(cell.deployment)
        except Unavailable as error:
            self._gone(cell.deployment, error)
            return 0.0
        return done.seconds

    def _end_things(self) -> None:
        """Tries what state outlives. This comes after all load, because it ends servers and stores."""
        used, engine = self._used_deployments(), self._engine
        tried = [found for found in (survival.with_hosts(used), survival.fit(used)) if found]  # the last ends them all
        if not self._manifest.survivors or not tried or not isinstance(engine, LocalEngine):
            return
        started = time.monotonic()
        try:
            for deployment in tried:
                survey = survival.Survey(engine, deployment, self._manifest.survivors, self._manifest.catalogue)
                self._manifest.survival += survey.measure()
        except Unavailable as error:
            self._manifest.notes.append(f"what state outlives could not be tried to the end: {error}")
        self._manifest.durations_s["survival"] = time.monotonic() - started

    def _order(self, key: str, cell: CellKey, url: str) -> Cell:
        """What Locust is told to do for one cell."""
        deployment = self._deployments[cell.deployment]
        profile = self._manifest.profile
        claims = self._manifest.catalogue.workloads[cell.workload].mechanisms[cell.mechanism].claims
        in_memory = "threads" in claims.shared_across and not (claims.store or claims.medium)
        # columns of a run can be compared only under the same load
        meets = cell.window == "tight" and in_memory and any(each.parallel for each in self._used_deployments())
        return Cell(
            url=url,
            workload=cell.workload,
            mechanism=cell.mechanism,
            window=cell.window,
            key=key,
            processes=deployment.expected_processes,
            servers=2 if deployment.spread & {"threads", "greenlets"} else 1,
            times=TIMES if meets else 1,
            min_seconds=profile.max_seconds if meets else profile.min_seconds,
            max_seconds=min(profile.max_seconds, max(0.0, self._end - time.monotonic())),
            min_operations=profile.min_operations,
            audits=profile.audits,
            asks=self._manifest.asks.get(cell.mechanism, {}),
        )
