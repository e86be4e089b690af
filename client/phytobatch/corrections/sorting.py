"""Cut-outs of tiles that a person sorts into folders: which ones, and what the folders say.

The names of the files are those of a training folder (``phytobatch.corrections.folder``), so a sorted folder is one.
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from phytobatch.corrections.folder import LABEL, beginning_of
from phytobatch.errors import ConfigurationError


@dataclass(frozen=True)
class Sorted:
    """The labels of images and tiles, and how many files of this job still lie beside the folders.

    A key is the number of an image and of a tile of it; None: the image as a whole.
    """

    labels: Mapping[tuple[int, int | None], str]
    unsorted: int

    def table(self) -> bytes:
        """Return it as a table of corrections."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(("seq", "tile", "label"))
        for (seq, tile), label in self.labels.items():
            writer.writerow((seq, "" if tile is None else tile, label))
        return text.getvalue().encode()


def chosen_tiles(
    tiles: Mapping[int, int], number: int, *, without: Collection[tuple[int, int | None]], seed: int
) -> dict[int, list[int]]:
    """Choose tiles by chance, each as likely as any other, from all photographs.

    Args:
        tiles: the number of tiles of each photograph, by its own number.
        number: how many.
        without: photographs and tiles that are not asked for again.
        seed: the same one chooses the same tiles.

    Returns:
        The tiles of each photograph, in order.
    """
    left = [(seq, tile) for seq, count in tiles.items() for tile in range(count) if (seq, tile) not in without]
    chosen: dict[int, list[int]] = defaultdict(list)
    for seq, tile in sorted(random.Random(seed).sample(left, min(number, len(left)))):  # noqa: S311  # no secret
        chosen[seq].append(tile)
    return dict(chosen)


def read_sorted(job_id: str, folder: Path) -> Sorted:
    """Read what the folders of labels say of images and tiles of a job; files of other jobs are passed over.

    Raises:
        ConfigurationError: a folder has a name that no label can have, or an image or a tile lies in two of them.
    """
    pattern = re.compile(re.escape(beginning_of(job_id)) + r"([0-9]{6,})(?:\.([0-9]{5,}))?-")
    found: dict[tuple[int, int | None], Path] = {}
    for path in sorted(folder.glob("*/*")):
        name = pattern.match(path.name)
        if name is None:
            continue
        if not LABEL.fullmatch(path.parent.name):
            raise ConfigurationError(
                f"The folder {path.parent.name!r} cannot be a label: up to 64 of A-Z, a-z, 0-9, '.', '_' and '-', the "
                "first a letter or digit. Rename it."
            )
        place = int(name.group(1)), None if name.group(2) is None else int(name.group(2))
        other = found.setdefault(place, path)
        if other != path:
            raise ConfigurationError(f"{other} and {path} are the same picture: take one of them away.")
    labels = {place: path.parent.name for place, path in found.items()}
    return Sorted(labels, sum(pattern.match(path.name) is not None for path in folder.glob("*")))
