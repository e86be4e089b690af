"""The cost of a job before anything is sent: the tiles of each photograph, counted from the heads of the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from phytobatch.files.discovery import FoundFile
from phytobatch.files.hashing import in_order
from phytobatch.files.picture_size import Size, picture_size
from phytobatch.resources import JsonObject
from phytobatch.tiles.tiling import Tiling


@dataclass(frozen=True)
class Photograph:
    """A file with its size in pixels and its number of tiles; None: its head cannot be read."""

    file: FoundFile
    pixels: Size | None
    tiles: int | None

    def to_json(self) -> JsonObject:
        """Return it as ``submit --dry-run --json`` prints it."""
        width, height = self.pixels or (None, None)
        return {"path": str(self.file.path), "width": width, "height": height, "tiles": self.tiles}


@dataclass(frozen=True)
class Estimate:
    """The photographs of a job. A whole photograph is one tile of work."""

    photographs: Sequence[Photograph]

    @property
    def tiles(self) -> int:
        """The number of tiles of all photographs whose head could be read."""
        return sum(one.tiles or 0 for one in self.photographs)

    @property
    def unread(self) -> list[Photograph]:
        """The photographs whose head cannot be read."""
        return [one for one in self.photographs if one.tiles is None]

    def by_size(self) -> list[tuple[Size, int, int]]:
        """Return each size with its photographs and the tiles of one of them, the most frequent first."""
        sizes = Counter(one.pixels for one in self.photographs)
        tiles = {one.pixels: one.tiles for one in self.photographs}
        return [(size, number, tiles[size] or 0) for size, number in sizes.most_common() if size is not None]


def estimate(files: Iterable[FoundFile], tiling: Tiling | None) -> Estimate:
    """Count the tiles of files; ``tiling`` is in pixels, None for whole photographs."""
    return Estimate(list(in_order(lambda file: _photograph(file, tiling), files)))


def _photograph(file: FoundFile, tiling: Tiling | None) -> Photograph:
    pixels = picture_size(file.path)
    if tiling is None:
        return Photograph(file, pixels, 1)
    return Photograph(file, pixels, None if pixels is None else tiling.count(*pixels))
