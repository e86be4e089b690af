"""``python -m tests.benchmarks.corpus``: what comes of thousands of broken images, and what they cost.

The first files are bombs: small, and a lot of work for whoever believes them. The others are pictures of every format
and kind of compression, damaged in nine ways. ``make test`` reads the first few hundred of the same files.
"""

import argparse
from collections import Counter

from tests.benchmarks.figures import Figures
from tests.corpus.reading import MEBIBYTE, read_corpus


def main() -> None:
    """Read, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    figures = Figures(
        "corpus", f"broken images (seed {asked.seed}) through decoding, preprocessing and the search for their place"
    )
    report = read_corpus(asked.files, seed=asked.seed)
    print(f"{report.files} files, seed {asked.seed}: no crash, no hang, nothing raised but typed errors")
    total: Counter[str] = sum(report.outcomes.values(), Counter())
    for kind, counts in [*report.outcomes.items(), ("all", total)]:
        figures.add(f"{kind}: files", counts.total())
        for code in sorted(counts):
            figures.add(f"{kind}: {code}", counts[code], "files")
    figures.add("slowest file", report.slowest, "s")
    print(f"the slowest was {report.slowest_file}")
    print("memory, compared with that after one whole picture of each kind:")
    figures.add("memory: more at the end", report.rss_growth / MEBIBYTE, "MiB")
    figures.add("memory: more at the peak", report.peak_growth / MEBIBYTE, "MiB")
    print(figures.keep())


if __name__ == "__main__":
    main()
