"""Apache httpd with mod_wsgi: processes that each import the app before they serve, and threads in each of them.

In daemon mode the processes are mod_wsgi's own, in embedded mode they are httpd's. httpd, the module and the
interpreter in it are Debian's; the app imports the packages of the Python that starts this. The app runs in the main
interpreter, as mod_wsgi-express has it.
"""

import os
import platform
import pwd
import re
import sys
import sysconfig
from pathlib import Path

from servers import OneOf, Settings, Spread, Whole

INHERITS_SOCKET = False
NEEDS_LOCK = "the interpreter in Debian's module has the lock"
SETTINGS = {
    "WORKERS": Whole(default=1),
    "THREADS": Whole(default=15),
    "MODE": OneOf(("daemon", "embedded"), default="daemon"),
}
"""The defaults of mod_wsgi's `processes` and `threads`."""

CONFIG = """
ServerName localhost
ServerRoot {state}
PidFile {state}/httpd.pid
ErrorLog /dev/stderr
Listen {bind}
# With a ratio httpd binds with SO_REUSEPORT, as the lab's port asks for; up to 63 cores it is one socket all the same.
ListenCoresBucketsRatio 64
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {modules}/mod_wsgi.so
StartServers {processes}
ServerLimit {processes}
ThreadsPerChild {each}
MaxRequestWorkers {all}
MinSpareThreads 1
MaxSpareThreads {all}
{user}
{mode}
WSGIApplicationGroup %{{GLOBAL}}
<Directory {state}>
  Require all granted
</Directory>
"""

DAEMON = """
WSGISocketPrefix {state}/wsgi
WSGIRestrictEmbedded On
WSGIDaemonProcess statelab processes={workers} threads={threads} python-path={path} shutdown-timeout=2
WSGIScriptAlias / {state}/app.wsgi process-group=statelab application-group=%{{GLOBAL}}
"""

EMBEDDED = """
WSGIPythonPath {path}
# Else the first request to each process imports it, and others wait meanwhile.
WSGIImportScript {state}/app.wsgi process-group=%{{GLOBAL}} application-group=%{{GLOBAL}}
WSGIScriptAlias / {state}/app.wsgi
"""

SCRIPT = """
import os
os.chdir({folder!r})
from {module} import {name}
application = {attribute}
"""


def spread(settings: Settings) -> Spread:
    return Spread(workers=settings["WORKERS"], threads=settings["THREADS"])


def _find(name: str) -> Path:
    """A file of Debian's packages: installed, or unpacked into the folder PACKAGES."""
    for root in ("/", os.environ.get("PACKAGES") or "/"):
        if (Path(root) / name).exists():
            return Path(root) / name
    sys.exit(f"mod_wsgi: {Path(name).name} is missing: `apt-get install libapache2-mod-wsgi-py3`, or the lab's `setup`")


def run(app: str, settings: Settings) -> None:
    httpd, module = _find("usr/sbin/apache2"), _find("usr/lib/apache2/modules/mod_wsgi.so")
    built = re.search(rb"libpython(3\.\d+)", module.read_bytes())
    version = ".".join(platform.python_version_tuple()[:2])
    if built is None or built[1].decode() != version:
        sys.exit(
            f"mod_wsgi: Debian's is built for Python {built and built[1].decode()}, and the packages are for {version}"
        )
    state = Path(os.environ.get("SERVER_DIR") or os.environ["STATE_DIR"])
    user = os.environ.get("RUN_AS", "")
    if user:  # httpd and mod_wsgi refuse to serve as root
        entry = pwd.getpwnam(user)
        for path in (state, Path(os.environ.get("MANAGER_ADDRESS", state))):
            if path.exists():  # another app has no manager process
                os.chown(path, entry.pw_uid, entry.pw_gid)
    module_name, _, attribute = app.partition(":")
    attribute = attribute or "app"
    name = attribute.removesuffix("()")
    script = SCRIPT.format(folder=os.getcwd(), module=module_name, name=name, attribute=attribute)
    (state / "app.wsgi").write_text(script)
    embedded = settings["MODE"] == "embedded"
    mode = (EMBEDDED if embedded else DAEMON).format(
        state=state,
        workers=settings["WORKERS"],
        threads=settings["THREADS"],
        path=os.pathsep.join([*os.environ["PYTHONPATH"].split(os.pathsep), sysconfig.get_path("purelib")]),
    )
    processes, each = (settings["WORKERS"], settings["THREADS"]) if embedded else (1, 32)
    (state / "httpd.conf").write_text(
        CONFIG.format(
            state=state,
            bind=os.environ["BIND"],
            modules=module.parent,
            user=f"User {user}\nGroup #{pwd.getpwnam(user).pw_gid}" if user else "",
            mode=mode,
            processes=processes,
            each=each,
            all=processes * each,
        )
    )
    libraries = {str(library.parent) for library in httpd.parents[2].glob("usr/lib/*-linux-*/lib*.so*")}
    if httpd.parents[2] != Path("/"):
        os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(sorted(libraries))
    os.execv(httpd, [str(httpd), "-f", str(state / "httpd.conf"), "-D", "FOREGROUND"])
