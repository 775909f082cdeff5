"""`make bench`: the start of each command, checkers (speed, memory, growth), proofs, the lab (ratios of one run), the
servers side by side, load by two workers, the audit (worlds per second, time, growth), the report's page in a slow
browser, datasets that do not fit into memory (LARGEST=100000000)."""

import argparse

from benchmarks import auditing, checking, distributed, page, proving, scale, servers, serving, starting

PARTS = {
    "starting": starting.measure,
    "checking": checking.measure,
    "proving": proving.measure,
    "serving": serving.measure,
    "servers": servers.measure,
    "distributed": distributed.measure,
    "audit": auditing.measure,
    "page": page.measure,
    "scale": scale.measure,
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
