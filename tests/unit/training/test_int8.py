"""A network in bytes: the same weights, nearly the same answers, and refused where they are not."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper
from PIL import Image

from shared.contracts.manifest import INT8_FILE, ONNX_FILE
from tests.unit.training.small_network import CELLS, CHANNELS, EDGE, network, write_folder, write_pictures
from worker.inference.files import image_files
from worker.inference.manifest import read_manifest
from worker.inference.onnx_classifier import OnnxClassifier, import_onnxruntime
from worker.training import int8
from worker.training.__main__ import main
from worker.training.errors import TrainingError
from worker.training.int8 import Agreement, export_int8, judge
from worker.training.measure import Answers
from worker.training.quantise import body_of, write_int8
from worker.training.wide_stem import widen_stem
from worker.training.write import write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "small")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures")


@pytest.fixture
def any_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without these instructions the small network gives nearly the same answers, too."""
    monkeypatch.setattr(int8, "byte_products", lambda: "avx512_vnni")


def answers(model: ModelProto, pixels: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    session = import_onnxruntime().InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [np.asarray(array) for array in session.run(None, {"pixels": pixels})]


def batch(count: int = 4, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0, 4, (count, EDGE, EDGE, 3)).astype(np.float32)


def test_a_stem_of_four_pixels_at_a_time_gives_the_same_answers() -> None:
    model, before = network(), answers(network(), batch())
    assert widen_stem(model)
    onnx.checker.check_model(model)
    kernels = {each.name: list(each.dims) for each in model.graph.initializer}
    assert kernels["stem_wide_kernel"] == [2 * CHANNELS, 12, 3, 2]
    assert "stem" not in kernels
    for was, now in zip(before, answers(model, batch()), strict=True):
        np.testing.assert_allclose(now, was, atol=1e-5)


def test_another_stem_stays_as_it_is() -> None:
    model = network(pads=(1, 1, 0, 0))
    before = model.SerializeToString()
    assert not widen_stem(model)
    assert model.SerializeToString() == before


def test_what_stands_behind_the_pooling_stays_in_floating_point(tmp_path: Path) -> None:
    assert body_of(network()) == ["first", "stem_sums", "stem_out", "each_sums", "each_out", "last_sums", "last_out"]
    (tmp_path / ONNX_FILE).write_bytes(network().SerializeToString())
    write_int8(tmp_path / ONNX_FILE, tmp_path / INT8_FILE, [batch()])
    made = onnx.load(tmp_path / INT8_FILE)
    weights = {each.name: numpy_helper.to_array(each) for each in made.graph.initializer}
    assert weights["head"].dtype == np.float32
    for was, now in zip(answers(network(), batch(8, 1)), answers(made, batch(8, 1)), strict=True):
        assert np.abs(now - was).max() < 0.05 * max(1, np.abs(was).max())


def test_weights_on_a_grid_are_not_rounded_again(tmp_path: Path) -> None:
    plain = network()
    (tmp_path / ONNX_FILE).write_bytes(plain.SerializeToString())
    write_int8(tmp_path / ONNX_FILE, tmp_path / INT8_FILE, [batch()])
    weights = {each.name: numpy_helper.to_array(each) for each in onnx.load(tmp_path / INT8_FILE).graph.initializer}
    for name in ("each", "last"):
        before = next(numpy_helper.to_array(each) for each in plain.graph.initializer if each.name == name)
        steps = weights[f"{name}_scale"].reshape(-1, 1, 1, 1)
        assert weights[f"{name}_quantized"].dtype == np.int8
        assert np.array_equal(weights[f"{name}_quantized"] * steps, before)


def test_a_network_without_pooling_is_refused() -> None:
    with pytest.raises(TrainingError, match="average pooling"):
        body_of(network(pooling="GlobalMaxPool"))


@pytest.mark.usefixtures("any_processor")
def test_the_file_is_written_named_and_served(folder: Path, pictures: Path) -> None:
    manifest, agreement = export_int8(folder, [pictures, pictures], list(image_files(pictures)))
    assert read_manifest(folder) == manifest
    assert (agreement.changed, agreement.floats.total, agreement.bytes.accuracy) == (0, 72, 1.0)
    served = OnnxClassifier(folder, batch_size=4, file=INT8_FILE)
    assert served.runtime.endswith(" int8")
    served.warm_up()
    maps = served.classify(batch(), maps=True).maps
    assert maps is not None
    assert maps.shape == (4, CELLS, CELLS, 3)


@pytest.mark.usefixtures("any_processor")
def test_a_file_with_other_answers_is_refused_with_its_figures(
    folder: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dark = tmp_path / "dark"
    dark.mkdir()
    Image.new("RGB", (EDGE, EDGE)).save(dark / "dark.png")  # Its ranges cut off every colour.
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    words = ["export", str(folder), "--int8", "--data", str(pictures), "--calibrate", str(dark)]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert f"{INT8_FILE} was not written: " in said
    assert "of 36 labels differ" in said
    assert "the calibration error goes from" in said
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.usefixtures("any_processor")
def test_it_takes_a_real_image(folder: Path, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"<html>")
    with pytest.raises(TrainingError, match="--calibrate"):
        export_int8(folder, [pictures], [tmp_path / "x.jpg"])


def test_a_processor_that_would_give_other_answers_judges_nothing(
    folder: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "byte_products", lambda: None)
    with pytest.raises(TrainingError, match="avx512_vnni, avx_vnni"):
        export_int8(folder, [pictures], [])


@pytest.mark.usefixtures("any_processor")
def test_a_manifest_of_the_first_version_is_refused(folder: Path, pictures: Path) -> None:
    manifest = read_manifest(folder)
    first = manifest.model_copy(update={"schema_version": 1, "outputs": None})
    write_manifest(folder, first)
    with pytest.raises(TrainingError, match="first version"):
        export_int8(folder, [pictures], [])


@pytest.mark.parametrize(
    ("changed", "confidence", "is_close"),
    [(0, 0.9, True), (1, 0.9, True), (2, 0.9, False), (0, 0.899, True), (0, 0.88, False)],
)
def test_the_bounds_are_half_a_percent_of_labels_and_0_005_of_calibration(
    changed: int,
    confidence: float,
    is_close: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    count = 200
    labels = np.zeros(count, np.int64)
    answered = np.zeros(count, np.int64)
    answered[: count // 10] = 1  # nine of ten are right
    other = answered.copy()
    other[count - changed :] = 1
    none = np.zeros(count, bool)
    before = Answers(("a", "b"), labels, answered, np.full(count, 0.9), none)
    after = Answers(("a", "b"), labels, other, np.full(count, confidence - changed / count), none)
    assert Agreement(before, after).is_close is is_close


@pytest.mark.usefixtures("any_processor")
def test_an_agreement_says_how_many_are_sent_to_a_person_by_one_alone(folder: Path, pictures: Path) -> None:
    export_int8(folder, [pictures], list(image_files(pictures)))
    agreement = judge(folder, [pictures])
    flipped = Answers(
        agreement.bytes.classes,
        agreement.bytes.labels,
        agreement.bytes.answers,
        agreement.bytes.confidence,
        ~agreement.floats.review,
    )
    assert "36 are sent to a person by one alone" in str(Agreement(agreement.floats, flipped))
