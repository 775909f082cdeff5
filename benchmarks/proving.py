"""How long a judgement takes where the smallest proof has to be searched for: registers whose values repeat.

Each history is judged once, in a warm process, from columns to verdict and smallest witness, without a time limit. The
time of the clock is what a person waits, on a machine that does nothing else; that of the processor is the same there.
"""

import random
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.repeated_values import history
from statelab.check.kernels.model import Deadline
from statelab.check.models.register.model import MODEL

HISTORIES = 300
GOAL_P95_S, GOAL_MOST_S = 0.3, 3.0


def measure() -> None:
    """Prints how long half of the histories, 95 % of them and the slowest one took, and how large the witnesses are."""
    seconds, sizes = {"clock": list[float](), "processor": list[float]()}, list[int]()
    for number in range(HISTORIES):
        given = history(random.Random(f"repeated {number}"))
        clock, processor = time.perf_counter(), time.process_time()
        finding = MODEL.check(given, initial=None, deadline=Deadline())
        seconds["clock"].append(time.perf_counter() - clock)
        seconds["processor"].append(time.process_time() - processor)
        if finding.proof is None:
            raise RuntimeError(f"history {number} is violated, but no proof was found")
        sizes.append(len(finding.proof.rows))
    table = Table(
        title=f"Verdict and smallest witness of {HISTORIES} registers whose values repeat", title_justify="left"
    )
    for head in ("seconds", "p50", "p95", "max", f"goal: p95 < {GOAL_P95_S} s, max < {GOAL_MOST_S:g} s"):
        table.add_column(head, justify="left" if head == "seconds" else "right")
    for name, took in seconds.items():
        half, most, slowest = np.percentile(took, (50, 95, 100))
        reached = most < GOAL_P95_S and slowest < GOAL_MOST_S
        table.add_row(name, f"{half:.3f}", f"{most:.3f}", f"{slowest:.3f}", "yes" if reached else "NO")
    console = Console()
    console.print(table)
    few, middle, many = np.percentile(sizes, (0, 50, 100))
    console.print(f"witnesses of {few:.0f} to {many:.0f} operations, median {middle:.0f}", highlight=False)
