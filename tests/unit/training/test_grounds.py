"""Grounds of a training are cut out of photographs that a user names."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worker.training import grounds
from worker.training.errors import TrainingError
from worker.training.grounds import read_grounds


def test_cuts_come_from_every_photograph_and_are_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounds, "CUTS", 6)
    for name, colour in (("a", (250, 0, 0)), ("b", (0, 0, 250))):
        picture = Image.effect_noise((300, 300), 60).convert("RGB")
        Image.blend(picture, Image.new("RGB", picture.size, colour), 0.5).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    cuts = read_grounds([tmp_path], seed=1)
    assert cuts.shape == (4, grounds.EDGE, grounds.EDGE, 3), "the third of the six was to come from a broken file"
    red, blue = (cuts[..., channel].mean(axis=(1, 2)) > cuts[..., 2 - channel].mean(axis=(1, 2)) for channel in (0, 2))
    assert (int(red.sum()), int(blue.sum())) == (2, 2)
    assert np.array_equal(read_grounds([tmp_path], seed=1), cuts)


def test_without_folders_there_are_none() -> None:
    assert len(read_grounds([], seed=1)) == 0


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="--grounds"):
        read_grounds([tmp_path], seed=1)
