"""From a run folder to results: predict, judge every saved history, combine the runs. Starts nothing."""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from statelab.check.judges import judge_of
from statelab.check.judges.judgement import Expectation, Judgement, anonymous, without_identity
from statelab.check.runs import combine
from statelab.core.results import Cell, CellKey, Prediction, Results
from statelab.plan.catalogue import group
from statelab.plan.deployments import Deployment
from statelab.plan.manifest import Manifest
from statelab.plan.profiles import Profile
from statelab.record.columns import History
from statelab.record.run_folder import RunFolder
from statelab.theory.fixes import Fixes, unfixed, with_fixes
from statelab.theory.rule import predict

Early = Mapping[tuple[int, CellKey], tuple[int, Judgement]]
"""Judgements by run and cell that were made while the run went on, with the number of operations each rests on."""


def assess(folder: RunFolder, early: Early = MappingProxyType({})) -> Results:
    """The results of a run, a pure function of its folder (recordings become histories first). `early` saves judging a
    history again to which nothing was added since."""
    manifest = folder.read_manifest()
    folder.take_in_recordings(manifest)
    judged = []
    for key in manifest.cells:
        judgements = []
        for run in range(1, manifest.runs + 1):
            if (history := folder.history(run, key)) is not None:
                number, judgement = early.get((run, key), (-1, None))
                if judgement is None or number != len(history):
                    judgement = judgement_of(key, manifest, history)
                judgements.append(judgement)
        judged.append(cell_from(key, manifest, judgements))
    return results_of(manifest, judged)


def results_of(manifest: Manifest, judged: list[Cell]) -> Results:
    """The results that consist of these cells, each with what holds instead of it."""
    deployments = {deployment.name: deployment for deployment in manifest.deployments}
    fixes = Fixes(judged, manifest.catalogue, deployments)
    cells = with_fixes(judged, fixes)
    # The broken mechanisms for which the run has no fix, with the reason and the cells it holds for.
    found: dict[tuple[str, str, str], list[str]] = {}
    for why, row in unfixed(cells, fixes):
        found.setdefault((row.workload, row.mechanism, why), []).append(f"{row.deployment}, window {row.window}")
    names = "workload", "mechanism", "reason"
    without = [dict(zip(names, key, strict=True)) | {"cells": places} for key, places in found.items()]
    return Results(manifest=_described(manifest, cells) | {"unfixed": without}, cells=cells)


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
        why = manifest.why_unavailable(key)
        return Cell(
            **msgspec.structs.asdict(key),
            **_predicted(prediction),
            verdict="unavailable" if why else "not-exercised",
            reason=why or manifest.stopped or "not measured",
        )
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
    judged = without_identity(judged) if anonymous(history) else judged
    said = next((error for error in history.errors if error), None)
    if judged.verdict in ("not-exercised", "unknown") and said:  # the app's words may be why nothing could be judged
        return msgspec.structs.replace(judged, reason=f"{judged.reason}; the app said: {said}")
    return judged


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
    missing = [  # planned and possible, but not measured
        f"{cell.mechanism} on {cell.deployment}, window {cell.window}"
        for cell in cells
        if cell.operations is None and cell.verdict != "unavailable" and manifest.stopped
    ]
    # Stores that stopped answering, and where the rule and the experiment differ about what state outlives.
    down = Counter(cell.reason.partition("the app said: ")[2] for cell in cells if "did not answer" in cell.reason)
    notes = [f"in {count} cell(s) the app said: {said}" for said, count in down.most_common(3)]
    notes += [
        f"{tried.mechanism} {'outlived' if tried.kept else 'ended with'} its {tried.ending}; the rule says otherwise"
        for tried in manifest.survival
        if not tried.agrees
    ]
    return {
        "profile": f"{manifest.profile.name}: {manifest.profile.description}",
        **{name: msgspec.to_builtins(getattr(manifest, name)) for name in TOLD},
        "load": _load(manifest.profile),
        "promises": {name: workload.promise for name, workload in manifest.catalogue.workloads.items()},
        "mechanisms": [_about(manifest, workload, name) for workload, name in used_mechanisms],
        "deployments": [_about_deployment(d) for d in manifest.deployments if d.name in used_deployments],
        "standard": {d.name: _predicted_under(d, manifest) for d in manifest.standard},
        "missing": missing,
        "notes": [*manifest.notes, *notes],
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
