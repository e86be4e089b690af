"""Pixels are decoded once, by the code that serves, and read again when a training resumes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.contracts.manifest import Preprocessing
from worker.inference.preprocess import resized_pixels
from worker.training.dataset import LabelledFile
from worker.training.errors import TrainingError
from worker.training.store import PIXELS_FILE, Examples, open_examples

SIZE = (16, 16)


@pytest.fixture
def files(tmp_path: Path) -> list[LabelledFile]:
    rng = np.random.default_rng(0)
    made = []
    for number in range(4):
        path = tmp_path / f"{number}.jpg"
        Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)).resize((300, 200)).save(path)
        made.append(LabelledFile(path, number % 2))
    return made


def opened(files: list[LabelledFile], folder: Path, *, seed: int = 1) -> Examples:
    return open_examples(files, Preprocessing(), SIZE, folder, seed=seed)


def test_the_first_variant_is_what_serving_sees_and_the_second_another_file_of_it(
    files: list[LabelledFile], tmp_path: Path
) -> None:
    examples = opened(files, tmp_path / "work")
    assert examples.pixels.shape == (4, 2, 16, 16, 3)
    assert examples.labels.tolist() == [0, 1, 0, 1]
    for number, file in enumerate(files):
        served = resized_pixels(file.path.read_bytes(), Preprocessing(), SIZE)
        np.testing.assert_array_equal(examples.pixels[number, 0], served)
        assert not np.array_equal(examples.pixels[number, 1], served)


def test_what_is_there_is_not_decoded_again(files: list[LabelledFile], tmp_path: Path) -> None:
    first = np.array(opened(files, tmp_path / "work").pixels)
    written = (tmp_path / "work" / PIXELS_FILE).stat().st_mtime_ns
    np.testing.assert_array_equal(opened(files, tmp_path / "work").pixels, first)
    assert (tmp_path / "work" / PIXELS_FILE).stat().st_mtime_ns == written
    other = opened(files, tmp_path / "work", seed=2).pixels
    assert (tmp_path / "work" / PIXELS_FILE).stat().st_mtime_ns != written
    assert not np.array_equal(other, first)


def test_unreadable_files_are_left_out_with_a_reason(files: list[LabelledFile], tmp_path: Path) -> None:
    files[1].path.write_bytes(b"<html>")
    for _ in range(2):  # The second time from what is kept.
        examples = opened(files, tmp_path / "work")
        assert examples.labels.tolist() == [0, 0, 1]
        assert [f.path.name for f in examples.files] == ["0.jpg", "2.jpg", "3.jpg"]
        (sentence,) = examples.unreadable
        assert str(files[1].path) in sentence
        assert examples.pixels[1, 0].any()


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"")
    with pytest.raises(TrainingError, match="No image"):
        opened([LabelledFile(tmp_path / "x.jpg", 0)], tmp_path / "work")
