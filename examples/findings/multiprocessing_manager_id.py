"""A `multiprocessing` manager's proxy that was sent arrives as somebody else's object

Library: CPython 3.11.7
Store: the manager's own process
Expected: what was sent for ann opens: nothing any more
Actual: what was sent for ann opens: the data of bob

Why: The manager's process names each object by its `id()`, its address, and forgets it when the last proxy is gone, as
the documentation says. A proxy that is under way in a queue or a pipe is not counted. If the sender lets go of its own
meanwhile, the object is deleted, and the next one that anybody makes may be given the same address. The receiver's
proxy is then opened without an error, on an object that was never meant for it: a namespace, a queue, a lock.

Fix: A number that is never given again in place of the address; what was sent too late is then the error that it is.
"""

import itertools
import pickle
import sys
from multiprocessing import Manager, managers


def fix():
    numbers = itertools.count(1)
    managers.id = lambda shared: next(numbers)  # `Server.create` is what asks; the server is forked with it


def opened(manager):
    """What a proxy opens that was sent, and whose sender then let go of it, while others make objects of their own."""
    sent = pickle.dumps(manager.Namespace(user="ann"))
    others = [manager.Namespace(user="bob") for _ in range(20)]
    try:
        return f"the data of {pickle.loads(sent).user}" if others else ""
    except managers.RemoteError:
        return "nothing any more"


if "--fixed" in sys.argv:
    fix()
if __name__ == "__main__":
    with Manager() as manager:
        for _ in range(100):  # until the address is given again, which is up to the allocator
            answer = opened(manager)
            if answer != "nothing any more":
                break
    expected, actual = "what was sent for ann opens: nothing any more", f"what was sent for ann opens: {answer}"
    print(f"expected: {expected}\nactual: {actual}")
    sys.exit(expected != actual)
