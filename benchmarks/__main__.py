"""`make bench`: the start of each command, checkers (speed, memory, growth), proofs, the lab (ratios of one run)."""

import argparse

from benchmarks import checking
from benchmarks import proving
from benchmarks import serving
from benchmarks import starting

PARTS = {
    "starting": starting.measure,
    "checking": checking.measure,
    "proving": proving.measure,
    "serving": serving.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)} (default: all)")
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := sorted(set(chosen) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for part in chosen:
        PARTS[part]()


if __name__ == "__main__":
    main()
