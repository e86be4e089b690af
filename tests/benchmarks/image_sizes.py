"""``python -m tests.benchmarks.image_sizes IMAGE...``: how much each container image adds to its base.

Docker's own numbers: the bytes of its layers, unpacked. Standard library only: ``make images`` calls it.
"""

import json
import subprocess
import sys
from collections.abc import Sequence

BASE = "python:3.11-slim-bookworm"
MEGABYTE = 1_000_000


def size(image: str) -> int | None:
    """Bytes of an image; None where this Docker has none of that name."""
    command = ("docker", "image", "inspect", image)
    found = subprocess.run(command, capture_output=True, check=False)
    return int(json.loads(found.stdout)[0]["Size"]) if found.returncode == 0 else None


def main(images: Sequence[str]) -> int:
    """Print one line for each image. The builder may keep the base to itself; then it is counted as unknown."""
    base = size(BASE)
    for image in images:
        whole = size(image)
        if whole is None:
            print(f"{image}: there is no such image")
            return 1
        over = f"{(whole - base) / MEGABYTE:.0f} MB over {BASE}" if base else f"`docker pull {BASE}` to compare"
        print(f"{image}  {whole / MEGABYTE:.0f} MB, {over}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
