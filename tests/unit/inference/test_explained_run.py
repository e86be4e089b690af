"""Explanations through a pipeline: of whole photographs, of tiles, of known tiles; and none without a map."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

from shared.contracts.explanations import cells_of
from shared.contracts.manifest import Manifest, ManifestTiling, Preprocessing
from shared.contracts.outputs import ModelOutputs
from shared.contracts.states import ImageErrorCode, ImageStatus
from shared.tiles.grid import lay_grid
from tests.unit.inference.colours import ColourClassifier
from worker.inference.pipeline import Item, Outcome, Pipeline
from worker.inference.tiles.tile_cut import KnownTiles, TileCut

Encode = Callable[..., bytes]
RED, GREEN, BLUE = (230, 20, 20), (20, 230, 20), (20, 20, 230)
EDGE = 32
RED_NUMBER, GREEN_NUMBER = 0, 1


@pytest.fixture
def manifest(make_manifest: Callable[..., Manifest]) -> Manifest:
    """Of a classifier with a map of 2 x 4 cells."""
    return make_manifest(
        schema_version=2,
        input_size=(8, 16),
        outputs=ModelOutputs(map="map", map_size=(2, 4)),
        tiling=ManifestTiling(edge=EDGE, min_tiles=1),
        preprocessing=Preprocessing(exif_orientation=True),
    )


@pytest.fixture
def pipeline(manifest: Manifest) -> Iterator[Pipeline]:
    with Pipeline(
        ColourClassifier(manifest), batch_size=4, download_threads=2, decode_threads=2, bytes_in_flight=10**6
    ) as made:
        yield made
    assert (made.bytes_in_use, made.decoded_room.in_use) == (0, 0)


def spotted(width: int, height: int, box: tuple[int, int, int, int]) -> Image.Image:
    """A green picture with a red spot."""
    image = Image.new("RGB", (width, height), GREEN)
    image.paste(RED, box)
    return image


def run(pipeline: Pipeline, data: bytes, *, explain: bool = True, cut: TileCut | None = None) -> Outcome:
    (outcome,) = pipeline.run([Item(0, "a.png", tiles=cut)], lambda _: data, explain=explain)
    return outcome


def cells(outcome: Outcome) -> list[list[int]]:
    assert outcome.interpretation is not None
    assert outcome.interpretation.explanation is not None
    return cells_of(outcome.interpretation.explanation.packed)


def test_a_photograph_says_where_its_label_comes_from(pipeline: Pipeline, encode: Encode) -> None:
    data = encode(spotted(160, 80, (0, 0, 120, 80)), "PNG")
    outcome = run(pipeline, data)
    assert outcome.interpretation is not None
    assert outcome.interpretation.label == "red"
    assert cells(outcome) == [[255, 255, 255, 0]] * 2


def test_nobody_who_does_not_ask_gets_one(pipeline: Pipeline, encode: Encode) -> None:
    data = encode(spotted(160, 80, (0, 0, 120, 80)), "PNG")
    outcome = run(pipeline, data, explain=False)
    assert outcome.interpretation is not None
    assert outcome.interpretation.explanation is None


def test_a_classifier_without_a_map_answers_as_before(classifier: ColourClassifier, encode: Encode) -> None:
    data = encode(spotted(160, 80, (0, 0, 120, 80)), "PNG")
    with Pipeline(classifier, batch_size=4, download_threads=1, decode_threads=1, bytes_in_flight=10**6) as without:
        whole, tiled = run(without, data), run(without, data, cut=TileCut(EDGE))
    assert whole.interpretation is not None
    assert (whole.interpretation.label, whole.interpretation.explanation) == ("red", None)
    assert tiled.answer is not None
    assert tiled.explanations == {}


@pytest.mark.parametrize("is_applied", [True, False])
def test_it_lies_on_the_upright_photograph_whatever_the_classifier_saw(
    make_manifest: Callable[..., Manifest], encode: Encode, *, is_applied: bool
) -> None:
    """Stored turned to the left (orientation 6): upright, the red half is above."""
    manifest = make_manifest(
        schema_version=2,
        input_size=(8, 8),
        outputs=ModelOutputs(map="map", map_size=(4, 4)),
        preprocessing=Preprocessing(exif_orientation=is_applied),
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(spotted(80, 80, (0, 0, 60, 80)), "PNG", exif=exif)
    with Pipeline(
        ColourClassifier(manifest), batch_size=1, download_threads=1, decode_threads=1, bytes_in_flight=10**6
    ) as made:
        assert cells(run(made, data)) == [[255] * 4, [255] * 4, [255] * 4, [0] * 4]


def test_every_tile_says_where_its_label_comes_from(pipeline: Pipeline, encode: Encode) -> None:
    data = encode(spotted(2 * EDGE, EDGE, (0, 0, 24, EDGE)), "PNG")
    outcome = run(pipeline, data, cut=TileCut(EDGE))
    assert outcome.answer is not None
    assert outcome.explanations is not None
    found = {tile: cells_of(one.packed) for tile, one in outcome.explanations.items()}
    assert found == {0: [[255, 255, 255, 0]] * 2, 1: [[255] * 4] * 2}


def test_of_a_known_answer_only_what_is_asked_is_cut_and_for_its_own_label(pipeline: Pipeline, encode: Encode) -> None:
    data = encode(spotted(4 * EDGE, 3 * EDGE, (5, 0, 24, EDGE)), "PNG")
    grid = lay_grid(4 * EDGE, 3 * EDGE, EDGE)
    labels = {0: GREEN_NUMBER, 7: GREEN_NUMBER, 11: RED_NUMBER}
    outcome = run(pipeline, data, cut=TileCut(EDGE, known=KnownTiles(grid, labels)))
    assert (outcome.status, outcome.answer) == (ImageStatus.SUCCEEDED, None)
    assert outcome.explanations is not None
    found = {tile: np.array(cells_of(one.packed)) for tile, one in outcome.explanations.items()}
    assert found.keys() == labels.keys()
    assert found[0].max() == 255  # It is called red now, and was called green by the answer that is explained.
    assert (found[0][:, 3] == 255).all()
    assert (found[7] == 255).all()
    assert (found[11] == 0).all()
    assert sum(getattr(pipeline.classifier, "batches")) == len(labels)  # noqa: B009  # the fake has more than the Protocol


def test_a_photograph_that_was_replaced_is_not_explained(pipeline: Pipeline, encode: Encode) -> None:
    data = encode(spotted(3 * EDGE, EDGE, (0, 0, 4, 4)), "PNG")
    known = KnownTiles(lay_grid(2 * EDGE, EDGE, EDGE), {0: RED_NUMBER})
    outcome = run(pipeline, data, cut=TileCut(EDGE, known=known))
    assert outcome.error is not None
    assert outcome.error.code is ImageErrorCode.SIZE_MISMATCH
    assert "96 x 32 pixels now, and the answer is about 64 x 32" in outcome.error.detail
