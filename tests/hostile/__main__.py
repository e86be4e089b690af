"""``python -m tests.hostile --minutes 10``: search for the picture that costs a worker most.

Structures of files are changed (counts, repeats, sides), and what costs most is changed further. Prints the worst that
it found; the exit status is 1 where a file took more than it may.
"""

import argparse
import sys

from tests.hostile.known import KNOWN
from tests.hostile.search import BY, MEBIBYTE, Cost, Found, search, subject

MAX_SECONDS = 10.0
MAX_MEMORY = 1024 * MEBIBYTE
MAX_TOGETHER = 2560 * MEBIBYTE  # With half a GiB of an idle worker, below 3 GiB (docs/faults.md).
NAMES = ("seconds of a processor", "seconds", "memory", "seconds for its size")


def main() -> int:
    """Search, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = Found()
    worst = [0.0] * len(BY)
    with subject() as tried:
        for cost, found in search(tried, seconds=60 * asked.minutes, seed=asked.seed):
            if any(by(cost) > before for by, before in zip(BY[:3], worst, strict=False)):
                worst = [max(before, by(cost)) for by, before in zip(BY, worst, strict=True)]
                print(f"{found.files:5d}  {cost}", flush=True)
        together = tried.cost(
            "the known ones, three times each, at the same time", *(build() for build in KNOWN.values())
        )
    print(f"\n{found.files} files: " + ", ".join(f"{count} {code}" for code, count in found.outcomes.most_common()))
    for name, by in zip(NAMES, BY, strict=True):
        print(f"most {name}: {found.worst(by)}")
    over = [cost for cost in found.costs if is_over(cost)]
    print(f"together: {together}")
    print(f"over {MAX_SECONDS:g} s of a processor or {MAX_MEMORY // MEBIBYTE} MiB: {len(over)}")
    return 1 if over or together.memory > MAX_TOGETHER else 0


def is_over(cost: Cost) -> bool:
    """Return True if a file took more than one may."""
    return cost.processor_seconds > MAX_SECONDS or cost.memory > MAX_MEMORY


if __name__ == "__main__":
    sys.exit(main())
