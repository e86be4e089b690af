"""``python -m tests.benchmarks.capacity``: what so many images a day need, by inputs that a TOML file or --set changes.

Exit status 0; 1 with a sentence that says why; 2 for usage.
"""

import argparse
import sys
from pathlib import Path

from shared.usage import description_of
from tests.benchmarks.capacity.errors import CapacityError
from tests.benchmarks.capacity.read import read_inputs
from tests.benchmarks.capacity.tables import input_table, scaling_tables

SCALES = (1_000_000, 10_000_000)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.capacity", description=description_of(__doc__))
    parser.add_argument("file", nargs="?", type=Path, help="TOML with inputs, by section")
    parser.add_argument("--images", nargs="+", type=_images, default=SCALES, metavar="N", help="images a day")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.NAME=VALUE", help="one input; repeatable"
    )
    parser.add_argument("--inputs", action="store_true", help="print every input, and where its default comes from")
    return parser


def _images(text: str) -> int:
    digits = text.replace(",", "").replace("_", "")
    if not digits.isdecimal() or int(digits) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of images, as 1_000_000")
    return int(digits)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    asked = _parser().parse_args(arguments)
    try:
        inputs = read_inputs(asked.file, asked.set)
        print(input_table(inputs) if asked.inputs else scaling_tables(inputs, asked.images))
    except CapacityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
