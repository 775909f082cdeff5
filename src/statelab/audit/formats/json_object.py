"""The one JSON object of `--json`."""

import json

from statelab.audit.finding import Audit
from statelab.audit.text import as_json


def render(audit: Audit) -> str:
    return json.dumps(as_json(audit), indent=1) + "\n"
