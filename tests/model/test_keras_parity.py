"""Our preprocessing and our way to call the model, against Keras' own."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.contracts.manifest import MODEL_FILE, Preprocessing, ResizeFilter
from worker.inference.keras_classifier import KerasClassifier, load_model
from worker.inference.preprocess import preprocess, resized_pixels

SIZE = (180, 180)


def as_keras_loads(photo: Path, interpolation: str) -> NDArray[np.float32]:
    import keras

    image = keras.utils.load_img(photo, target_size=SIZE, interpolation=interpolation)
    array: NDArray[np.float32] = keras.utils.img_to_array(image)
    return array


@pytest.mark.parametrize("resize", ResizeFilter)
def test_pixels_equal_load_img_to_the_bit_on_small_photos(resize: ResizeFilter, validation_photos: list[Path]) -> None:
    assert len(validation_photos) == 60
    for photo in validation_photos:
        pixels = resized_pixels(photo.read_bytes(), Preprocessing(resize=resize), SIZE)
        np.testing.assert_array_equal(pixels, as_keras_loads(photo, resize), err_msg=photo.name)


@pytest.mark.parametrize("resize", [ResizeFilter.NEAREST, ResizeFilter.BILINEAR])
def test_pixels_equal_load_img_to_the_bit_on_full_size_photos(
    resize: ResizeFilter, full_size_photos: list[Path]
) -> None:
    assert len(full_size_photos) == 10
    for photo in full_size_photos:
        pixels = resized_pixels(photo.read_bytes(), Preprocessing(resize=resize), SIZE)
        np.testing.assert_array_equal(pixels, as_keras_loads(photo, resize), err_msg=photo.name)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Some of these have odd EXIF blocks; Keras lets Pillow warn.
def test_odd_files_of_the_field_equal_load_img_to_the_bit(data: Path) -> None:
    """RGBA, CMYK and palette files that people took for JPEGs."""
    photos = sorted((data / "leaves/corn").rglob("*.*"))[::5]
    assert photos
    for photo in photos:
        pixels = resized_pixels(photo.read_bytes(), Preprocessing(), SIZE)
        np.testing.assert_array_equal(pixels, as_keras_loads(photo, "nearest"), err_msg=photo.name)


def test_inputs_equal_the_division_by_255_to_the_bit(validation_photos: list[Path]) -> None:
    for photo in validation_photos:
        ours = preprocess(photo.read_bytes(), Preprocessing(), SIZE)
        np.testing.assert_array_equal(ours, as_keras_loads(photo, "nearest") / np.float32(255))


def test_probabilities_equal_a_call_of_the_model(
    original: KerasClassifier,
    original_folder: Path,
    validation_photos: list[Path],
    full_size_photos: list[Path],
) -> None:
    photos = validation_photos + full_size_photos
    inputs = np.stack([as_keras_loads(photo, "nearest") / np.float32(255) for photo in photos])
    wanted = np.asarray(load_model(original_folder / MODEL_FILE)(inputs, training=False))
    ours = np.stack([preprocess(photo.read_bytes(), Preprocessing(), SIZE) for photo in photos])
    size = original.batch_size
    found = np.concatenate([original.classify(ours[i : i + size]).rows for i in range(0, len(ours), size)])
    np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0)
