"""The background tests: which pictures are taken, how they are scaled, how answers are counted."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.contracts.manifest import Manifest, ReviewReason
from tests.benchmarks.background import Counts, at_scale, chosen, counts, learned_files, scaled, truth_of
from worker.inference.interpret import Interpretation
from worker.training.dataset import hold_out


def manifest(command: str = "", learned: int = 0) -> Manifest:
    return Manifest.model_validate(
        {
            "name": "leaf",
            "version": "9",
            "sha256": "0" * 64,
            "classes": [{"id": "healthy"}, {"id": "rust"}],
            "input_size": [224, 224],
            "training_command": command,
            "metrics": {"training_images": learned},
        }
    )


def answer(label: str, reason: ReviewReason | None = None) -> Interpretation:
    return Interpretation(label, {}, 0.9, {}, (), reason)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two crops of twenty pictures for each class."""
    for folder in (
        "leaves/corn/train/healthy",
        "leaves/corn/train/rust",
        "leaves-more/bean/rust",
        "leaves-more/bean/other_disease",
    ):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(20):
            Image.new("RGB", (8, 8)).save(tmp_path / folder / f"{number:02}.png")
    return tmp_path


def test_a_larger_leaf_is_the_middle_and_a_smaller_one_stands_among_others() -> None:
    picture = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)
    around = [np.full((20, 20, 3), 200 + number, np.uint8) for number in range(8)]
    assert (at_scale(picture, 1.0, around) == picture).all()
    assert (at_scale(picture, 2.0, around) == picture[2:6, 3:9]).all()
    small = at_scale(picture, 0.5, around)
    assert small.shape == (16, 24, 3)
    assert (small[4:12, 6:18] == picture).all()
    assert small[[0, 0, 8, 15], [0, 12, 23, 12], 0].tolist() == [200, 201, 204, 206]


def test_others_are_of_the_same_class() -> None:
    pictures = [np.full((4, 4, 3), value, np.uint8) for value in (10, 20, 30, 99)]
    made = scaled(pictures, ["rust", "rust", "rust", "healthy"], 0.5, [np.random.default_rng(1)] * 4)
    assert set(np.unique(made[0])) <= {10, 20, 30}
    assert len(np.unique(made[0])) > 1
    assert set(np.unique(made[3])) == {99}


def test_learned_pictures_are_left_out_where_the_manifest_names_them(data: Path) -> None:
    _, held_out = hold_out(np.repeat([0, 1], 20), 0.1, 1)
    command = "python -m worker.training train --data ../elsewhere/leaves/corn/train --classes healthy,rust --out x"
    examples = chosen(manifest(command, 36), data, None, 40)
    corn = [one for one in examples if one.crop == "corn"]
    assert len(corn) == len(held_out) == 4
    assert len([one for one in examples if one.crop == "bean"]) == 40
    assert not {one.path.resolve() for one in corn} & learned_files(manifest(command, 36), data)


def test_folders_with_other_pictures_than_those_learned_are_left_out_whole(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = chosen(manifest("train --data leaves/corn/train --classes healthy,rust", 35), data, None, 40)
    assert {one.crop for one in examples} == {"bean"}
    assert "35 pictures were learned" in capsys.readouterr().out


def test_a_list_of_pictures_is_taken_and_a_class_has_a_limit(data: Path) -> None:
    listed = data / "files.txt"
    wanted = sorted((data / "leaves-more/bean/rust").iterdir())
    listed.write_text("\n".join(map(str, wanted)) + "\n")
    assert [one.path for one in chosen(manifest(), data, listed, 40)] == wanted
    some = [one.path.name for one in chosen(manifest(), data, listed, 3)]
    assert some == ["00.png", "10.png", "19.png"]


def test_the_truth_is_the_folder() -> None:
    assert truth_of(Path("a/leaves/corn/train/rust/1.jpg")) == "rust"
    assert truth_of(Path("a/leaves/apple-field/extra/other_disease/scab/1.jpg")) == "other_disease"


def test_answers_are_counted() -> None:
    asks = ReviewReason.NOT_A_LEAF
    answers = [answer("rust"), answer("healthy"), answer("rust", asks), answer("rust"), answer("rust", asks)]
    found = counts(answers, ["rust", "rust", "rust", "other_disease", "other_disease"])
    assert found == Counts(known=3, asked=1, right=1, other=2, other_asked=1, healthy=1, sick=2)
    assert found.words == "0.500 / 0.333 / 0.500"
