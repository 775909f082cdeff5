"""The audited app for a real server: behind the fence, in the copy of its folder; each answer has the id of its
process."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

from .fence import Fence
from .process import named

VARIABLE = "STATELAB_SERVED"
HEADER = "X-Statelab-Process"


def app() -> Any:
    """The app that the plan in the environment describes; the keys are those of `Process.load`."""
    plan = json.loads(os.environ[VARIABLE])
    sys.path[:0] = plan["path"]
    os.chdir(plan["folder"])
    Fence(plan["protected"], plan["allowed"], plan["inside"]).up()
    module, _, attribute = plan["app"].partition(":")
    found, call = named(importlib.import_module(module), attribute)
    served = found() if call else found

    def identified(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, (HEADER, str(os.getpid()))], *rest)

        return served(environ, start)

    return identified
