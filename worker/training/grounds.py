"""Photographs without a leaf, from which a training cuts backgrounds and tiles that must get no answer."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.inference.decode import decode
from worker.inference.errors import ImageError
from worker.inference.files import images_below
from worker.training.errors import TrainingError
from worker.training.scenes.grounds import cut_grounds

log = logging.getLogger(__name__)

# 80 MB in memory; each is turned and mirrored by chance when it is shown.
CUTS = 400
EDGE = 256  # pixels


def read_grounds(folders: Sequence[Path], *, seed: int) -> NDArray[np.uint8]:
    """Cut grounds out of every photograph below some folders: uint8, (``CUTS``, ``EDGE``, ``EDGE``, 3).

    Without folders there are none, (0, ``EDGE``, ``EDGE``, 3).

    Raises:
        TrainingError: no photograph can be read.
    """
    paths = [path for folder in folders for path in images_below(folder)]
    rng = np.random.default_rng(seed)
    chosen = [paths[i] for i in rng.permutation(len(paths))[:CUTS]]
    each = -(-CUTS // max(1, len(chosen)))
    # One photograph at a time is in memory.
    cuts = [cut_grounds([picture], rng, count=each, edge=EDGE) for path in chosen for picture in _decoded(path)]
    if folders and not cuts:
        raise TrainingError(
            f"No photograph could be read below {', '.join(map(str, folders))}: name folders of pictures without a "
            "leaf with --grounds, or leave the option out."
        )
    return np.concatenate(cuts)[:CUTS] if cuts else np.zeros((0, EDGE, EDGE, 3), np.uint8)


def _decoded(path: Path) -> list[NDArray[np.uint8]]:
    """Return its pixels, none if it cannot be read."""
    try:
        return [decode(path.read_bytes())]
    except (ImageError, OSError) as error:
        log.warning("left out: %s: %s", path, error)
        return []
