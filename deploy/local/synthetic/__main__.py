"""``python -m deploy.local.synthetic OUT --count N``: write synthetic pictures of leaves into a folder.

``python -m deploy.local.synthetic flight --images N --out OUT`` writes those of a flight over a field.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.synthetic.flight import command as flight
from deploy.local.synthetic.folder import DEFAULT_SIZE, FORMATS, Size, write_set
from shared.usage import description_of

MAX_PIXELS = 20_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the set and print what was written."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["flight"]:
        return flight.main(words[1:])
    parser = argparse.ArgumentParser(prog="python -m deploy.local.synthetic", description=description_of(__doc__))
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to write into")
    parser.add_argument("--count", type=_count, default=60, help="readable pictures (default 60)")
    parser.add_argument("--seed", type=_count, default=0)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--mixed", action="store_true", help="sizes from 256 pixels to 20 megapixels")
    sizes.add_argument("--size", type=_size, default=DEFAULT_SIZE, help="WxH in pixels, up to 20 megapixels")
    parser.add_argument("--broken", type=_count, default=0, help="additional files that are not pictures")
    parser.add_argument("--format", choices=sorted(FORMATS), default="jpeg")
    options = parser.parse_args(words)
    paths = write_set(
        options.out,
        options.count,
        seed=options.seed,
        size=None if options.mixed else options.size,
        broken=options.broken,
        image_format=options.format,
    )
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    print(f"{len(paths)} synthetic files, {megabytes:.1f} MB, in {options.out}")
    return 0


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def _size(text: str) -> Size:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= size[0] * size[1] <= MAX_PIXELS:
        raise argparse.ArgumentTypeError(f"must be WIDTHxHEIGHT with up to {MAX_PIXELS} pixels")
    return size


if __name__ == "__main__":
    raise SystemExit(main())
