"""The cut-outs of a training folder: from which photograph, and in what size."""

import json
from pathlib import Path

import pytest

from worker.training.cut_outs import CutPhotograph, cut_photographs, photograph_of
from worker.training.errors import TrainingError


@pytest.mark.parametrize(
    ("name", "photograph"),
    [
        ("5d1c6a2b9e10-000012.00003-DJI_1.png", "5d1c6a2b9e10-000012"),
        ("5d1c6a2b9e10-000012-DJI_1.JPG", "5d1c6a2b9e10-000012"),
        ("5d1c6a2b9e10-1234567.123456-x.png", "5d1c6a2b9e10-1234567"),
        ("DJI_0012.JPG", None),
        ("vineyard-000012-DJI.JPG", None),
    ],
)
def test_tiles_and_their_photograph_are_told_by_their_names(name: str, photograph: str | None) -> None:
    path = Path("training/rust", name)
    assert photograph_of(path) == (photograph or str(path))


def tiles_file(folder: Path, job: str, **photographs: object) -> None:
    (folder / f"{job}-tiles.json").write_text(json.dumps({"job": job, "photographs": photographs}))


def test_what_is_known_of_photographs_comes_from_every_job_of_every_folder(tmp_path: Path) -> None:
    for name in ("one", "two", "none"):
        (tmp_path / name).mkdir()
    tiles_file(tmp_path / "one", "a", p1={"edge": 160, "ground_resolution_mm": 5.0})
    tiles_file(tmp_path / "one", "b", p2={"edge": 128, "ground_resolution_mm": None})
    tiles_file(tmp_path / "two", "c", p3={"edge": 96, "ground_resolution_mm": 7.5})
    assert cut_photographs([tmp_path / name for name in ("one", "two", "none")]) == {
        "p1": CutPhotograph(edge=160, ground_resolution_mm=5.0),
        "p2": CutPhotograph(edge=128),
        "p3": CutPhotograph(edge=96, ground_resolution_mm=7.5),
    }


@pytest.mark.parametrize("text", ["{", '{"photographs": {"p": {"edge": 0}}}', "[]"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "a-tiles.json").write_text(text)
    with pytest.raises(TrainingError, match=r"a-tiles\.json cannot be read.*corrections export"):
        cut_photographs([tmp_path])
