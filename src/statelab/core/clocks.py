"""Time stamps that a recorder and the master exchange, and whether two processes share a clock.

A recorder is a process that stamps operations by its own CLOCK_MONOTONIC. The master's is the clock of the run.
"""

import os
from pathlib import Path

import msgspec

MOST_DRIFT_PPM = 1000
"""How fast one clock may gain on another, in millionths. NTP may change the rate of a clock by 500 (adjtimex(2),
`freq`), and there are two clocks. A daemon that may slew faster (chrony's `maxslewrate`) must be told not to. If it
still does, this shows as a step, once exchanges contradict each other."""

_BOOT, _TIMES = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/time")


class Exchange(msgspec.Struct, frozen=True, array_like=True):
    """One question and its answer, in ns. By the recorder's clock, the question was `sent` and the answer was `got`; by
    the master's clock, the question was `received` and `answered`."""

    sent: int
    received: int
    answered: int
    got: int

    @property
    def bound_ns(self) -> int:
        """The largest error of the clock's offset: half of the round trip, less the time that the master took (Cristian
        1989)."""
        return max(0, (self.got - self.sent) - (self.answered - self.received) + 1) // 2


def machine() -> str:
    """Names the clock of this process. All processes of a machine share CLOCK_MONOTONIC, also those in containers,
    except those with a time namespace of their own (time_namespaces(7)). Empty if it cannot be determined."""
    try:
        return f"{_BOOT.read_text().strip()} {os.readlink(_TIMES)}"
    except OSError:
        return ""
