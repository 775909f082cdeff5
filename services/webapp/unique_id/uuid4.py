"""`uuid.uuid4()`: 122 bits from the operating system for each call.

People suspect forks and threads; there is no state in the process that could be copied or shared. Since no state has to
be shared, it is right in every process and on every host, so it claims as much as a store.
"""

import uuid

from webapp.claims import CLUSTER, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="store")


def new_id(key: str, window: Window) -> str:
    window()
    return str(uuid.uuid4())
