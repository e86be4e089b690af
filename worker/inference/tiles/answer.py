"""The answer of a photograph, made of the answers of its tiles.

A photograph is called diseased when a disease reaches ``report_from`` of its counted tiles, healthy only when at least
``min_tiles`` count and no disease does; and either only when ``min_share`` of its classified tiles count. Otherwise it
has no label and asks for a person: an answer without evidence is never healthy (docs/decisions/0031).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import HEALTHY, Manifest, ManifestTiling, ReviewReason
from shared.contracts.tiles import TileSkip
from shared.tiles.tile_map import Tile, TileMap, TileSums, sum_up
from worker.inference.interpret import interpret
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.tiles.tile_cut import TileCut, lay_tiles

HALF = 0.5


@dataclass(frozen=True, slots=True)
class TiledAnswer:
    """The answer for one photograph in tiles.

    ``sums`` are those of ``map``. ``label`` is a class id, None where the tiles decide nothing; ``confidence`` is the
    mean of the counted tiles that carry the label, 0 to 1, and None without one. ``review_reason`` says why a person
    should review it, None if no review is needed.
    """

    map: TileMap
    sums: TileSums
    label: str | None
    label_names: dict[str, str]
    confidence: float | None
    review_reason: ReviewReason | None

    @property
    def needs_review(self) -> bool:
        """True if a person should review the photograph."""
        return self.review_reason is not None


def tile_of(outputs: NDArray[np.float32], manifest: Manifest, *, unusual_light: bool) -> Tile:
    """Read one row of a classifier's output as that of a tile: ``interpret``, then the light.

    In a light that it has not learned, nothing that the classifier says of a tile is worth more than that.

    Raises:
        OutputInvalid: as ``interpret``.
    """
    answer = interpret(outputs, manifest)
    reason = ReviewReason.UNUSUAL_LIGHT if unusual_light else answer.review_reason
    return Tile(manifest.labels.index(answer.label), answer.confidence, reason)


def answer_of(answered: TileMap, manifest: Manifest, *, is_coarse: bool = False) -> TiledAnswer:
    """Answer for a photograph by the rule of the manifest; without ``tiling`` in it, the defaults hold.

    Args:
        answered: the map of its tiles.
        manifest: of the classifier that answered.
        is_coarse: the photograph is coarser than what the classifier has learned (see ``TileCut``).
    """
    rule = manifest.tiling or ManifestTiling()
    sums = sum_up(answered, manifest.labels)
    label = _label(sums, manifest, rule)
    return TiledAnswer(
        map=answered,
        sums=sums,
        label=label,
        label_names={} if label is None else dict(manifest.classes[manifest.labels.index(label)].names),
        confidence=None if label is None else _confidence(answered, manifest.labels.index(label)),
        review_reason=ReviewReason.TOO_COARSE if is_coarse else _review_reason(label, sums),
    )


def answer_of_skipped(
    width: int,
    height: int,
    cut: TileCut,
    manifest: Manifest,
    *,
    reason: TileSkip = TileSkip.TOO_COARSE,
    limits: PictureLimits = DEFAULT_LIMITS,
) -> TiledAnswer:
    """Answer for a photograph that is not classified at all: no tile of it counts.

    Args:
        width: of the upright photograph, in pixels.
        height: likewise.
        cut: its tiles.
        manifest: of the classifier that would have answered.
        reason: for skipping it.
        limits: of a picture.

    Raises:
        ImageError: ``too_many_tiles``.
    """
    return answer_of(TileMap.skipped(lay_tiles(width, height, cut, limits), reason), manifest)


def _label(sums: TileSums, manifest: Manifest, rule: ManifestTiling) -> str | None:
    if not sums.counted or sums.counted / _classified(sums) < rule.min_share:
        return None
    diseases = [label for label in manifest.labels if label != HEALTHY and sums.labels.get(label)]
    worst = max(diseases, key=lambda label: sums.labels[label], default=None)  # The first of them at a tie.
    if worst is not None and sums.labels[worst] / sums.counted >= rule.report_from:
        return worst
    return HEALTHY if sums.counted >= rule.min_tiles and HEALTHY in manifest.labels else None


def _confidence(answered: TileMap, label: int) -> float:
    """Return the mean confidence of the counted tiles with a label; there is at least one, or it is healthy by rule."""
    those = [tile.confidence or 0.0 for tile in answered if tile.counts and tile.label == label]
    return sum(those) / len(those) if those else 0.0


def _review_reason(label: str | None, sums: TileSums) -> ReviewReason | None:
    """Return the reason why there is no label: the first of the table that applies."""
    if label is not None:
        return None
    classified = _classified(sums)
    table = (
        (ReviewReason.TOO_COARSE, sums.skipped.get(TileSkip.TOO_COARSE, 0) == sums.total),
        (ReviewReason.UNUSUAL_LIGHT, sums.review.get(ReviewReason.UNUSUAL_LIGHT, 0) > HALF * classified),
        (ReviewReason.NO_LEAF, sums.review.get(ReviewReason.NOT_A_LEAF, 0) > HALF * classified),
    )
    return next((reason for reason, applies in table if applies), ReviewReason.TOO_FEW_TILES)


def _classified(sums: TileSums) -> int:
    return sums.total - sum(sums.skipped.values())
