"""Whether this lab can offer what is to be reproduced, and why not."""

from statelab.core.errors import Unavailable
from statelab.deploy.engine import Engine
from statelab.plan.catalogue import Catalogue
from statelab.plan.catalogue import fetch
from statelab.repro.targets import Target


class NotOffered(Exception):
    """This server never has the mechanism: nothing is missing, nothing can be done."""


class Availability:
    """Asks each deployment once what it offers: the same app, but not under every server the same."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._offered: dict[str, Catalogue] = {}

    def require(self, target: Target) -> None:
        """Raises Unavailable where a store or the deployment is missing, NotOffered where its server has none."""
        missing = self._engine.reasons()
        for name in (target.deployment.name, target.claims.store, "redis" if target.schedule.gated else None):
            if name in missing:
                raise Unavailable(missing[name])
        offered = self._catalogue(target.deployment.name).workloads[target.workload].mechanisms[target.mechanism]
        if offered.unavailable:
            raise NotOffered(offered.unavailable)

    def _catalogue(self, deployment: str) -> Catalogue:
        if deployment not in self._offered:
            self._offered[deployment] = fetch(self._engine.url(deployment))
        return self._offered[deployment]
