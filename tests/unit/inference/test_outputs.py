from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.contracts.manifest import Crop, Manifest, ReviewOutput, ReviewReason
from shared.contracts.outputs import ModelOutputs
from worker.inference.errors import ModelUnusable, OutputInvalid
from worker.inference.interpret import check_outputs
from worker.inference.outputs import ROW, match_outputs, outputs_of, shapes_of, wanted_names

ManifestFactory = Callable[..., Manifest]
DIMENSIONS = {"p": (3,), "r": (1,), "m": (2, 4, 3), "e": (64,), "c": (2,)}
SHAPES = {name: (None, *dimensions) for name, dimensions in DIMENSIONS.items()}


@pytest.fixture
def named(make_manifest: ManifestFactory) -> Manifest:
    return make_manifest(
        schema_version=2,
        outputs=ModelOutputs(probabilities="p", review="r", map="m", map_size=(2, 4), embedding="e", crop="c"),
        crops=(Crop(id="apple"), Crop(id="bean")),
        review_outputs=(ReviewOutput(name="elsewhere", reason=ReviewReason.NOT_A_LEAF, limit=0.5),),
    )


def arrays(**overrides: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    made: dict[str, NDArray[np.float32]] = {name: np.zeros((2, *d), np.float32) for name, d in DIMENSIONS.items()}
    made["p"][:, 1], made["r"][:], made["c"][:, 0] = 1, 0.25, 1
    return made | overrides


def test_a_manifest_names_outputs_and_their_shapes(named: Manifest, make_manifest: ManifestFactory) -> None:
    assert shapes_of(named) == SHAPES
    assert shapes_of(make_manifest()) == {ROW: (None, 3)}


def test_a_map_is_asked_for_only_where_somebody_wants_it(named: Manifest, make_manifest: ManifestFactory) -> None:
    assert wanted_names(named, maps=True) == ("p", "r", "m", "e", "c")
    assert wanted_names(named, maps=False) == ("p", "r", "e", "c")
    assert wanted_names(make_manifest(), maps=True) == (ROW,)


def test_arrays_become_rows_crops_bytes_and_maps(named: Manifest) -> None:
    embedding = np.zeros((2, 64), np.float32)
    embedding[0, :4] = (0.5, -1, 1, 1.7)
    found = outputs_of(arrays(e=embedding), named)
    np.testing.assert_array_equal(found.rows, [[0, 1, 0, 0.25]] * 2)
    assert found.rows.dtype == np.float32
    assert found.crops is not None
    np.testing.assert_array_equal(found.crops, [[1, 0]] * 2)
    assert found.embeddings is not None
    assert found.embeddings.dtype == np.int8
    assert found.embeddings[0, :5].tolist() == [64, -127, 127, 127, 0]
    assert found.maps is not None
    assert found.maps.shape == (2, 2, 4, 3)
    check_outputs(found, named)


def test_without_a_map_the_others_are_there(named: Manifest) -> None:
    found = outputs_of({name: array for name, array in arrays().items() if name != "m"}, named)
    assert found.maps is None
    assert found.embeddings is not None


def test_a_row_of_the_first_schema_is_rows_alone(make_manifest: ManifestFactory) -> None:
    rows = np.eye(3, dtype=np.float32)
    found = outputs_of({ROW: rows}, make_manifest())
    np.testing.assert_array_equal(found.rows, rows)
    assert (found.crops, found.embeddings, found.maps) == (None, None, None)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_an_output_that_is_missing_says_what_to_do(name: str, named: Manifest) -> None:
    declared = {other: shape for other, shape in SHAPES.items() if other != name}
    with pytest.raises(
        ModelUnusable, match=rf"model\.onnx has no output '{name}'.*`python -m worker\.training export`"
    ):
        assert match_outputs("model.onnx", declared, named) == {name: name for name in SHAPES}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_an_output_of_another_shape_says_which(name: str, named: Manifest) -> None:
    declared = SHAPES | {name: (*SHAPES[name][:-1], 7)}
    with pytest.raises(ModelUnusable, match=f"output '{name}' has the shape"):
        match_outputs("model.onnx", declared, named)


def test_dimensions_that_a_file_leaves_open_and_other_outputs_are_no_fault(named: Manifest) -> None:
    declared = SHAPES | {"m": ("images", "rows", None, 3), "logits": (None, 3)}
    assert match_outputs("model.onnx", declared, named) == {name: name for name in SHAPES}


def test_the_one_output_of_the_first_schema_may_have_any_name(make_manifest: ManifestFactory) -> None:
    assert match_outputs("model.onnx", {"Identity:0": ("n", 3)}, make_manifest()) == {ROW: "Identity:0"}
    with pytest.raises(ModelUnusable, match="must have one output, it has 'a', 'b'; a manifest of schema_version 2"):
        match_outputs("model.onnx", {"a": (None, 3), "b": (None, 3)}, make_manifest())
    with pytest.raises(ModelUnusable, match="output has the shape"):
        match_outputs("model.onnx", {"a": (None, 4)}, make_manifest())


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_an_array_of_another_shape_is_never_taken(name: str, named: Manifest) -> None:
    wrong = np.zeros((2, *DIMENSIONS[name][:-1], 9), np.float32)
    with pytest.raises(OutputInvalid, match=f"'{name}' in the shape"):
        outputs_of(arrays(**{name: wrong}), named)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"e": np.full((2, 64), np.nan, np.float32)}, "embedding"),
        ({"m": np.full((2, 2, 4, 3), np.inf, np.float32)}, "in a map"),
        ({"c": np.full((2, 2), np.nan, np.float32)}, "of a crop"),
        ({"c": np.ones((2, 2), np.float32)}, "for the crop, gave numbers that are no probabilities"),
        ({"p": np.ones((2, 3), np.float32)}, "no probabilities"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(overrides: dict[str, Any], words: str, named: Manifest) -> None:
    with pytest.raises(OutputInvalid, match=words):
        check_outputs(outputs_of(arrays(**overrides), named), named)
