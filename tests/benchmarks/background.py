"""The background tests of a classifier: leaves on other grounds, grounds without leaves, leaves of other sizes.

For each crop of ``leaves`` and ``leaves-more``: of pictures whose leaf can be cut out, the leaf on cuts of photographs
that show none (is the label kept, is a person asked?) and its own table without it (a person must be asked); of all
pictures, the answers at 0.5 to 2 times the size. Larger ones are cut out of the middle; smaller ones stand among others
of their crop and class, as a coarser camera sees them.

Pictures that the classifier has learned are left out where its manifest says which: its training command names the
folders, its metrics how many pictures were learned. ``--files`` takes a list instead, a path in each line.

    python -m tests.benchmarks.background --data ../shared/data
    python -m tests.benchmarks.background --classifier my-classifier --files held-out.txt --json background.json
"""

import argparse
import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.contracts.manifest import Manifest
from tests.benchmarks.served import interpret_pictures
from tests.benchmarks.tile_accuracy import photographs, read_pixels
from worker.inference.classifier import Classifier
from worker.inference.files import images_below
from worker.inference.interpret import Interpretation
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.runtime import open_classifier
from worker.training.cut_outs import photograph_of
from worker.training.dataset import hold_out, labelled_files
from worker.training.plan import HELD_OUT, NOT_A_LEAF_FOLDER, OTHER_SYMPTOM_FOLDER, Schedule
from worker.training.scenes.grounds import cut_grounds
from worker.training.scenes.made import made_ground
from worker.training.scenes.mask import leaf_mask
from worker.training.scenes.paste import ground_alone, pasted

Picture = NDArray[np.uint8]

BATCH = 16
SEED = 38
SETS = ("leaves", "leaves-more")
GROUNDS = ("drone", "ortho")
CUTS = 300
EDGE = 256
SCALES = (0.5, 0.71, 1.0, 1.41, 2.0)
NEIGHBOURS = 8
REPEATS = 3  # grounds for each leaf
PER_CLASS = 40
HEALTHY = "healthy"
# What is wanted of grounds without a leaf: the part that asks for a person.
WANTED = 0.97


@dataclass(frozen=True, slots=True)
class Example:
    """A picture, the id of its class (``OTHER_SYMPTOM_FOLDER`` for none of them), and its crop."""

    path: Path
    truth: str
    crop: str

    @property
    def chance(self) -> np.random.Generator:
        """A new generator, which its name alone seeds."""
        return np.random.default_rng((SEED, crc32(self.path.name.encode())))


@dataclass(frozen=True, slots=True)
class Counts:
    """Answers of some pictures.

    ``known`` show a class of the classifier; of them ``asked`` are sent to a person, and ``right`` stand and are right.
    ``other`` show a symptom of no class, ``other_asked`` of them are sent. ``healthy`` and ``sick`` stand, of all.
    """

    known: int
    asked: int
    right: int
    other: int
    other_asked: int
    healthy: int
    sick: int

    @property
    def words(self) -> str:
        """Three shares: of the known that stand the right ones, of the known those that ask, of the other ones too."""
        shares = ((self.right, self.known - self.asked), (self.asked, self.known), (self.other_asked, self.other))
        return " / ".join(_share(*share) for share in shares)


@dataclass(frozen=True, slots=True)
class CropFigures:
    """The figures of one crop.

    ``kept``: of the leaves on other grounds, ``REPEATS`` of each that was cut out, those whose label is that of their
    picture, whether a person is asked or not. ``before``, ``on_own`` (laid back on their own ground: what the cutting
    alone does) and ``on_ground`` count pictures whose leaf was cut out, ``scales`` all.
    """

    crop: str
    kept: int
    before: Counts
    on_own: Counts
    on_ground: Counts
    alone: Counts
    scales: tuple[Counts, ...]


def main() -> None:
    """Print the table, and what is said of grounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--classifier", type=Path, default=shipped_classifier_dir())
    parser.add_argument("--files", type=Path, help="a list of pictures to take, a path in each line")
    parser.add_argument("--grounds", type=Path, nargs="+", help="photographs without a leaf; default: drone, ortho")
    parser.add_argument("--per-class", type=int, default=PER_CLASS, help="pictures of each class of a crop at most")
    parser.add_argument("--crops", nargs="+", help="crops to take; default: all")
    parser.add_argument("--json", type=Path, help="write the counts there, too")
    parser.add_argument("--threads", type=int, help="of one call of the model; default: all processors")
    options = parser.parse_args()
    classifier = open_classifier(options.classifier, batch_size=BATCH, threads=options.threads)
    rng = np.random.default_rng(SEED)
    folders = options.grounds or [options.data / name for name in GROUNDS]
    paths = [path for folder in folders for path in photographs(folder) if "fieldimager" not in path.name]
    cuts = cut_grounds([read_pixels(path) for path in paths], rng, count=CUTS, edge=EDGE)
    examples = chosen(classifier.manifest, options.data, options.files, options.per_class)
    crops = options.crops or sorted({one.crop for one in examples}, key=[one.crop for one in examples].index)
    print(HEADER)
    figures = []
    for crop in crops:
        figures.append(figures_of(classifier, crop, [one for one in examples if one.crop == crop], cuts))
        print(row(figures[-1]), flush=True)
    print(row(summed("all", figures)))
    print_grounds(classifier, cuts, rng)
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in figures], indent=1) + "\n", encoding="utf-8")


def chosen(manifest: Manifest, root: Path, files: Path | None, per_class: int) -> list[Example]:
    """Choose the pictures of each class of each crop that the classifier has not learned, evenly over their names."""
    listed = None if files is None else {Path(line).resolve() for line in files.read_text().split("\n") if line.strip()}
    learned = frozenset() if listed is not None else learned_files(manifest, root)
    found: dict[tuple[str, str], list[Example]] = {}
    for group in SETS:
        for folder in sorted((root / group).iterdir()):
            for path in images_below(folder):
                example = Example(path, truth_of(path), folder.name)
                name = path.resolve()
                if name not in learned and (listed is None or name in listed):
                    found.setdefault((example.crop, example.truth), []).append(example)
    return [some[i] for some in found.values() for i in _evenly(len(some), per_class)]


def truth_of(path: Path) -> str:
    """Return the class that the folders of a picture name."""
    return OTHER_SYMPTOM_FOLDER if OTHER_SYMPTOM_FOLDER in path.parts else path.parent.name


def learned_files(manifest: Manifest, root: Path) -> frozenset[Path]:
    """Return the pictures that the classifier learned, as its training command and its metrics tell; say so if not."""
    words = argparse.ArgumentParser(add_help=False)
    words.add_argument("--data", action="append", type=Path, default=[])
    words.add_argument("--classes", default="")
    command, _ = words.parse_known_args(shlex.split(manifest.training_command or ""))
    folders = [place for place in (_below(folder, root) for folder in command.data) if place.is_dir()]
    if not folders:
        print("no folder of the training command is here: all pictures are taken as unknown to the classifier\n")
        return frozenset()
    classes = command.classes.split(",") if command.classes else manifest.labels
    files = labelled_files(folders, classes, review=(OTHER_SYMPTOM_FOLDER, NOT_A_LEAF_FOLDER))
    labels, photographs_of = np.array([file.label for file in files]), [photograph_of(file.path) for file in files]
    learned, held_out = hold_out(labels, HELD_OUT, Schedule().seed, photographs=photographs_of)
    expected = manifest.metrics.get("training_images")
    if len(learned) != expected:
        print(
            f"{expected or 0:.0f} pictures were learned, of these folders {len(learned)} would be: all are left out\n"
        )
        return frozenset(file.path.resolve() for file in files)
    print(f"{len(learned)} learned pictures are left out, {len(held_out)} of their folders were held out\n")
    return frozenset(files[i].path.resolve() for i in learned)


def _below(folder: Path, root: Path) -> Path:
    """Return the folder of a training command below ``root``, wherever the data stood when it was trained."""
    parts = folder.parts
    for group in SETS:
        if group in parts:
            return root.joinpath(*parts[parts.index(group) :])
    return folder


def _evenly(length: int, most: int) -> list[int]:
    """Return at most so many indices, evenly over a length."""
    return [int(i) for i in np.linspace(0, length - 1, min(length, most)).round()]


def figures_of(classifier: Classifier, crop: str, examples: Sequence[Example], cuts: NDArray[np.uint8]) -> CropFigures:
    """Measure one crop. What is made of a picture depends on its name, not on which others are there."""
    pictures = [read_pixels(one.path) for one in examples]
    truths = [one.truth for one in examples]
    chances = [one.chance for one in examples]
    answers = {scale: interpret_pictures(classifier, scaled(pictures, truths, scale, chances)) for scale in SCALES}
    masks = [leaf_mask(picture) for picture in pictures]
    found = [(i, mask) for i, mask in enumerate(masks) if mask is not None]
    some = [truths[i] for i, _ in found]
    before = [answers[1.0][i] for i, _ in found]
    bare = [ground_alone(pictures[i], mask, chances[i]) for i, mask in found]
    back = [pasted(pictures[i], mask, bare[n], chances[i]) for n, (i, mask) in enumerate(found)]
    moved = [
        pasted(pictures[i], mask, cuts[int(chances[i].integers(len(cuts)))], chances[i])
        for _ in range(REPEATS)
        for i, mask in found
    ]
    on_ground = interpret_pictures(classifier, moved)
    return CropFigures(
        crop=crop,
        kept=sum(a.label == b.label for a, b in zip(before * REPEATS, on_ground, strict=True)),
        before=counts(before, some),
        on_own=counts(interpret_pictures(classifier, back), some),
        on_ground=counts(on_ground, some * REPEATS),
        alone=counts(interpret_pictures(classifier, bare), [""] * len(bare)),
        scales=tuple(counts(answers[scale], truths) for scale in SCALES),
    )


def scaled(
    pictures: Sequence[Picture], truths: Sequence[str], scale: float, chances: Sequence[np.random.Generator]
) -> list[Picture]:
    """Return each picture with its leaf ``scale`` times as large."""
    of_class = {truth: [i for i, other in enumerate(truths) if other == truth] for truth in truths}
    around = [
        [pictures[int(j)] for j in chance.choice(of_class[truth], NEIGHBOURS)]
        for truth, chance in zip(truths, chances, strict=True)
    ]
    return [at_scale(picture, scale, near) for picture, near in zip(pictures, around, strict=True)]


def at_scale(picture: Picture, scale: float, around: Sequence[Picture]) -> Picture:
    """Return the middle of a picture, or the picture among the eight of ``around``, which take its size."""
    height, width = picture.shape[:2]
    down, across = round(height / scale), round(width / scale)
    if scale < 1:
        same = [np.asarray(Image.fromarray(one).resize((width, height), Image.Resampling.BICUBIC)) for one in around]
        nine = [*same[:4], picture, *same[4:]]
        picture = np.concatenate([np.concatenate(nine[row : row + 3], axis=1) for row in (0, 3, 6)])
    top, left = (picture.shape[0] - down) // 2, (picture.shape[1] - across) // 2
    return np.ascontiguousarray(picture[top : top + down, left : left + across])


def counts(answers: Sequence[Interpretation], truths: Sequence[str]) -> Counts:
    """Count answers of pictures; a ground's truth is "", which no answer is."""
    pairs = list(zip(answers, truths, strict=True))
    known = [(one, truth) for one, truth in pairs if truth != OTHER_SYMPTOM_FOLDER]
    standing = [one.label for one in answers if not one.needs_review]
    return Counts(
        known=len(known),
        asked=sum(one.needs_review for one, _ in known),
        right=sum(one.label == truth and not one.needs_review for one, truth in known),
        other=len(pairs) - len(known),
        other_asked=sum(one.needs_review for one, truth in pairs if truth == OTHER_SYMPTOM_FOLDER),
        healthy=standing.count(HEALTHY),
        sick=len(standing) - standing.count(HEALTHY),
    )


HEADER = (
    "Three numbers are shares: right of the standing answers, asked, and asked of other diseases.\n\n"
    "| crop | pictures | leaves cut out | their answers | laid back | on another ground | label kept "
    "| ground alone: asked, called healthy, sick | "
    + " | ".join(f"{scale:g} times" for scale in SCALES)
    + " |\n|"
    + "---|" * (8 + len(SCALES))
)


def row(figures: CropFigures) -> str:
    """Write the row of a crop."""
    alone, every = figures.alone, figures.scales[0]
    cells = [figures.crop, str(every.known + every.other), str(alone.known)]
    if alone.known:
        asked = _share(alone.asked, alone.known)
        bold = asked if alone.asked >= WANTED * alone.known else f"**{asked}**"
        called = ", ".join(_share(value, alone.known) for value in (alone.healthy, alone.sick))
        cells += [
            figures.before.words,
            figures.on_own.words,
            figures.on_ground.words,
            _share(figures.kept, REPEATS * alone.known),
            f"{bold}, {called}",
        ]
    else:
        cells += [""] * 5
    return f"| {' | '.join([*cells, *(scale.words for scale in figures.scales)])} |"


def summed(name: str, figures: Sequence[CropFigures]) -> CropFigures:
    """Add up the figures of crops."""
    return CropFigures(
        name,
        sum(one.kept for one in figures),
        _sum([one.before for one in figures]),
        _sum([one.on_own for one in figures]),
        _sum([one.on_ground for one in figures]),
        _sum([one.alone for one in figures]),
        tuple(_sum(list(scale)) for scale in zip(*(one.scales for one in figures), strict=True)),
    )


def print_grounds(classifier: Classifier, cuts: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Print what is said of grounds that never had a leaf: cuts of photographs, and made ones."""
    size = classifier.manifest.input_size
    kinds = {"cuts of photographs": list(cuts), "made grounds": [made_ground(size, rng) for _ in range(CUTS)]}
    print("\n| grounds without a leaf | asked | called healthy | called sick |\n|---|---|---|---|")
    for name, pictures in kinds.items():
        found = counts(interpret_pictures(classifier, pictures), [""] * len(pictures))
        shares = [_share(value, found.known) for value in (found.asked, found.healthy, found.sick)]
        print(f"| {name} ({found.known}) | {' | '.join(shares)} |", flush=True)


def _sum(parts: Sequence[Counts]) -> Counts:
    return Counts(*(sum(values) for values in zip(*(astuple(part) for part in parts), strict=True)))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"


if __name__ == "__main__":
    main()
