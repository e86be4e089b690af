"""``python -m tests.benchmarks.corpus``: what comes of thousands of broken images, and what they cost.

The first files are bombs: small, and a lot of work for whoever believes them. The others are pictures of every format
and kind of compression, damaged in nine ways. ``make test`` reads the first few hundred of the same files.
"""

import argparse
from collections import Counter

from tests.benchmarks.report import heading
from tests.corpus.reading import MEBIBYTE, read_corpus


def main() -> None:
    """Read and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    heading("corpus: broken images through decoding, preprocessing and the search for their place")
    report = read_corpus(asked.files, seed=asked.seed)
    total: Counter[str] = sum(report.outcomes.values(), Counter())
    codes = [code for code, _ in total.most_common()]
    print(f"{report.files} files, seed {asked.seed}: no crash, no hang, nothing raised but typed errors\n")
    print(f"| format | files | {' | '.join(codes)} |")
    print(f"|---|{'---:|' * (len(codes) + 1)}")
    for kind, counts in [*report.outcomes.items(), ("all", total)]:
        print(f"| {kind} | {counts.total()} | {' | '.join(str(counts[code]) for code in codes)} |")
    print(f"\nslowest: {report.slowest:.2f} s ({report.slowest_file})")
    print(
        f"memory: {report.rss_growth / MEBIBYTE:.0f} MiB more at the end, {report.peak_growth / MEBIBYTE:.0f} MiB more"
    )
    print("at the peak than after one whole picture of each kind")


if __name__ == "__main__":
    main()
