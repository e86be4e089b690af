"""The answers of a classifier in tiles, measured through the code that serves."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.tiles.grid import Grid
from worker.inference.classifier import Classifier
from worker.inference.limits import PictureLimits
from worker.inference.pipeline import Item, Pipeline
from worker.inference.tiles.answer import TiledAnswer
from worker.inference.tiles.tile_cut import TileCut
from worker.training.errors import TrainingError
from worker.training.evaluate import BYTES_IN_FLIGHT
from worker.training.sheets import GROUND, MIXED, Picture, Sheet, truths

# Enough for a photograph of a camera in the smallest tiles; here nobody else waits.
LIMITS = PictureLimits(tiles=20_000)


@dataclass(frozen=True, slots=True)
class JudgedTiles:
    """The answers of tiles of a known truth, one entry for each.

    ``truth`` and ``label`` are indices of classes, uint8 (``GROUND`` for a tile without leaves); ``counts`` is False
    where the tile asks for a person, and ``reasons`` then says why ("" elsewhere).
    """

    truth: NDArray[np.uint8]
    label: NDArray[np.uint8]
    counts: NDArray[np.bool_]
    reasons: NDArray[np.str_]

    @property
    def is_leaf(self) -> NDArray[np.bool_]:
        """True where the truth is a class."""
        return np.asarray(self.truth < GROUND)

    @property
    def is_ground(self) -> NDArray[np.bool_]:
        """True where there is no leaf."""
        return np.asarray(self.truth == GROUND)

    def counted(self, of: NDArray[np.bool_]) -> float:
        """Return the part of some tiles that count; NaN if there are none."""
        return _share(self.counts[of])

    def right(self, of: NDArray[np.bool_]) -> float:
        """Return the part of the counted ones among some tiles whose label is the truth; NaN if none counts."""
        return _share((self.label == self.truth)[of & self.counts])

    def called(self, labels: Sequence[int], of: NDArray[np.bool_]) -> float:
        """Return the part of some tiles that count and have one of these labels; NaN if there are none."""
        return _share((self.counts & np.isin(self.label, labels))[of])


def judge_sheets(classifier: Classifier, sheets: Sequence[Sheet], edge: int) -> JudgedTiles:
    """Answer sheets in tiles of ``edge`` pixels, and judge the tiles that have a truth."""
    answers = answer_in_tiles(classifier, [as_file(sheet.pixels) for sheet in sheets], TileCut(edge))
    truth = [truths(sheet, answer.map.grid) for sheet, answer in zip(sheets, answers, strict=True)]
    judged = judged_tiles(answers, truth)
    has_truth = judged.truth != MIXED
    return JudgedTiles(
        judged.truth[has_truth], judged.label[has_truth], judged.counts[has_truth], judged.reasons[has_truth]
    )


def judged_tiles(answers: Sequence[TiledAnswer], truth: Sequence[NDArray[np.uint8]]) -> JudgedTiles:
    """Put the tiles of photographs beside their truth, (tiles,) for each photograph."""
    tiles = [tile for answer in answers for tile in answer.map]
    return JudgedTiles(
        np.concatenate(truth),
        np.array([MIXED if tile.label is None else tile.label for tile in tiles], np.uint8),
        np.array([tile.counts for tile in tiles]),
        np.array([tile.review or "" for tile in tiles]),
    )


def all_of(grid: Grid, label: int) -> NDArray[np.uint8]:
    """Return the truth of a photograph that shows one thing."""
    return np.full(grid.tiles, label, np.uint8)


def answer_in_tiles(
    classifier: Classifier, photographs: Sequence[bytes], cut: TileCut, *, threads: int = 2
) -> list[TiledAnswer]:
    """Answer photographs, as encoded bytes, in tiles.

    Raises:
        TrainingError: one of them cannot be answered.
    """
    items = [Item(seq, str(seq), len(data), tiles=cut) for seq, data in enumerate(photographs)]
    with Pipeline(
        classifier,
        batch_size=classifier.batch_size,
        download_threads=1,
        decode_threads=threads,
        bytes_in_flight=BYTES_IN_FLIGHT,
        limits=LIMITS,
    ) as pipeline:
        answers = dict(_answers(pipeline, items, photographs))
    return [answers[seq] for seq in range(len(photographs))]


def as_file(pixels: Picture) -> bytes:
    """Encode pixels without loss."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _answers(
    pipeline: Pipeline, items: Sequence[Item], photographs: Sequence[bytes]
) -> Iterator[tuple[int, TiledAnswer]]:
    for outcome in pipeline.run(items, lambda item: photographs[item.seq]):
        if outcome.answer is None:
            reason = outcome.error.detail if outcome.error else "no reason given"
            raise TrainingError(f"Photograph {outcome.seq} cannot be answered in tiles: {reason}")
        yield outcome.seq, outcome.answer


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if values.size else float("nan")
