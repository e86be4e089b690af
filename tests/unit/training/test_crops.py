import json
from pathlib import Path

import pytest

from worker.training.crops import LearnedCrop, crop_of, read_crops, with_crops
from worker.training.dataset import NO_CROP, LabelledFile
from worker.training.errors import TrainingError

NOTES = Path(__file__).parents[3] / "worker/training/notes"


def written(folder: Path, content: object) -> Path:
    path = folder / "crops.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_crop_of_a_folder_is_the_one_that_names_the_end_of_its_path(tmp_path: Path) -> None:
    crops = read_crops(written(tmp_path, [{"id": "bean", "folders": ["more/bean"]}, {"id": "pea", "folders": ["pea"]}]))
    assert [crop_of(Path(name), crops) for name in ("data/more/bean", "pea", "other/bean", "more/bean/rust")] == [
        0,
        1,
        NO_CROP,
        NO_CROP,
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([{"id": "bean", "folders": []}], "no list of crops: 0.folders"),
        ([{"id": "bean", "folders": ["a"]}, {"id": "bean", "folders": ["b"]}], "a crop twice: bean"),
        ([{"id": "bean", "folders": ["a"]}, {"id": "pea", "folders": ["a"]}], "a folder twice: a"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(tmp_path: Path, content: object, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        read_crops(written(tmp_path, content))


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"nowhere\.json cannot be read"):
        read_crops(tmp_path / "nowhere.json")


def test_the_crops_that_are_shipped_are_named_in_four_languages() -> None:
    crops = read_crops(NOTES / "crops.json")
    assert len(crops) == 17
    assert all(set(c.names) == {"en", "es", "de", "fr"} and c.terms for c in crops)
    assert "folders" not in crops[0].crop.model_dump()


def test_a_picture_is_of_the_crop_of_its_data_folder_and_a_crop_without_one_is_refused() -> None:
    folders = [Path("data/bean"), Path("data/other")]
    files = [LabelledFile(Path("data/bean/rust/1.jpg"), 0), LabelledFile(Path("data/other/rust/2.jpg"), 0)]
    bean, pea = (LearnedCrop(id=name, folders=(name,)) for name in ("bean", "pea"))
    assert [file.crop for file in with_crops(files, folders, [bean])] == [0, NO_CROP]
    with pytest.raises(TrainingError, match="No picture is of pea"):
        with_crops(files, folders, [bean, pea])
