"""The files of a flight: photos, ``images.csv`` with their metadata, and ``truth.csv``."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from deploy.local.synthetic.exif import exif_of
from deploy.local.synthetic.flight.pictures import Leaves
from deploy.local.synthetic.flight.plan import Shot, shots
from deploy.local.synthetic.flight.xmp import dji_xmp

QUALITY = 90
METADATA, TRUTH = "images.csv", "truth.csv"


def write_flight(folder: Path, images: int, *, seed: int = 0, without_position: int = 0) -> list[Path]:
    """Write a flight of ``images`` photos; return their paths in flight order. The same arguments give the same bytes.

    Args:
        folder: made if missing. In addition to the photos it gets ``images.csv`` (row, bed and flight of each) and
            ``truth.csv`` (the kind of leaf that was drawn).
        images: number of photos.
        seed: of every random number.
        without_position: number of photos, evenly spread, whose GPS receiver was off.

    Raises:
        ValueError: a negative number, or more photos without a position than photos.
    """
    if not 0 <= without_position <= images:
        raise ValueError("images and without_position must not be negative, nor without_position more than images")
    folder.mkdir(parents=True, exist_ok=True)
    flown = list(shots(images, seed=seed))
    lost = set(np.linspace(0, images, without_position, endpoint=False, dtype=int).tolist())
    leaves, rng = Leaves(seed), np.random.default_rng([seed, images, 1])
    paths = [_write_photo(folder, shot, leaves, rng, located=shot.number not in lost) for shot in flown]
    _write_table(
        folder / METADATA, ("filename", "row", "bed", "flight"), ((s.name, s.row, s.bed, s.flight) for s in flown)
    )
    _write_table(folder / TRUTH, ("filename", "drawn"), ((s.name, s.kind) for s in flown))
    return paths


def _write_photo(folder: Path, shot: Shot, leaves: Leaves, rng: np.random.Generator, *, located: bool) -> Path:
    path = folder / shot.name
    exif = exif_of(shot.place if located else None, shot.taken, heading=shot.heading)
    xmp = {"xmp": dji_xmp(shot)} if located else {}
    leaves.photo(shot.kind, rng).save(path, "JPEG", quality=QUALITY, exif=exif, **xmp)
    return path


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
