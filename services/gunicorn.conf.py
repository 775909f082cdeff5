"""gunicorn as the deployment's environment describes it."""

import os
import sys
from typing import Any

worker_class: Any = os.environ["WORKER_CLASS"]

if worker_class == "gevent":
    patch = os.environ.get("GEVENT_PATCH", "early")
    if patch == "early":
        from gevent import monkey

        monkey.patch_all()  # before anything of the app is imported, with --preload too
    elif patch == "never":
        from unpatched import UnpatchedWorker

        worker_class = UnpatchedWorker
    elif patch != "late":  # late: gunicorn's worker does it when it starts, with --preload after the app was imported
        sys.exit(f"GEVENT_PATCH is {patch!r}; valid are early, late, never")

bind = f"fd://{os.environ['LISTEN_FD']}" if "LISTEN_FD" in os.environ else os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ["WORKERS"])
threads = int(os.environ["THREADS"])
max_requests = int(os.environ.get("MAX_REQUESTS", "0"))
preload_app = os.environ["PRELOAD"] == "1"

chdir = os.environ["APP_DIR"]
proc_name = f"statelab-{os.environ.get('DEPLOYMENT', 'app')}-{os.getpid()}"
control_socket_disable = True  # its default path is one for all gunicorns of a user
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
graceful_timeout = 3
timeout = 30
backlog = 1024
http_parser = "python"

if os.environ["APP"] == "webapp:create_app()":
    dirty_apps = ["dirty_actor:Counters"]
    dirty_workers = 1
