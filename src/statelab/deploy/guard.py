"""Ends the lab's children when the lab itself is gone, however it went.

Reads lines from standard input and waits for its end, which comes when the lab ends, killed or not:
`+ SIGNAL GROUP` a process group to end, `- GROUP` it has ended, `rm FOLDER` a folder to remove.
"""

import os
import shutil
import signal
import sys
import time

GRACE_S = 5.0


def _signal(group: int, number: int) -> bool:
    """Sends to a process group; False where it has ended."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def end_groups(groups: dict[int, int]) -> None:
    """Sends each group its signal, and SIGKILL to those still there after GRACE_S seconds."""
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
