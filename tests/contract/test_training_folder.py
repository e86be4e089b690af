"""What the client writes into a training folder, the training reads: neither imports the other."""

from pathlib import Path

from PIL import Image

from phytobatch.corrections.folder import synchronise
from phytobatch.corrections.resources import Correction
from worker.training.cut_outs import CutPhotograph, cut_photographs, photograph_of

JOB = "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"


def test_the_training_knows_the_photograph_and_the_tiles_of_each_cut_out(tmp_path: Path) -> None:
    def bring(_: int, part: Path) -> None:
        Image.new("RGB", (64, 64)).save(part, "PNG")

    corrections = [
        Correction(seq, "DJI_1.JPG", label, tile=tile, box=(0, 0, 40, 40), ground_resolution_mm=mm)
        for seq, tile, label, mm in ((1, 0, "rust", 5.0), (1, 1, "healthy", 5.0), (2, 0, "rust", None))
    ]
    synchronise(JOB, [*corrections, Correction(2, "DJI_1.JPG", "healthy")], tmp_path, bring)
    found = {path.relative_to(tmp_path).as_posix(): photograph_of(path) for path in tmp_path.glob("*/*")}
    first, second = "5d1c6a2b9e10-000001", "5d1c6a2b9e10-000002"
    assert sorted(found.values()) == [first, first, second, second]
    assert cut_photographs([tmp_path]) == {
        first: CutPhotograph(edge=40, ground_resolution_mm=5.0),
        second: CutPhotograph(edge=40),
    }
