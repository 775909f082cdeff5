"""`statelab audit`: finds state that an app keeps in the wrong place, without load and without luck.

In: an import string and stories of requests. Out: findings as frozen values (`audit`). The app is served in many
worlds; each is a way in which some server would serve it. Every world is compared with the reference: the same app
served by one process, one request after the other. docs/audit.md says how.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statelab.audit.finding import Audit, Finding
    from statelab.audit.run import audit

__all__ = ["Audit", "Finding", "audit"]


def __getattr__(name: str) -> Any:
    """Imports the audit when it is first used: pytest loads `inside.plugin` at each start, which does not need it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from statelab.audit import finding, run

    return run.audit if name == "audit" else getattr(finding, name)
