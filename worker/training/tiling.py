"""The tiles that a classifier has learned from cut-outs, for ``tiling`` of its manifest.

Edge and ground resolution are those of the cut-outs. The coarse end of the range is measured: held-out cut-outs lose
pixels, as if a camera from higher up had seen the same piece of ground, until their answers fail
(``worker.training.reach``). The fine end is that of the cut-outs: nobody knows what more detail would do.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.contracts.manifest import LearnedLight, ManifestTiling
from shared.contracts.tiling import MIN_EDGE
from worker.training.cut_outs import CutPhotograph, photograph_of
from worker.training.dataset import LabelledFile
from worker.training.measure import Answers
from worker.training.reach import SCALES, Step, reach
from worker.training.sheets import Picture

# Of the classified tiles of a photograph those that must count, for any answer, and their number, for "healthy".
MIN_SHARE = 0.1
MIN_TILES = 4
DIGITS = 3


def cut_of(file: LabelledFile, cuts: Mapping[str, CutPhotograph]) -> CutPhotograph | None:
    """Return the cut of a file of a training; None if it is no cut-out."""
    return cuts.get(photograph_of(file.path))


def learned_tiling(
    cuts: Sequence[CutPhotograph], light: LearnedLight, answers_with: Callable[[int], Answers]
) -> ManifestTiling:
    """Describe the tiles that a classifier has learned.

    Args:
        cuts: of its cut-outs; there is at least one.
        light: that they were taken in.
        answers_with: answers for held-out cut-outs that have only so many pixels along an edge.
    """
    edge = Counter(cut.edge for cut in cuts).most_common(1)[0][0]
    rule = ManifestTiling(edge=max(MIN_EDGE, edge), min_tiles=MIN_TILES, min_share=MIN_SHARE, light=light)
    seen = [cut.ground_resolution_mm for cut in cuts if cut.ground_resolution_mm is not None]
    if not seen:
        return rule
    steps = {scale: _step(answers_with(max(1, round(edge * scale)))) for scale in SCALES if scale <= 1}
    _, scale = reach(steps)
    edges = [cut.edge * cut.ground_resolution_mm for cut in cuts if cut.ground_resolution_mm is not None]
    span = min(seen), max(*seen, median(seen) / scale)
    return rule.model_copy(
        update={
            "edge_mm": round(median(edges), DIGITS),
            "ground_resolution_mm": (round(span[0], DIGITS), round(span[1], DIGITS)),
        }
    )


def coarser(picture: Picture, pixels: int) -> Picture:
    """Return a picture of which only so many pixels along an edge are left, in its own size."""
    height, width = picture.shape[:2]
    if pixels >= max(height, width):
        return picture
    small = Image.fromarray(picture).resize((pixels, pixels), Image.Resampling.BICUBIC)
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def _step(answers: Answers) -> Step:
    """Sum up answers as those of tiles, of which those count that need no review."""
    counts = ~answers.review
    masks = [answers.labels == label for label in range(len(answers.classes))]
    return Step(
        _share(answers.right[counts]),
        tuple(_share(answers.right[counts & mask]) for mask in masks),
        tuple(_share(counts[mask]) for mask in masks),
    )


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if values.size else 0.0
