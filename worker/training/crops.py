"""The crops of a training: a JSON file names them and the folders that hold their pictures."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import Field, TypeAdapter

from shared.contracts.manifest import Crop
from worker.training.dataset import NO_CROP, LabelledFile
from worker.training.errors import TrainingError
from worker.training.listed import read_list


class LearnedCrop(Crop):
    """A crop as it will stand in the manifest, and the ends of the paths of its data folders."""

    folders: tuple[str, ...] = Field(min_length=1)

    @property
    def crop(self) -> Crop:
        """The crop without its folders."""
        return Crop(**self.model_dump(exclude={"folders"}))


_CROPS = TypeAdapter(tuple[LearnedCrop, ...])


def read_crops(path: Path) -> tuple[LearnedCrop, ...]:
    """Read crops from a JSON file: ``[{"id", "names", "eppo_code", "terms", "folders": ["cherry/train"]}, ...]``.

    Raises:
        TrainingError: the file cannot be read, is not such a list, or names a crop or a folder twice.
    """
    crops = read_list(path, _CROPS, "crops")
    for words, found in (("crop", [c.id for c in crops]), ("folder", [f for c in crops for f in c.folders])):
        twice = sorted({name for name in found if found.count(name) > 1})
        if twice:
            raise TrainingError(f"{path} names a {words} twice: {', '.join(twice)}.")
    return crops


def crop_of(folder: Path, crops: Sequence[LearnedCrop]) -> int:
    """Return the index of the crop that names the end of this folder's path; ``NO_CROP`` if none does."""
    parts = folder.resolve().parts
    for number, crop in enumerate(crops):
        for name in crop.folders:
            wanted = Path(name).parts
            if parts[-len(wanted) :] == wanted:
                return number
    return NO_CROP


def with_crops(
    files: Sequence[LabelledFile], folders: Sequence[Path], crops: Sequence[LearnedCrop]
) -> list[LabelledFile]:
    """Return the files with the index of the crop of the data folder that holds each.

    Raises:
        TrainingError: no picture is of a crop that was named.
    """
    numbers = {folder: crop_of(folder, crops) for folder in folders}
    named = [
        replace(file, crop=next(number for folder, number in numbers.items() if folder in file.path.parents))
        for file in files
    ]
    found = {file.crop for file in named}
    missing = [crop.id for number, crop in enumerate(crops) if number not in found]
    if missing:
        raise TrainingError(
            f"No picture is of {', '.join(missing)}: give a folder that is named there with --data, or leave the crop "
            "out of --crops."
        )
    return named
