"""Outputs by name on both runtimes, of a small network with heads of classes and crops."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.contracts.manifest import MANIFEST_FILE, MODEL_FILE, ONNX_FILE, Crop, ReviewOutput, ReviewReason
from worker.inference.batches import LoadedClassifier
from worker.inference.errors import ModelUnusable
from worker.inference.keras_classifier import KerasClassifier, load_model
from worker.inference.onnx_classifier import OnnxClassifier
from worker.training.backbone import open_backbone
from worker.training.export import write_keras, write_onnx
from worker.training.network import CROP_HEAD, HEAD, REVIEW_CLASSES, training_network
from worker.training.review import Subspace, fit_subspace
from worker.training.serving import feature_model, named_outputs, round_weights, serving_model
from worker.training.write import write_classifier

CLASSES, CROPS, EDGE = 3, 2, 48
TEMPERATURE = 1.7
REASONS = (*REVIEW_CLASSES, ReviewReason.NOT_A_LEAF, ReviewReason.UNKNOWN_CROP)
OPENERS: dict[str, Callable[[Path], LoadedClassifier]] = {
    "keras": lambda folder: KerasClassifier(folder, batch_size=8),
    "onnx": lambda folder: OnnxClassifier(folder, batch_size=8),
}


def noise(count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(seed).random((count, EDGE, EDGE, 3), dtype=np.float32) * 2 - 1


def network(backbone: Any, crops: int = CROPS) -> Any:  # noqa: ANN401  # Keras publishes no types
    """A network as training leaves it, with heads that begin by chance."""
    import keras

    keras.utils.set_random_seed(3)
    made = training_network(backbone, CLASSES, crops=crops, trainable_from=backbone.layers[-1].name)
    round_weights(made)
    return made


def subspace_of(made: Any) -> Subspace:  # noqa: ANN401  # as above
    return fit_subspace(np.asarray(feature_model(made)(noise(40, 1), training=False)))


def write_folder(out: Path, serving: Any, crops: int = CROPS) -> Path:  # noqa: ANN401  # as above
    reasons = REASONS if crops else REASONS[:-1]
    write_classifier(
        out,
        lambda path: write_keras(serving, path),
        {
            "schema_version": 2,
            "name": "named",
            "version": "1",
            "classes": [{"id": name} for name in "abc"],
            "input_size": (EDGE, EDGE),
            "review_outputs": [ReviewOutput(name=f"o{n}", reason=r, limit=0.5) for n, r in enumerate(reasons)],
            "outputs": named_outputs(serving),
            "crops": [Crop(id=f"crop{n}") for n in range(crops)],
        },
    )
    write_onnx(load_model(out / MODEL_FILE), out / ONNX_FILE)
    change(out, onnx_sha256=sha256(out / ONNX_FILE))
    return out


def sha256(path: Path) -> str:
    from worker.inference.manifest import file_sha256

    return file_sha256(path)


def change(folder: Path, **fields: Any) -> None:  # noqa: ANN401  # as above
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest | fields))


@pytest.fixture(scope="module")
def trained(small_backbone: Path) -> Any:  # noqa: ANN401  # as above
    return network(open_backbone(small_backbone))


@pytest.fixture(scope="module")
def subspace(trained: Any) -> Subspace:  # noqa: ANN401  # as above
    return subspace_of(trained)


@pytest.fixture(scope="module")
def serving(trained: Any, subspace: Subspace) -> Any:  # noqa: ANN401  # as above
    return serving_model(trained, CLASSES, temperature=TEMPERATURE, subspace=subspace)


@pytest.fixture(scope="module")
def folder(serving: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ANN401  # as above
    return write_folder(tmp_path_factory.mktemp("named") / "named", serving)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_both_runtimes_give_every_output(folder: Path) -> None:
    keras, onnx = (opened(folder) for opened in OPENERS.values())
    for classifier in (keras, onnx):
        classifier.warm_up()
    for count in (1, 3, 8):
        expected, found = (one.arrays(noise(count), maps=True) for one in (keras, onnx))
        assert expected.keys() == found.keys() == {"probabilities", "review", "map", "embedding", "crop"}
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, atol=1e-4 * max(1, np.abs(values).max()), err_msg=name)


def test_what_looks_little_like_any_crop_is_an_output_of_the_review(folder: Path) -> None:
    found = OPENERS["onnx"](folder).classify(noise(5))
    assert found.crops is not None
    np.testing.assert_allclose(found.rows[:, -1], 1 - found.crops.max(axis=1), atol=1e-6)


@pytest.mark.parametrize("runtime", sorted(OPENERS))
def test_maps_come_only_when_they_are_asked_for(runtime: str, folder: Path) -> None:
    classifier = OPENERS[runtime](folder)
    without, whole = (classifier.classify(noise(3), maps=maps) for maps in (False, True))
    assert without.maps is None
    assert whole.maps is not None
    assert whole.maps.shape == (3, 12, 12, CLASSES)
    np.testing.assert_allclose(without.rows, whole.rows, atol=1e-5)
    assert without.crops is not None
    assert without.crops.shape == (3, CROPS)
    assert without.embeddings is not None
    assert without.embeddings.shape == (3, 64)
    assert without.embeddings.dtype == np.int8


def test_the_mean_of_a_map_is_the_logit_up_to_the_bias(trained: Any, serving: Any) -> None:  # noqa: ANN401  # as above
    kernel, _ = (np.asarray(w)[..., :CLASSES] for w in trained.get_layer(HEAD).get_weights())
    features = np.asarray(feature_model(trained)(noise(5), training=False))
    maps = np.asarray(serving(noise(5), training=False)["map"])
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), features @ kernel / TEMPERATURE, atol=1e-4)
    assert np.ptp(maps, axis=(1, 2)).min() > 0, "cells differ"


def test_the_probabilities_of_crops_are_those_of_the_network(trained: Any, serving: Any) -> None:  # noqa: ANN401  # as above
    expected = np.asarray(trained(noise(4), training=False)[CROP_HEAD])
    np.testing.assert_allclose(np.asarray(serving(noise(4), training=False)["crop"]), expected, atol=1e-5)


def test_alike_pictures_lie_close_to_each_other(folder: Path) -> None:
    pictures = np.concatenate([noise(4), noise(4) + 0.01])
    found = OPENERS["onnx"](folder).classify(pictures).embeddings
    assert found is not None
    distance = np.linalg.norm(found[:, None].astype(int) - found[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert distance.argmin(axis=1).tolist() == [4, 5, 6, 7, 0, 1, 2, 3]


def test_most_embeddings_of_the_training_fill_the_range(trained: Any, subspace: Subspace) -> None:  # noqa: ANN401  # as above
    features = np.asarray(feature_model(trained)(noise(40, 1), training=False))
    scaled = (features - subspace.mean) @ subspace.directions[:, :64] / subspace.scale
    assert 0.99 <= np.abs(scaled).max() <= 1.5
    assert (np.abs(scaled) <= 1).mean() >= 0.99


def test_a_served_folder_is_a_backbone_again(folder: Path, trained: Any) -> None:  # noqa: ANN401  # as above
    again = open_backbone(folder / MODEL_FILE)
    expected = np.asarray(feature_model(trained)(noise(2), training=False))
    np.testing.assert_allclose(np.asarray(again(noise(2), training=False)), expected, atol=1e-4)
    assert feature_model(network(again)).output_shape == (None, 32)


def test_a_network_without_average_pooling_and_crops_gives_neither(tmp_path: Path) -> None:
    import keras
    from keras import layers

    inputs = keras.Input((EDGE, EDGE, 3))
    flat = layers.Flatten()(layers.Conv2D(2, 12, strides=12)(inputs))
    made = network(keras.Model(inputs, flat), crops=0)
    serving = serving_model(made, CLASSES, temperature=1.0, subspace=subspace_of(made))
    assert named_outputs(serving).names == ("probabilities", "review", "embedding")
    folder = write_folder(tmp_path / "flat", serving, crops=0)
    for opened in OPENERS.values():
        classifier = opened(folder)
        classifier.warm_up()
        found = classifier.classify(noise(2), maps=True)
        assert (found.maps, found.crops) == (None, None)


@pytest.mark.parametrize("runtime", sorted(OPENERS))
@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({"embedding": "vector"}, "no output 'vector'.*'embedding'.*worker.training export"),
        ({"map_size": [7, 7]}, "output 'map' has the shape"),
        ({"embedding": "probabilities", "probabilities": "embedding"}, "output 'embedding' has the shape"),
    ],
)
def test_a_file_that_lacks_what_its_manifest_names_is_refused(
    runtime: str, outputs: dict[str, Any], words: str, copy: Path
) -> None:
    manifest = json.loads((copy / MANIFEST_FILE).read_text())
    change(copy, outputs=manifest["outputs"] | outputs)
    with pytest.raises(ModelUnusable, match=words):
        OPENERS[runtime](copy)


@pytest.mark.parametrize("runtime", sorted(OPENERS))
def test_many_outputs_are_no_row_of_the_first_schema(runtime: str, copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST_FILE).read_text())
    first = {key: value for key, value in manifest.items() if key not in {"outputs", "crops"}}
    (copy / MANIFEST_FILE).write_text(json.dumps(first | {"schema_version": 1}))
    with pytest.raises(ModelUnusable, match="schema_version"):
        OPENERS[runtime](copy)


def test_one_output_without_a_name_is_none_of_the_second_schema(small_backbone: Path, tmp_path: Path) -> None:
    import keras

    backbone = load_model(small_backbone)
    model = keras.Model(backbone.input, keras.layers.Dense(3, activation="softmax")(backbone.output))
    out = tmp_path / "plain"
    fields = {"name": "plain", "version": "1", "classes": [{"id": name} for name in "abc"], "input_size": (EDGE, EDGE)}
    write_classifier(out, lambda path: write_keras(model, path), fields)
    KerasClassifier(out, batch_size=2).warm_up()
    change(out, schema_version=2, outputs={"probabilities": "probabilities"})
    with pytest.raises(ModelUnusable, match="outputs without names"):
        KerasClassifier(out, batch_size=2)


def test_a_file_without_softmax_for_crops_is_found_at_warm_up(copy: Path) -> None:
    from worker.inference.errors import OutputInvalid

    manifest = json.loads((copy / MANIFEST_FILE).read_text())
    # The embedding has 64 columns and is no distribution.
    crops = [{"id": f"crop{n}"} for n in range(64)]
    change(copy, outputs=manifest["outputs"] | {"crop": "embedding", "embedding": None}, crops=crops)
    with pytest.raises(OutputInvalid, match="for the crop"):
        OnnxClassifier(copy, batch_size=2).warm_up()


def test_the_same_model_is_the_same_file_in_every_process(folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from worker.inference.keras_classifier import load_model\n"
        "from worker.training.export import write_onnx\n"
        "write_onnx(load_model(Path(sys.argv[1])), Path(sys.argv[2]))\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(folder / MODEL_FILE), str(tmp_path / "other.onnx")],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[2],
    )
    assert (tmp_path / "other.onnx").read_bytes() == (folder / ONNX_FILE).read_bytes()
