"""Which files of a folder are taken for images. What they really are, the decoder says."""

from collections.abc import Iterator
from pathlib import Path

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".tif", ".tiff", ".webp", ".bmp"})


def is_image_name(name: str) -> bool:
    """Whether a file name ends like that of an image, in any case."""
    return Path(name).suffix.lower() in IMAGE_SUFFIXES


def image_files(path: Path) -> Iterator[Path]:
    """The path itself where it is a file, whatever its name; every image below it where it is a folder, sorted."""
    if path.is_dir():
        yield from sorted(p for p in path.rglob("*") if p.is_file() and is_image_name(p.name))
    else:
        yield path
