"""Who answers a request, said by the app itself: one line of an app that the lab did not start.

    app.wsgi_app = statelab.identity.wrap(app.wsgi_app)

Each answer then names its host, process, thread and greenlet (`X-Served-By`). Needs the standard library only, and no
other part of the lab. It is the module that the lab's own app uses; a checkout and a wheel each have it once.
"""

from importlib.util import module_from_spec, spec_from_file_location

from statelab.core.paths import SERVICES

_spec = spec_from_file_location("statelab_identity", SERVICES / "statelab_identity.py")
assert _spec
assert _spec.loader
_module = module_from_spec(_spec)
_spec.loader.exec_module(_module)

wrap = _module.identified
"""The WSGI app that adds to every answer of another one who gave it."""
