"""`make fuzz`: every model against its referee on as many random histories as you have time for, from a seed.

Every second batch is loosened (see agreement.py). Ends with 1 at the first disagreement, which it prints as JSON Lines
with everything left out that is not needed.
"""

import argparse
import importlib
import random
import secrets
import sys
import time
from functools import partial

from agreement import batch, differs, lines, loosened, smallest_difference
from models.known import Known
from statelab.check.models import MODELS

BATCH = 20_000


def known(name: str) -> Known:
    found: Known = importlib.import_module(f"models.{name.replace('-', '_')}").KNOWN
    return found


def fuzz(name: str, count: int, seed: int) -> bool:
    """Whether the model agreed with its referee on all histories; says how far it is about every ten seconds."""
    model, start, said, valid_ones = known(name), time.monotonic(), 0.0, 0
    for first in range(0, count, BATCH):
        size = min(BATCH, count - first)
        drawn = loosened(model) if first // BATCH % 2 else model
        histories, valid, differing = batch(drawn, random.Random(f"{name} {seed} {first}"), size)
        valid_ones += sum(valid)
        if differing:
            smallest = smallest_difference(histories[differing[0]], partial(differs, model))
            print(f"{name}: the checker and the referee disagree on\n{lines(smallest)}", flush=True)
            return False
        elapsed = time.monotonic() - start
        if elapsed > said + 10 and first + size < count:
            said, left = elapsed, elapsed / (first + size) * (count - first - size)
            print(f"{name}: {first + size:,} of {count:,} histories, about {left:.0f} s left", flush=True)
    share = valid_ones / count
    print(f"{name}: {count:,} histories, {share:.0%} of them valid, no disagreement ({time.monotonic() - start:.0f} s)")
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="", help="by comma (default: all)")
    parser.add_argument("--count", type=int, default=1_000_000, help="histories of each model")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    options = parser.parse_args()
    names = options.models.replace(",", " ").split() or list(MODELS)
    unknown = sorted(set(names) - set(MODELS))
    if unknown or options.count < 1:
        parser.error(f"no model {', '.join(unknown)}; valid are {', '.join(MODELS)}" if unknown else "count from 1 on")
    print(f"seed {options.seed}, {options.count:,} histories of {', '.join(names)}", flush=True)
    sys.exit(not all([fuzz(name, options.count, options.seed) for name in names]))


if __name__ == "__main__":
    main()
