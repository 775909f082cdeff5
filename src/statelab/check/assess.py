"""From a run folder to results: predict, judge every saved history, combine the runs. Starts nothing."""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from statelab.check.judges import judge_of
from statelab.check.judges.judgement import Expectation
from statelab.check.judges.judgement import Judgement
from statelab.check.judges.judgement import anonymous
from statelab.check.judges.judgement import without_identity
from statelab.check.runs import combine
from statelab.core.results import Cell
from statelab.core.results import CellKey
from statelab.core.results import Prediction
from statelab.core.results import Results
from statelab.core.results import Survival
from statelab.plan.catalogue import group
from statelab.plan.deployments import Deployment
from statelab.plan.manifest import Manifest
from statelab.plan.profiles import Profile
from statelab.record.columns import History
from statelab.record.run_folder import RunFolder
from statelab.theory.fixes import Fixes
from statelab.theory.fixes import unfixed
from statelab.theory.fixes import with_fixes
from statelab.theory.rule import predict

Early = Mapping[tuple[int, CellKey], tuple[int, Judgement]]
"""Judgements by run and cell that were made while the run went on, with the number of operations each rests on."""


def assess(folder: RunFolder, early: Early = MappingProxyType({})) -> Results:
    """The results of a run, a pure function of its folder (recordings become histories first). `early` saves judging a
    history again to which nothing was added since."""
    manifest = folder.read_manifest()
    folder.take_in_recordings(manifest)
    judged = [cell_from(key, manifest, list(_judgements(key, manifest, folder, early))) for key in manifest.cells]
    return results_of(manifest, judged)


def results_of(manifest: Manifest, judged: list[Cell]) -> Results:
    """The results that consist of these cells, each with what holds instead of it."""
    deployments = {deployment.name: deployment for deployment in manifest.deployments}
    fixes = Fixes(judged, manifest.catalogue, deployments)
    cells = with_fixes(judged, fixes)
    return Results(manifest=_described(manifest, cells) | {"unfixed": _unfixed(cells, fixes)}, cells=cells)


NOT_HELD, NOT_KNOWN = 1, 3


def exit_code(results: Results) -> int:
    """1 where a cell is violated although `held` is predicted: the lab or the theory has a bug. Else 0.

    Of another app nothing is predicted, so its promises themselves are what is expected: 1 where one is violated, else
    3 where one is not known to hold."""
    if any(cell.verdict == "violated" and not cell.predicted for cell in results.cells):
        return NOT_HELD
    return NOT_KNOWN if any(cell.verdict != "held" and not cell.claimed for cell in results.cells) else 0


def cell_from(key: CellKey, manifest: Manifest, judgements: list[Judgement]) -> Cell:
    """The cell with its prediction and what was judged of it, one judgement a run."""
    deployment = manifest.deployment(key.deployment)
    workload = manifest.catalogue.workloads[key.workload]
    mechanism = workload.mechanisms[key.mechanism]
    prediction = predict(mechanism.claims, deployment, key.window, workload.shows) if mechanism.claimed else None
    if not judgements:
        return _without_history(key, prediction, manifest)
    judged = combine(judgements) if manifest.runs > 1 else judgements[0]
    return msgspec.structs.replace(cell(key, prediction, judged), file=mechanism.file)


def _predicted(prediction: Prediction | None) -> dict[str, Any]:
    """What the row of the report says of its prediction; None: nothing is claimed of the mechanism."""
    return {
        "predicted": list(prediction.anomalies) if prediction else [],
        "guaranteed": bool(prediction and prediction.guaranteed),
        "prediction_reason": prediction.reason if prediction else "nothing is claimed of it",
        "claimed": prediction is not None,
    }


def cell(key: CellKey, prediction: Prediction | None, judgement: Judgement) -> Cell:
    """The row of the report: address, prediction and measurement together.

    Its witness is that of an anomaly which was not predicted, where there is one: that is what has to be proved.
    """
    measured = {name: getattr(judgement, name) for name in Judgement.__struct_fields__ if name != "witnesses"}
    predicted = _predicted(prediction)
    unpredicted = (name for name in judgement.anomalies if name not in predicted["predicted"])
    measured["witness"] = next(
        (judgement.witnesses[name] for name in unpredicted if name in judgement.witnesses), judgement.witness
    )
    return Cell(**msgspec.structs.asdict(key), **predicted, **measured)


def _judgements(key: CellKey, manifest: Manifest, folder: RunFolder, early: Early) -> Iterator[Judgement]:
    for run in range(1, manifest.runs + 1):
        history = folder.history(run, key)
        if history is not None:
            number, judgement = early.get((run, key), (-1, None))
            yield judgement if judgement and number == len(history) else judgement_of(key, manifest, history)


def judgement_of(key: CellKey, manifest: Manifest, history: History) -> Judgement:
    """One run of a cell, judged."""
    deployment = manifest.deployment(key.deployment)
    expectation = Expectation(
        expected_processes=deployment.expected_processes,
        spread=deployment.spread,
        in_turn=deployment.in_turn,
        replaced=deployment.recycled,
        initial=None if manifest.asks else 0,  # another app's state may be older than its servers
    )
    judged = judge_of(key.workload)(history, expectation)
    return _with_errors(without_identity(judged) if anonymous(history) else judged, history.errors)


def _with_errors(judgement: Judgement, errors: tuple[str | None, ...]) -> Judgement:
    """Where nothing could be judged, what the app said instead belongs to the reason."""
    said = [error for error in errors if error]
    if judgement.verdict in ("not-exercised", "unknown") and said:
        return msgspec.structs.replace(judgement, reason=f"{judgement.reason}; the app said: {said[0]}")
    return judgement


def _without_history(key: CellKey, prediction: Prediction | None, manifest: Manifest) -> Cell:
    why = manifest.why_unavailable(key)
    return Cell(
        **msgspec.structs.asdict(key),
        **_predicted(prediction),
        verdict="unavailable" if why else "not-exercised",
        reason=why or manifest.stopped or "not measured",
    )


TOLD = (
    "started",
    "engine",
    "engine_reason",
    "seed",
    "runs",
    "machine",
    "versions",
    "durations_s",
    "stopped",
    "survival",
)
"""What the reports say of a run, as the manifest has it."""


def _described(manifest: Manifest, cells: list[Cell]) -> dict[str, Any]:
    """What the reports say of a run: its conditions, and the tables they lay out in this order."""
    used_mechanisms = dict.fromkeys((cell.workload, cell.mechanism) for cell in cells)
    used_deployments = {cell.deployment for cell in cells}
    return {
        "profile": f"{manifest.profile.name}: {manifest.profile.description}",
        **{name: msgspec.to_builtins(getattr(manifest, name)) for name in TOLD},
        "load": _load(manifest.profile),
        "promises": {name: workload.promise for name, workload in manifest.catalogue.workloads.items()},
        "mechanisms": [_about(manifest, workload, name) for workload, name in used_mechanisms],
        "deployments": [_about_deployment(d) for d in manifest.deployments if d.name in used_deployments],
        "standard": {d.name: _predicted_under(d, manifest) for d in manifest.standard},
        "missing": _missing(manifest, cells),
        "notes": [*manifest.notes, *_store_notes(cells), *_survival_notes(manifest.survival)],
    }


def _predicted_under(deployment: Deployment, manifest: Manifest) -> dict[str, list[str]]:
    """What is predicted in the run's cells, were they of another deployment: by `workload/mechanism/window`."""
    found = {}
    for workload, mechanism, window in dict.fromkeys((c.workload, c.mechanism, c.window) for c in manifest.cells):
        about = manifest.catalogue.workloads[workload]
        prediction = predict(about.mechanisms[mechanism].claims, deployment, window, about.shows)
        found[f"{workload}/{mechanism}/{window}"] = list(prediction.anomalies)
    return found


def _load(profile: Profile) -> str:
    connections = "kept connections" if profile.reuse else "a new connection for each request"
    held = f", at most {profile.rate} requests a second and {profile.load_s:g} s in all" if profile.rate else ""
    return (
        f"{profile.users} clients at once, {connections}, {profile.min_seconds:g} to {profile.max_seconds:g} s and at "
        f"least {profile.min_operations} operations a cell, at most {profile.timeout_s:g} s for an answer"
        f"{held}"
    )


def _about(manifest: Manifest, workload: str, name: str) -> dict[str, Any]:
    mechanism = manifest.catalogue.workloads[workload].mechanisms[name]
    return {
        "name": name,
        "workload": workload,
        "group": group(mechanism.claims) if mechanism.claimed else "",
        "summary": mechanism.summary,
        "store": mechanism.claims.store,
        "medium": mechanism.claims.medium,
        "source": mechanism.source,
    }


def _about_deployment(deployment: Deployment) -> dict[str, Any]:
    return {
        "name": deployment.name,
        "description": deployment.description,
        "server": deployment.server,
        "worker_class": deployment.worker_class,
        "workers": deployment.workers,
        "threads": deployment.threads,
        "spread": sorted(deployment.spread),
    }


def _missing(manifest: Manifest, cells: list[Cell]) -> list[str]:
    """Cells that were planned and possible but not measured."""
    return [
        f"{cell.mechanism} on {cell.deployment}, window {cell.window}"
        for cell in cells
        if cell.operations is None and cell.verdict != "unavailable" and manifest.stopped
    ]


def _unfixed(cells: list[Cell], fixes: Fixes) -> list[dict[str, Any]]:
    """The broken mechanisms for which the run has no fix, with the reason and the cells it holds for."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for why, row in unfixed(cells, fixes):
        found.setdefault((row.workload, row.mechanism, why), []).append(f"{row.deployment}, window {row.window}")
    names = "workload", "mechanism", "reason"
    return [dict(zip(names, key, strict=True)) | {"cells": places} for key, places in found.items()]


def _store_notes(cells: list[Cell]) -> list[str]:
    """What to know of stores that stopped answering during the run."""
    down = Counter(cell.reason.partition("the app said: ")[2] for cell in cells if "did not answer" in cell.reason)
    return [f"in {count} cell(s) the app said: {said}" for said, count in down.most_common(3)]


def _survival_notes(survival: list[Survival]) -> list[str]:
    """Where the rule and the experiment differ about what state outlives."""
    return [
        f"{tried.mechanism} {'outlived' if tried.kept else 'ended with'} its {tried.ending}; the rule says otherwise"
        for tried in survival
        if not tried.agrees
    ]
