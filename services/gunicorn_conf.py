"""gunicorn's configuration file under the lab, started by its path (servers/gunicorn.py).

It takes over what the app's own file (GUNICORN_CONFIG) sets, above all its hooks, except for what the deployment
decides. Without such a file it sets nothing, and gunicorn does not read one that happens to be in the app's folder.
"""

import os
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

DECIDED = """
accesslog backlog bind certfile chdir check_config control_socket control_socket_disable control_socket_mode daemon
disable_redirect_access_to_syslog errorlog graceful_timeout group http_parser initgroups keyfile logconfig
logconfig_dict logconfig_json max_requests max_requests_jitter pidfile preload_app print_config proc_name reload
reload_engine reuse_port spew syslog threads timeout user worker_class worker_tmp_dir workers wsgi_app
"""
"""Settings that the deployment decides, and those that the lab needs to start it, to ask it and to read its log."""


def load(name: str, path: Path) -> ModuleType:
    """The module of a file, kept in `sys.modules` under a name of its own, because its functions are called later."""
    spec = spec_from_loader(name, SourceFileLoader(name, str(path)))
    assert spec
    assert spec.loader
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if os.environ.get("GEVENT_PATCH") == "never":
    worker_class = load("__unpatched__", Path(__file__).with_name("unpatched.py")).UnpatchedWorker

if os.environ.get("GUNICORN_CONFIG"):
    taken, own = {*DECIDED.split()}, Path(os.environ["GUNICORN_CONFIG"])
    settings = {name: value for name, value in vars(load("__app_config__", own)).items() if not name.startswith("__")}
    globals().update({name: value for name, value in settings.items() if name not in taken})
    decided = sorted(taken & settings.keys())
    if decided:
        print(f"{own.name}: not used, the deployment decides: {', '.join(decided)}", file=sys.stderr, flush=True)
