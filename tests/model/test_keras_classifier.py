"""The classifier on small models made here."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.contracts.manifest import MANIFEST_FILE, MODEL_FILE
from worker.inference.classifier import Classifier
from worker.inference.errors import ModelFileChanged, ModelUnusable, OutputInvalid
from worker.inference.keras_classifier import KerasClassifier, import_tensorflow
from worker.inference.manifest import file_sha256

MakeFolder = Callable[..., Path]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    def make(*, outputs: int = 3, activation: str | None = "softmax", **overrides: Any) -> Path:  # noqa: ANN401
        import keras

        keras.utils.set_random_seed(1)
        layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(outputs, activation=activation)]
        model = keras.Sequential([keras.Input((8, 12, 3)), keras.layers.Conv2D(4, 3), *layers])
        model.save(tmp_path / MODEL_FILE)
        manifest = {
            "name": "tiny",
            "version": "1",
            "sha256": file_sha256(tmp_path / MODEL_FILE),
            "classes": [{"id": "a"}, {"id": "b"}, {"id": "c"}],
            "input_size": [8, 12],
        }
        (tmp_path / MANIFEST_FILE).write_text(json.dumps(manifest | overrides))
        return tmp_path

    return make


def noise(count: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).random((count, 8, 12, 3), dtype=np.float32)


def test_a_short_batch_gets_the_answers_of_a_full_one(make_folder: MakeFolder) -> None:
    classifier = KerasClassifier(make_folder(), batch_size=8)
    _: Classifier = classifier
    classifier.warm_up()
    whole = classifier.classify(noise(8)).rows
    assert whole.shape == (8, 3)
    assert whole.dtype == np.float32
    for count in range(1, 8):
        np.testing.assert_allclose(classifier.classify(noise(8)[:count]).rows, whole[:count], atol=1e-6)


def test_it_tells_the_memory_of_every_gpu_and_of_nothing_else(make_folder: MakeFolder) -> None:
    classifier = KerasClassifier(make_folder(), batch_size=2)
    classifier.warm_up()
    gpus = len(import_tensorflow().config.list_physical_devices("GPU"))
    told = classifier.gpu_memory()
    assert [memory.device for memory in told] == [str(number) for number in range(gpus)]
    assert all(0 < memory.current <= memory.peak for memory in told)


def test_answers_are_kept_when_the_next_batch_runs(make_folder: MakeFolder) -> None:
    classifier = KerasClassifier(make_folder(), batch_size=2)
    first = classifier.classify(noise(2)).rows
    copy = first.copy()
    classifier.classify(np.ones((2, 8, 12, 3), np.float32))
    np.testing.assert_array_equal(first, copy)


def test_the_model_is_traced_once(make_folder: MakeFolder) -> None:
    classifier = KerasClassifier(make_folder(), batch_size=4)
    for count in (1, 2, 3, 4, 1):
        classifier.classify(noise(count))
    assert classifier._call.experimental_get_tracing_count() == 1


def test_many_threads_share_it(make_folder: MakeFolder) -> None:
    classifier = KerasClassifier(make_folder(), batch_size=4)
    wanted = classifier.classify(noise(4)).rows
    with ThreadPoolExecutor(6) as pool:
        for rows in pool.map(lambda _: classifier.classify(noise(4)).rows, range(40)):
            np.testing.assert_allclose(rows, wanted, atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 8, 12, 3), (0, 8, 12, 3), (1, 12, 8, 3), (1, 8, 12, 1)])
def test_a_batch_of_another_shape_is_refused(shape: tuple[int, ...], make_folder: MakeFolder) -> None:
    classifier = KerasClassifier(make_folder(), batch_size=4)
    with pytest.raises(ValueError, match="batch"):
        classifier.classify(np.zeros(shape, np.float32))


@pytest.mark.parametrize("activation", [None, "sigmoid", "relu"])
def test_a_model_without_softmax_is_found_at_warm_up(activation: str | None, make_folder: MakeFolder) -> None:
    classifier = KerasClassifier(make_folder(activation=activation), batch_size=2)
    with pytest.raises(OutputInvalid, match="softmax"):
        classifier.warm_up()


@pytest.mark.parametrize(
    ("overrides", "words"), [({"outputs": 4}, "output"), ({"input_size": [12, 8]}, "input"), ({"outputs": 2}, "output")]
)
def test_a_model_that_does_not_fit_its_manifest_is_refused(
    overrides: dict[str, Any], words: str, make_folder: MakeFolder
) -> None:
    with pytest.raises(ModelUnusable, match=words):
        KerasClassifier(make_folder(**overrides), batch_size=2)


def test_a_file_that_is_no_model_is_refused(make_folder: MakeFolder) -> None:
    folder = make_folder()
    (folder / MODEL_FILE).write_bytes(b"PK\x03\x04 no model")
    with pytest.raises(ModelFileChanged):
        KerasClassifier(folder, batch_size=2)
    manifest = json.loads((folder / MANIFEST_FILE).read_text()) | {"sha256": file_sha256(folder / MODEL_FILE)}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(ModelUnusable, match="cannot open"):
        KerasClassifier(folder, batch_size=2)


def test_a_model_with_code_in_it_is_refused(make_folder: MakeFolder) -> None:
    """A Lambda layer holds Python code; safe mode does not run it."""
    import keras

    folder = make_folder()
    model = keras.Sequential([keras.Input((8, 12, 3)), keras.layers.Lambda(lambda x: x[:, 0, 0, :], output_shape=(3,))])
    model.save(folder / MODEL_FILE)
    manifest = json.loads((folder / MANIFEST_FILE).read_text()) | {"sha256": file_sha256(folder / MODEL_FILE)}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(ModelUnusable, match="cannot open"):
        KerasClassifier(folder, batch_size=2)


def test_threads_cannot_be_chosen_after_the_start(make_folder: MakeFolder) -> None:
    folder = make_folder()
    KerasClassifier(folder, batch_size=2).warm_up()
    with pytest.raises(ModelUnusable, match="after its first use"):
        KerasClassifier(folder, batch_size=2, intra_op_threads=7)
