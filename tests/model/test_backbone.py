"""A backbone without batch normalisation is the same function."""

from pathlib import Path

import numpy as np
import pytest

from worker.inference.keras_classifier import load_model
from worker.training.backbone import FEATURES, fold_batch_norm, open_backbone
from worker.training.errors import TrainingError
from worker.training.network import training_network


def pixels(edge: int, count: int = 4) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).random((count, edge, edge, 3), dtype=np.float32) * 2 - 1


def test_folding_changes_no_feature(small_backbone: Path) -> None:
    model, folded = load_model(small_backbone), open_backbone(small_backbone)
    assert not [layer for layer in folded.layers if type(layer).__name__ == "BatchNormalization"]
    assert len(folded.layers) == len(model.layers) - 3
    np.testing.assert_allclose(np.asarray(folded(pixels(48))), np.asarray(model(pixels(48), training=False)), atol=1e-5)


def test_folding_changes_no_feature_of_the_real_one(data: Path) -> None:
    path = data / "models/efficientnet-lite0-imagenet/features.keras"
    model, folded = load_model(path), open_backbone(path)
    np.testing.assert_allclose(
        np.asarray(folded(pixels(224))), np.asarray(model(pixels(224), training=False)), atol=1e-4
    )


def test_a_norm_that_follows_no_convolution_is_said() -> None:
    import keras

    inputs = keras.Input((8,))
    model = keras.Model(inputs, keras.layers.BatchNormalization()(keras.layers.Dense(4)(inputs)))
    with pytest.raises(TrainingError, match="must follow a convolution"):
        fold_batch_norm(model)
    inputs = keras.Input((8, 8, 3))
    shared = keras.layers.Conv2D(4, 3)(inputs)
    both = keras.layers.Add()([shared, keras.layers.BatchNormalization()(shared)])
    with pytest.raises(TrainingError, match="nothing else follows"):
        fold_batch_norm(keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(both)))


def test_what_is_no_backbone_is_said(small_backbone: Path, tmp_path: Path) -> None:
    import keras

    with pytest.raises(TrainingError, match="no backbone"):
        open_backbone(tmp_path / "gone.keras")
    inputs = keras.Input((8, 8, 3))
    keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs)).save(tmp_path / "map.keras")
    with pytest.raises(TrainingError, match="ends in"):
        open_backbone(tmp_path / "map.keras")
    with pytest.raises(TrainingError, match="no layer 'b9'"):
        training_network(open_backbone(small_backbone), 2, trainable_from="b9")


def test_the_backbone_of_a_trained_classifier_can_be_used_again(small_backbone: Path, tmp_path: Path) -> None:
    import keras

    backbone = open_backbone(small_backbone)
    inputs = keras.Input((48, 48, 3))
    keras.Model(inputs, keras.layers.Dense(3)(backbone(inputs))).save(tmp_path / "model.keras")
    again = open_backbone(tmp_path / "model.keras")
    assert again.name == FEATURES
    np.testing.assert_allclose(np.asarray(again(pixels(48))), np.asarray(backbone(pixels(48))), atol=1e-6)
