"""``python -m deploy.local.synthetic flight --images N --out OUT``: write the photographs of a flight over a field."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.synthetic.flight.write import write_flight
from shared.usage import description_of


def main(arguments: Sequence[str]) -> int:
    """Write the flight and print what was written."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local.synthetic flight", description=description_of(__doc__)
    )
    parser.add_argument("--images", type=int, default=2000, help="photos (default 2000)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-position", type=int, default=0, metavar="N", help="photos with the GPS switched off")
    options = parser.parse_args(arguments)
    try:
        paths = write_flight(options.out, options.images, seed=options.seed, without_position=options.without_position)
    except ValueError as error:
        parser.error(str(error))
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    sys.stdout.write(f"{len(paths)} synthetic photos of a flight, {megabytes:.1f} MB, in {options.out}\n")
    return 0
