"""What the load does for a workload: in the file of the workload's name in this folder.

A file has `act(client, cell)`, one operation of the load, and `meaning(operations, final)`, which says in one sentence
what a cell's operations and the final reads show at first sight. Where it needs them it has `audit(client, cell)`, one
read of the final state, and `prepare` and `finish`, which one client does alone before and after the load.
"""

import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from statelab.core.parts import part_of

sys.path.append(str(Path(__file__).parent))  # Locust takes it away again once it has read the locustfile


@cache
def load_of(workload: str) -> ModuleType:
    """The file of a workload. Raises BadInput naming what is missing."""
    return part_of(workload, "", "act", "meaning")
