"""What the theory says of a cell before anything was tried, in the words of a page."""

from functools import cache

import msgspec

from statelab.core.errors import BadInput
from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import ANOMALIES
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import Deployment, load_all
from statelab.theory.rule import predict


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """`anomalies` have their meaning; none where `held` is predicted. `unknown`: nothing can be predicted. `summary` is
    the mechanism's, `unavailable` why the app cannot offer it."""

    anomalies: dict[str, str]
    reason: str
    unknown: bool = False
    summary: str = ""
    unavailable: str | None = None


@cache
def known_deployment(name: str) -> Deployment | None:
    """The lab's deployment of that name; None where it has none."""
    try:
        return load_all(DEPLOYMENTS, [name]).get(name)
    except BadInput:
        return None


def foretell(catalogue: Catalogue | None, workload: str, mechanism: str, deployment: str, window: str) -> Foretold:
    """The theory's prediction; raises BadInput where the app has no such mechanism."""
    about = catalogue.workloads.get(workload) if catalogue else None
    found = about.mechanisms.get(mechanism) if about else None
    if about is None or found is None:
        raise BadInput(f"the app has no {workload} / {mechanism}")
    served = known_deployment(deployment)
    if served is None or not found.claimed:
        why = "the lab does not know this deployment" if served is None else "nothing is claimed of the mechanism"
        return Foretold(anomalies={}, reason=why, unknown=True, summary=found.summary, unavailable=found.unavailable)
    prediction = predict(found.claims, served, window, about.shows)
    return Foretold(
        anomalies={name: ANOMALIES[name] for name in prediction.anomalies},
        reason=prediction.reason,
        summary=found.summary,
        unavailable=found.unavailable,
    )
