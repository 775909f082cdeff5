"""`statelab_served:app`: the app that a real server serves for `--confirm`. It is the only file in its folder, which is
on the server's path.

It is the audited app behind the fence; each answer says which process gave it (`inside/served.py`).
"""

import importlib.util
import os

_START = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "start.py")
_spec = importlib.util.spec_from_file_location("_statelab_start", _START)
assert _spec is not None
assert _spec.loader is not None
_start = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_start)

app = _start.module("served").app()
