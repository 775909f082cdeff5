"""`statelab audit`: what an app keeps in the wrong place, found without load and without luck.

In: an import string and stories of requests. Out: findings as frozen values (`audit`). One app is served in many
worlds, each a way in which some server serves it, and every world is compared with the app itself, served by one
process, one request after the other. docs/audit.md says how.
"""

from statelab.audit.finding import Audit
from statelab.audit.finding import Finding
from statelab.audit.run import audit

__all__ = ["Audit", "Finding", "audit"]
