"""Every labelled picture with its set, crop and group, and the tiles of ground, decoded once into ``--work``."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.accuracy.grounds import Grounds, read_grounds
from tests.benchmarks.accuracy.groups import Groups, Indices
from tests.benchmarks.accuracy.hashes import near, signs_of
from tests.benchmarks.accuracy.names import same_leaf
from tests.benchmarks.accuracy.sources import Sets, read_sets
from worker.training.dataset import LabelledFile, labelled_files
from worker.training.plan import OTHER_SYMPTOM_FOLDER, PREPROCESSING
from worker.training.store import Examples, open_examples

CLASSES = ("healthy", "powdery_mildew", "rust")
LABELS = (*CLASSES, OTHER_SYMPTOM_FOLDER)
INPUT_SIZE = (224, 224)
PAIRS_FILE = "near.json"


@dataclass(frozen=True)
class Data:
    """``source``, ``crop``: (n,) indices of ``sets``; ``groups``: what must stand on one side of a split."""

    examples: Examples
    sets: Sets
    source: Indices
    crop: Indices
    groups: Groups
    grounds: Grounds

    @property
    def labels(self) -> Indices:
        """Index of the class; ``len(CLASSES)`` for another disease."""
        return self.examples.labels

    @property
    def known(self) -> NDArray[np.bool_]:
        """True for a picture of one of the classes."""
        return np.asarray(self.labels < len(CLASSES))

    @property
    def strata(self) -> Indices:
        """The number of set and label."""
        return self.source * len(LABELS) + self.labels

    def of_crops(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Return True for each picture of these crops."""
        return np.isin(self.crop, [self.sets.crop_ids.index(name) for name in names])

    def of_sources(self, chosen: Sequence[bool]) -> NDArray[np.bool_]:
        """Return True for each picture of the chosen sources."""
        return np.asarray(np.array(chosen)[self.source])


def read(root: Path, work: Path, *, limit: int | None = None) -> Data:
    """Decode everything once; ``limit``: at most so many pictures of each set and class, for a trial."""
    sets = read_sets()
    files: list[LabelledFile] = []
    source: list[int] = []
    for number, listed in enumerate(sets.sources):
        found = _files(root / listed.folder, sets.crop_ids.index(listed.crop), limit)
        files += found
        source += [number] * len(found)
    examples = open_examples(files, PREPROCESSING, INPUT_SIZE, work / "leaves", seed=1)
    kept = {file.path for file in examples.files}
    of = np.array([number for file, number in zip(files, source, strict=True) if file.path in kept])
    crop = np.array([file.crop for file in examples.files])
    return Data(examples, sets, of, crop, _groups(examples, sets, work), read_grounds(root, work, limit=limit))


def _files(folder: Path, crop: int, limit: int | None) -> list[LabelledFile]:
    present = [label for label in LABELS if (folder / label).is_dir()]
    found = [
        dataclasses.replace(file, label=LABELS.index(present[file.label]), crop=crop)
        for file in labelled_files([folder], present)
    ]
    if limit is None:
        return found
    return [file for label in range(len(LABELS)) for file in [f for f in found if f.label == label][:limit]]


def _groups(examples: Examples, sets: Sets, work: Path) -> Groups:
    """Find the groups; the pairs of like pictures take half a minute and are kept."""
    file = work / PAIRS_FILE
    paths = [str(f.path) for f in examples.files]
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if kept.get("paths") != paths:
        pairs = near(signs_of(examples.pixels[index, 0] for index in range(len(examples))))
        kept = {"paths": paths, "pairs": pairs}
        file.write_text(json.dumps(kept), encoding="utf-8")
    crops = [sets.crop_ids[f.crop] for f in examples.files]
    by_hash = [(int(a), int(b)) for a, b in kept["pairs"]]
    return Groups.of(len(examples), by_hash, same_leaf([f.path.name for f in examples.files], crops))
