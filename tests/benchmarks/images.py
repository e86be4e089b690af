"""Sets of images for benchmarks: real ones where they are, synthetic ones elsewhere."""

import io
from pathlib import Path

from deploy.local.synthetic import render

REAL = Path(__file__).parents[3] / "shared" / "data"
KINDS = ("healthy", "powdery_mildew", "rust")
FULL_SIZE = (4000, 2672)
SMALL = (256, 256)
# Enough different pictures that no cache of the processor knows them all.
DIFFERENT = {"small": 60, "full": 10}


def write_set(kind: str, folder: Path, count: int) -> str:
    """Write ``count`` files that all differ, by repeating pictures with other last bytes; say where they come from.

    What follows the end marker of a JPEG is not part of the picture (ITU-T T.81, B.1.1.3), so the work is the same,
    and the service does not take the files for duplicates.
    """
    pictures, origin = _pictures(kind)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        picture = pictures[number % len(pictures)]
        (folder / f"{kind}_{number:05d}.jpg").write_bytes(picture + number.to_bytes(4, "big"))
    size = sum(len(picture) for picture in pictures) / len(pictures)
    return f"{count} files of {len(pictures)} {origin}, {size / 1e6:.2f} MB on average"


def _pictures(kind: str) -> tuple[list[bytes], str]:
    real = {
        "small": REAL / "leaves" / "apple-field" / "validation",
        "full": REAL / "leaves-full-size",
    }[kind]
    if real.is_dir():
        files = sorted(path for path in real.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
        return [file.read_bytes() for file in files[: DIFFERENT[kind]]], "real photographs"
    size = SMALL if kind == "small" else FULL_SIZE
    made = []
    for number in range(DIFFERENT[kind]):
        stream = io.BytesIO()
        render(KINDS[number % len(KINDS)], size, seed=number).save(stream, "JPEG", quality=90)
        made.append(stream.getvalue())
    return made, "synthetic pictures"
