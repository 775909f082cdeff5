"""Ends the lab's child processes when the lab itself has ended, even if it was killed.

Reads lines from standard input until it closes, which happens when the lab ends: `+ SIGNAL GROUP` is a process group to
end, `- GROUP` one that has ended already, `rm FOLDER` a folder to remove.
"""

import os
import shutil
import signal
import sys
import time

GRACE_S = 5.0


def _signal(group: int, number: int) -> bool:
    """Sends a signal to a process group; False if the group has ended."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def end_groups(groups: dict[int, int]) -> None:
    """Sends each group its signal, and SIGKILL to every group that has not ended after GRACE_S seconds."""
    left = {group for group, number in groups.items() if _signal(group, number)}
    deadline = time.monotonic() + GRACE_S
    while left and time.monotonic() < deadline:
        left = {group for group in left if _signal(group, 0)}
        time.sleep(0.05)
    for group in left:
        _signal(group, signal.SIGKILL)


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: dict[int, int] = {}
    folders: list[str] = []
    for line in sys.stdin:
        match line.split(maxsplit=2):
            case ["+", number, group]:
                groups[int(group)] = int(number)
            case ["-", group]:
                groups.pop(int(group), None)
            case ["rm", folder]:
                folders.append(folder)
    end_groups(groups)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
