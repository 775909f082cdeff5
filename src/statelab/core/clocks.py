"""Stamps that a recorder and the master send each other, and whether two processes have one clock.

A recorder is a process that stamps operations by its own CLOCK_MONOTONIC. The master's is the clock of the run.
"""

import os
from pathlib import Path

import msgspec

MOST_DRIFT_PPM = 1000
"""How fast one clock may gain on another, in millionths. NTP may change the rate of a clock by 500 (adjtimex(2),
`freq`), and there are two clocks. A daemon that may slew faster (chrony's `maxslewrate`) must be told not to; if it
does it all the same, it is noticed as a step once exchanges contradict each other."""

_BOOT, _TIMES = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/time")


class Exchange(msgspec.Struct, frozen=True, array_like=True):
    """One question and its answer, in ns. The recorder's clock: when it was `sent`, when the answer was `got`. The
    master's: when it was `received`, when it was `answered`."""

    sent: int
    received: int
    answered: int
    got: int

    @property
    def bound_ns(self) -> int:
        """Half of the round trip without the master's part: so far off may the clock's offset be (Cristian 1989)."""
        return max(0, (self.got - self.sent) - (self.answered - self.received) + 1) // 2


def machine() -> str:
    """Names the clock of this process: CLOCK_MONOTONIC is one for all processes of a machine, containers too, but for
    those with a time namespace of their own (time_namespaces(7)). Empty where it cannot be told."""
    try:
        return f"{_BOOT.read_text().strip()} {os.readlink(_TIMES)}"
    except OSError:
        return ""
