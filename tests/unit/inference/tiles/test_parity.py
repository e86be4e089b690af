"""A tile gives the answer of a photograph of its pixels, with the classifier that is shipped."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from deploy.local.synthetic import render
from shared.tiles.grid import lay_grid
from worker.inference.interpret import Interpretation
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.onnx_classifier import OnnxClassifier
from worker.inference.pipeline import Item, Outcome, Pipeline, TileCut

pytestmark = pytest.mark.slow

REAL = Path(__file__).resolve().parents[5] / "shared" / "data" / "leaves-full-size"
SIZE = (1000, 700)


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    """A part of a real photograph where there is one, with edges that no tile fits."""
    files = sorted(REAL.rglob("*.jpg"))
    if not files:
        return render("rust", SIZE, seed=3)
    with Image.open(files[0]) as image:
        return image.convert("RGB").crop((1000, 600, 1000 + SIZE[0], 600 + SIZE[1]))


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    classifier = OnnxClassifier(shipped_classifier_dir(), batch_size=8)
    with Pipeline(classifier, batch_size=8, download_threads=2, decode_threads=2, bytes_in_flight=10**8) as pipeline:
        yield pipeline


def encoded(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def run(pipeline: Pipeline, pictures: list[Image.Image], cut: TileCut | None) -> list[Outcome]:
    data = [encoded(picture) for picture in pictures]
    items = [Item(seq, "", tiles=cut) for seq in range(len(data))]
    return sorted(pipeline.run(items, lambda item: data[item.seq]), key=lambda outcome: outcome.seq)


@pytest.mark.parametrize("edge", [224, 256, 300])
def test_a_tile_gives_the_answer_of_a_photograph_of_its_pixels(
    pipeline: Pipeline, photograph: Image.Image, edge: int
) -> None:
    grid, labels = lay_grid(*photograph.size, edge, 0.1), pipeline.classifier.manifest.labels
    (tiled,) = run(pipeline, [photograph], TileCut(edge, 0.1))
    alone = run(pipeline, [photograph.crop(grid.box(number)) for number in range(grid.tiles)], None)
    assert tiled.answer is not None
    assert len(alone) == grid.tiles >= 12
    light = pipeline.classifier.manifest.tiling and pipeline.classifier.manifest.tiling.light
    for tile, outcome in zip(tiled.answer.map, alone, strict=True):
        assert isinstance(outcome.interpretation, Interpretation)
        assert tile.label is not None
        assert labels[tile.label] == outcome.interpretation.label
        assert tile.confidence == pytest.approx(outcome.interpretation.confidence, abs=1e-5)
        if tile.review != "unusual_light":
            assert tile.review == outcome.interpretation.review_reason
        else:
            assert light is not None
