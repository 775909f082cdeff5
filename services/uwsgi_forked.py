"""Lets uWSGI's workers forget, after the fork, the threads that waited for a lock in the process they are forked from.

Since 3.13 CPython keeps a table of the threads that wait for a lock, and `os.fork` empties it in the child. uWSGI forks
without that, so a worker that wakes such a thread ends or hangs (docs/findings.md). A user's own app would have this
fault; here all mechanisms are in one app, and one that starts a thread at import would break the cells of all others.
Everything else of uWSGI's fork stays as it is. uWSGI imports this beside the lab's own app.
"""

import ctypes

import uwsgi

forget = getattr(ctypes.pythonapi, "_PyParkingLot_AfterFork", None)  # None: before CPython 3.13
if forget:
    forget.restype = None
    uwsgi.post_fork_hook = forget
