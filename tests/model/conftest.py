"""TensorFlow is imported once, here, before any test: its import takes ten seconds."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from shared.contracts.manifest import MANIFEST_FILE, MODEL_FILE
from worker.inference.keras_classifier import KerasClassifier, import_tensorflow
from worker.inference.manifest import file_sha256

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


# Keras turns TensorFlow's tensors into arrays in a way that numpy 2 announces the end of: theirs to settle.
KERAS_WARNING = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(KERAS_WARNING))


@pytest.fixture(scope="session", autouse=True)
def _tensorflow() -> None:
    import_tensorflow()


@pytest.fixture(scope="session")
def data() -> Path:
    if not DATA.is_dir():
        pytest.skip(f"the photographs and weights to compare with are not at {DATA}")
    return DATA


@pytest.fixture(scope="session")
def validation_photos(data: Path) -> list[Path]:
    return sorted((data / "leaves/apple-field/validation").rglob("*.jpg"))


@pytest.fixture(scope="session")
def full_size_photos(data: Path) -> list[Path]:
    return sorted((data / "leaves-full-size").rglob("*.jpg"))


@pytest.fixture(scope="session")
def original_folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The original classifier's model.keras with a manifest that serves it as it was trained."""
    folder = tmp_path_factory.mktemp("original")
    shutil.copy(data / "models/original-cnn/model.keras", folder / MODEL_FILE)
    manifest = {
        "name": "original-cnn",
        "version": "1",
        "sha256": file_sha256(folder / MODEL_FILE),
        "classes": [{"id": label} for label in ("saludable", "powdery", "rush")],
        "input_size": [180, 180],
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def original(original_folder: Path) -> KerasClassifier:
    classifier = KerasClassifier(original_folder, batch_size=16)
    classifier.warm_up()
    return classifier


@pytest.fixture(scope="session")
def small_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained features of pictures of 48 pixels, with every kind of layer that folding must get right."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(5)
    inputs = keras.Input((48, 48, 3))
    x = layers.Conv2D(12, 5, strides=2, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.ReLU(max_value=6.0)(layers.BatchNormalization()(x))
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="middle")(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    x = layers.Add()([x, y])
    x = layers.Conv2D(32, 3, strides=2, padding="same", name="top")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(x))
    rng = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            count = layer.gamma.shape[0]
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, count),
                    rng.normal(0, 0.3, count),
                    rng.normal(0, 0.3, count),
                    rng.uniform(0.3, 2, count),
                ]
            )
    path = tmp_path_factory.mktemp("backbone") / "features.keras"
    model.save(path)
    return path
