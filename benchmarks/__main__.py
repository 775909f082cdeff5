"""`make bench`: the checkers (speed, memory, growth), then the lab itself (ratios of one run)."""

import argparse

from benchmarks import checking
from benchmarks import serving

PARTS = {"checking": checking.measure, "serving": serving.measure}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)} (default: both)")
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := sorted(set(chosen) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for part in chosen:
        PARTS[part]()


if __name__ == "__main__":
    main()
