"""Whether this lab has what a reproduction needs, and if not, why."""

from statelab.core.errors import Unavailable
from statelab.deploy.engine import Engine
from statelab.plan.catalogue import Catalogue, fetch
from statelab.repro.targets import Target


class NotOffered(Exception):
    """This server cannot have the mechanism, so there is nothing to install or start."""


class Availability:
    """Asks each deployment once which mechanisms it has, because the same app does not have all of them on every
    server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._offered: dict[str, Catalogue] = {}

    def require(self, target: Target) -> None:
        """Raises Unavailable if a store or the deployment is missing, NotOffered if its server cannot have the
        mechanism."""
        missing = self._engine.reasons()
        for name in (target.deployment.name, target.claims.store, "redis" if target.schedule.gated else None):
            if name in missing:
                raise Unavailable(missing[name])
        name = target.deployment.name
        if name not in self._offered:
            self._offered[name] = fetch(self._engine.url(name))
        offered = self._offered[name].workloads[target.workload].mechanisms[target.mechanism]
        if offered.unavailable:
            raise NotOffered(offered.unavailable)
