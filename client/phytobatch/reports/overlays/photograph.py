"""The photographs behind a job: found on this computer by their names, and opened upright in a bounded size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from phytobatch.errors import FileUnreadable
from phytobatch.files.discovery import find_images
from phytobatch.files.pictures import FORMATS

if TYPE_CHECKING:
    from PIL.Image import Image

# Smaller photographs are drawn larger, so that words on them can be read.
SHORTEST_SIDE = 1000


class LocalPhotographs:
    """The images below some folders, by name."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._files: dict[str, list[Path]] = defaultdict(list)
        for found in find_images(folders).files:
            self._files[PurePosixPath(found.relative).name].append(found.path)

    def find(self, name: str) -> Path | None:
        """Return the file of an image of a job: results have no checksum of it, so its name must be there once.

        The same name in two folders may be two photographs.
        """
        candidates = self._files.get(PurePosixPath(name).name, [])
        return candidates[0] if len(candidates) == 1 else None


def open_upright(path: Path, *, longest: int, expected: tuple[int, int] | None = None) -> Image:
    """Return the photograph as the camera was held, in RGB, its longest side at most ``longest`` pixels.

    Args:
        path: of the file.
        longest: pixels.
        expected: width and height of the upright original, if the answer says them.

    Raises:
        FileUnreadable: it cannot be read, or is another photograph.
    """
    from PIL import Image as Images
    from PIL import ImageOps

    try:
        with Images.open(path, formats=FORMATS) as image:
            if expected is not None:
                _check_size(path, image.size, expected)
            size = image.size
            image.draft("RGB", (longest, longest))
            upright = ImageOps.exif_transpose(image).convert("RGB")
            is_turned = (upright.width > upright.height) != (size[0] > size[1])
            original = expected or (size[::-1] if is_turned else size)
            return upright.resize(drawn_size(original, longest), Images.Resampling.LANCZOS)
    except FileUnreadable:
        raise
    except Exception as error:  # Pillow raises a dozen kinds for what is no picture
        raise FileUnreadable(f"{path} cannot be drawn: {error}") from error


def _check_size(path: Path, stored: tuple[int, int], expected: tuple[int, int]) -> None:
    if stored not in {expected, expected[::-1]}:  # A file may be stored turned.
        raise FileUnreadable(
            f"{path} is {stored[0]} x {stored[1]} pixels, and the answer is about {expected[0]} x {expected[1]}"
        )


def drawn_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return the size of a drawing: that of the photograph, bounded on both ends."""
    largest = max(size)
    scale = min(longest, max(largest, min(SHORTEST_SIDE, longest))) / largest
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
