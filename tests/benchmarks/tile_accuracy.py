"""``make evaluate``, second part: what the shipped classifier reads in tiles, beside what is wanted of it.

Leaves are those that its training held out, on which the edge, ``report_from`` and the range of resolutions of the
manifest were chosen, and the validation set, which confirms them. docs/classifier.md says which values have seen which
other photographs. Eight minutes of one core.

    python -m tests.benchmarks.tile_accuracy --data ../shared/data
"""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shared.contracts.manifest import Manifest, ManifestTiling, ReviewReason
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap
from worker.inference.classifier import Classifier
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.preprocess import resized_pixels
from worker.inference.runtime import open_classifier
from worker.inference.tiles.answer import TiledAnswer, answer_of
from worker.inference.tiles.light import is_learned, light_of
from worker.inference.tiles.picture import upright_pixels
from worker.inference.tiles.tile_cut import TileCut
from worker.training.dataset import LabelledFile, hold_out, labelled_files
from worker.training.errors import TrainingError
from worker.training.light import learned_light
from worker.training.plan import HELD_OUT, OTHER_SYMPTOM_FOLDER, PREPROCESSING, Schedule
from worker.training.reach import SCALES, Step, many_leaves, one_leaf, reach, step_of
from worker.training.sheets import GROUND, Leaf, Picture, Shake, Sheet, aligned, regions, squares
from worker.training.tiles import JudgedTiles, all_of, answer_in_tiles, as_file, judge_sheets, judged_tiles

BATCH = 32
CLASSES = ("healthy", "powdery_mildew", "rust")
# In the order of the training: the held-out leaves follow from it.
LEARNED = (
    "apple-field/train",
    "apple-field/extra",
    "cherry/train",
    "corn/train",
    "coffee/train",
    "mango/train",
    "strawberry/train",
)
EDGE = 256  # pixels of a leaf in a sheet
EDGES = (160, 192, 224, 256, 320, 384)
COLUMNS = 8
SHEETS = 16
SHEET = 1792  # pixels
REGION = 4  # leaves
SCALES_OF_REGIONS = (0.7, 1.4)
# An apple leaf is 5 to 12 cm long; 75 mm are taken. On the validation photographs it takes three quarters of the
# width, so the width is 100 mm; they are 3:2 and squeezed to squares, so a pixel is 0.39 x 0.26 mm, in the mean 0.32.
LEAF_MM = 75.0
LEAF_OF_WIDTH = 0.75
ASPECT = 2 / 3
MM_PER_PIXEL = LEAF_MM / LEAF_OF_WIDTH / EDGE * math.sqrt(ASPECT)
FULL_SIZE_WIDTH = 4000


TOLERANCE = 0.005
TABLES = ("sheets", "photographs", "light", "edges", "rule", "reach")
SICK = (1, 2)
SICK_IDS = {CLASSES[label] for label in SICK}
SICK_SHARES = (0.0, 0.1, 0.2)
# Photographs made of judged tiles, for the rule: leaves, and tiles of ground.
PHOTOGRAPHS = ((10, 10), (30, 30), (100, 100), (20, 180))
DRAWN = 200
REPORT_FROM = (0.05, 0.1, 0.15, 0.2)

Bound = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Leaves:
    """Leaves that the shipped classifier has not learned: ``held_out`` chooses values, ``validation`` confirms them."""

    held_out: list[Leaf]
    validation: list[Leaf]
    apples: list[Leaf]  # of the held-out ones those of apple, from the field

    @property
    def sets(self) -> tuple[list[Leaf], list[Leaf]]:
        """The one that chose, and the one that confirms."""
        return self.held_out, self.validation


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="+", choices=TABLES, help="tables; default: all")
    parser.add_argument("--threads", type=int, help="of one call of the model; default: all processors")
    options = parser.parse_args()
    classifier = open_classifier(shipped_classifier_dir(), batch_size=BATCH, threads=options.threads)
    learned, held_out = split(options.data)
    check_unseen(classifier, learned, held_out)
    leaves = read_leaves(options.data, held_out)
    grounds = [read_pixels(path) for path in photographs(options.data / "drone")]
    tables: dict[str, Callable[[], None]] = {
        "sheets": lambda: print_sheets(classifier, leaves, grounds),
        "photographs": lambda: print_photographs(classifier, options.data),
        "light": lambda: print_light(classifier.manifest, learned, held_out),
        "edges": lambda: print_edges(classifier, leaves, grounds),
        "rule": lambda: print_rule(classifier, leaves, options.data),
        "reach": lambda: print_reach(classifier, leaves),
    }
    for name in options.only or tables:
        tables[name]()


def split(root: Path) -> tuple[list[LabelledFile], list[LabelledFile]]:
    """Return the files that the shipped classifier learned and those that it held out, as its training chose them."""
    folders = [root / "leaves" / name for name in LEARNED]
    files = labelled_files(folders, CLASSES, review=(OTHER_SYMPTOM_FOLDER,))
    labels = np.array([file.label for file in files])
    learned, held_out = hold_out(labels, HELD_OUT, Schedule().seed)
    return [files[i] for i in learned], [files[i] for i in held_out if labels[i] < len(CLASSES)]


def check_unseen(classifier: Classifier, learned: Sequence[LabelledFile], held_out: Sequence[LabelledFile]) -> None:
    """Refuse pictures that are not those that the training held out: their number and accuracy stand in the manifest.

    Raises:
        TrainingError: they differ.
    """
    metrics = classifier.manifest.metrics
    # A whole picture is one tile that is larger than it.
    answers = answer_in_tiles(classifier, [file.path.read_bytes() for file in held_out], TileCut(8192))
    right = np.mean([next(iter(a.map)).label == file.label for a, file in zip(answers, held_out, strict=True)])
    found = {"training_images": len(learned), "held_out_images": len(held_out), "held_out_accuracy": float(right)}
    for name, value in found.items():
        if abs(value - metrics[name]) > TOLERANCE:
            raise TrainingError(f"{name} is {value}, and {metrics[name]} in the manifest: these are other photographs.")
    print(f"held out: {len(held_out)} leaves, {right:.4f} of them right without the review\n")


def read_leaves(root: Path, held_out: Sequence[LabelledFile]) -> Leaves:
    """Decode the leaves."""
    validation = labelled_files([root / "leaves/apple-field/validation"], CLASSES)
    return Leaves(
        held_out=[read_leaf(file) for file in held_out],
        validation=[read_leaf(file) for file in validation],
        apples=[read_leaf(file) for file in held_out if "apple-field" in file.path.parts],
    )


def read_leaf(file: LabelledFile) -> Leaf:
    """Decode one leaf."""
    return Leaf(read_pixels(file.path), file.label)


def read_pixels(path: Path) -> Picture:
    """Decode a whole photograph."""
    return upright_pixels(path.read_bytes())


def photographs(folder: Path) -> list[Path]:
    """List the photographs below a folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".tif"})


def by_class(leaves: Sequence[Leaf]) -> list[list[Leaf]]:
    """Sort leaves by their class."""
    return [[leaf for leaf in leaves if leaf.label == label] for label in range(len(CLASSES))]


def aligned_sheet(leaves: Sequence[Leaf], grounds: Sequence[Picture], rng: np.random.Generator) -> Sheet:
    """Lay all leaves, and half as many squares of ground, in squares of the edge of a tile, in a random order."""
    ground = [square for photograph in grounds for square in squares(photograph, EDGE)]
    chosen = [ground[i] for i in rng.permutation(len(ground))[: len(leaves) // 2]]
    both = [*leaves, *chosen]
    return aligned([both[i] for i in rng.permutation(len(both))], columns=COLUMNS, edge=EDGE)


def region_sheets(leaves: Sequence[Leaf], grounds: Sequence[Picture], rng: np.random.Generator) -> Iterator[Sheet]:
    """Make sheets of regions, each turned, scaled and shifted by chance."""
    for _ in range(SHEETS):
        shake = Shake.by_chance(rng, edge=EDGE, scales=SCALES_OF_REGIONS)
        yield regions(by_class(leaves), grounds, rng, size=SHEET, edge=EDGE, region=REGION, shake=shake)


def print_sheets(classifier: Classifier, leaves: Leaves, grounds: Sequence[Picture]) -> None:
    """Print how sheets are read."""
    print("| sheets | wanted | held out | validation |\n|---|---|---|---|")
    rng = np.random.default_rng(1)
    judged = [judge_sheets(classifier, [aligned_sheet(some, grounds, rng)], EDGE) for some in leaves.sets]
    print_row("aligned: tiles of leaves, of ground", None, [f"{j.is_leaf.sum()}, {j.is_ground.sum()}" for j in judged])
    print_row("counted leaf tiles that are right", (">=", 0.97), [j.right(j.is_leaf) for j in judged])
    print_row("leaf tiles that count", (">=", 0.85), [j.counted(j.is_leaf) for j in judged])
    print_row("ground called diseased", ("<=", 0.05), [j.called(SICK, j.is_ground) for j in judged])
    judged = [judge_sheets(classifier, list(region_sheets(some, grounds, rng)), EDGE) for some in leaves.sets]
    print_row("regions: tiles of leaves, of ground", None, [f"{j.is_leaf.sum()}, {j.is_ground.sum()}" for j in judged])
    print_row("counted leaf tiles that are right", (">=", 0.93), [j.right(j.is_leaf) for j in judged])
    print_row("healthy called diseased", ("<=", 0.05), [j.called(SICK, j.truth == 0) for j in judged])
    print_row("leaf tiles that count", None, [j.counted(j.is_leaf) for j in judged])
    print_row("ground called diseased", None, [j.called(SICK, j.is_ground) for j in judged])


def print_photographs(classifier: Classifier, root: Path) -> None:
    """Print how photographs are read: the single leaves in full size, and those whose tiles nobody has labelled."""
    rule = classifier.manifest.tiling or ManifestTiling()
    edges = {f"{rule.edge} pixels (auto)": rule.edge, f"{EDGE * MM_PER_PIXEL:.0f} mm": learned_edge()}
    print("\n| photographs | wanted | |\n|---|---|---|")
    for words, edge in edges.items():
        right, found = 0, []
        for label in CLASSES:
            paths = photographs(root / "leaves-full-size" / label)
            answers = answer_in_tiles(classifier, [path.read_bytes() for path in paths], TileCut(edge))
            right += sum(answer.label == label for answer in answers)
            found += [f"{label}: {' '.join(answer.label or '-' for answer in answers)}"]
        bound = None if edge == rule.edge else (">=", 8.0)
        print_row(f"leaves-full-size in tiles of {words}, {edge} pixels: right of 10", bound, [str(right)])
        print(f"| ... | | {'; '.join(found)} |")
    for name in ("greenhouse", "drone", "ortho"):
        paths = [path for path in photographs(root / name) if "fieldimager" not in path.name]
        answers = answer_in_tiles(classifier, [path.read_bytes() for path in paths], TileCut(rule.edge))
        print_unlabelled(name, answers)


def learned_edge() -> int:
    """Return the edge, in pixels of a full-size leaf, of as much of it as a tile of a sheet shows."""
    return round(EDGE * MM_PER_PIXEL * FULL_SIZE_WIDTH * LEAF_OF_WIDTH / LEAF_MM)


def print_unlabelled(name: str, answers: Sequence[TiledAnswer]) -> None:
    """Print what is said of photographs that show none of the classes in learned light and size."""
    judged = judged_tiles(answers, [all_of(answer.map.grid, GROUND) for answer in answers])
    bound = ("<=", 0.05)
    print_row(f"{name}: called diseased, of {len(judged.truth)} tiles", bound, [judged.called(SICK, judged.is_ground)])
    print_row("... called healthy", None, [judged.called((0,), judged.is_ground)])
    print_row("... in unusual light", None, [float((judged.reasons == ReviewReason.UNUSUAL_LIGHT).mean())])
    words = (answer.label or f"- ({answer.review_reason})" for answer in answers)
    print(f"| ... their own answers | | {', '.join(words)} |")


def print_light(manifest: Manifest, learned: Sequence[LabelledFile], held_out: Sequence[LabelledFile]) -> None:
    """Print the light that the training pictures have, and how many held-out leaves lie outside."""
    light = learned_light(_input(manifest, file) for file in learned)
    print(f"\nlight of the training: {light.model_dump_json()}")
    if manifest.tiling and manifest.tiling.light:
        print(f"light of the manifest: {manifest.tiling.light.model_dump_json()}")
    refused = [not is_learned(light_of(_input(manifest, file)), light) for file in held_out]
    print("\n| light | wanted | held out |\n|---|---|---|")
    print_row(f"leaves in unusual light, of {len(refused)}", ("<=", 0.02), [float(np.mean(refused))])


def _input(manifest: Manifest, file: LabelledFile) -> Picture:
    return resized_pixels(file.path.read_bytes(), PREPROCESSING, manifest.input_size)


def print_edges(classifier: Classifier, leaves: Leaves, grounds: Sequence[Picture]) -> None:
    """Print the same sheets of held-out leaves in tiles of several edges."""
    print("\n| edge | tiles | counted leaf tiles that are right | leaf tiles that count | healthy called diseased |")
    print("|---|---|---|---|---|")
    sheets = list(region_sheets(leaves.held_out, grounds, np.random.default_rng(2)))
    for edge in EDGES:
        j = judge_sheets(classifier, sheets, edge)
        right, counted, called = j.right(j.is_leaf), j.counted(j.is_leaf), j.called(SICK, j.truth == 0)
        print(f"| {edge} | {j.is_leaf.sum()} | {right:.3f} | {counted:.3f} | {called:.3f} |", flush=True)


def print_rule(classifier: Classifier, leaves: Leaves, root: Path) -> None:
    """Print what the rule makes of photographs that are put together by chance from judged tiles.

    Leaves are tiles of regions of held-out leaves, ground is that of the drone's photographs.
    """
    rng = np.random.default_rng(3)
    judged = judge_sheets(classifier, list(region_sheets(leaves.held_out, (), rng)), EDGE)
    by_truth = [tiles_of(judged, label) for label in range(len(CLASSES))]
    answers = answer_in_tiles(classifier, [path.read_bytes() for path in photographs(root / "drone")], TileCut(EDGE))
    ground = [tile for answer in answers for tile in answer.map]
    rule = classifier.manifest.tiling or ManifestTiling()
    words = [f"{leaf} leaves, {bare} ground" for leaf, bare in PHOTOGRAPHS]
    print(f"\n| report_from | sick leaves | {' | '.join(words)} |\n|---|---|{'---|' * len(words)}")
    for report_from in REPORT_FROM:
        manifest = classifier.manifest.model_copy(
            update={"tiling": rule.model_copy(update={"report_from": report_from})}
        )
        for sick in SICK_SHARES:
            called = [
                np.mean(
                    [drawn(manifest, by_truth, ground, rng, sick=sick, size=size) in SICK_IDS for _ in range(DRAWN)]
                )
                for size in PHOTOGRAPHS
            ]
            print(f"| {report_from} | {sick} | {' | '.join(f'{share:.2f}' for share in called)} |", flush=True)


def tiles_of(judged: JudgedTiles, label: int) -> list[Tile]:
    """Return the tiles of one truth."""
    chosen = np.flatnonzero(judged.truth == label)
    reasons = [None if judged.counts[i] else ReviewReason(judged.reasons[i]) for i in chosen]
    return [Tile(int(judged.label[i]), 1.0, reason) for i, reason in zip(chosen, reasons, strict=True)]


def drawn(  # the rule, the tiles, and what of them
    manifest: Manifest,
    by_truth: Sequence[Sequence[Tile]],
    ground: Sequence[Tile],
    rng: np.random.Generator,
    *,
    sick: float,
    size: tuple[int, int],
) -> str | None:
    """Draw a photograph of ``size`` (leaves, ground) tiles, of which ``sick`` have one disease; return its label."""
    disease, ill = int(rng.choice(SICK)), int(rng.binomial(size[0], sick))
    pools = ((by_truth[0], size[0] - ill), (by_truth[disease], ill), (ground, size[1]))
    tiles = [pool[int(i)] for pool, count in pools for i in rng.integers(len(pool), size=count)]
    return answer_of(TileMap.of(lay_grid(32 * len(tiles), 32, 32), tiles), manifest).label


def print_reach(classifier: Classifier, leaves: Leaves) -> None:
    """Print how leaves of other sizes are read, and the range of resolutions that follows."""
    pools, rng = by_class(leaves.apples), np.random.default_rng(4)
    print("\n| scale | mm per pixel | tiles full of leaves: right, right by class, count by class | one leaf |")
    print("|---|---|---|---|")
    steps: dict[float, Step] = {}
    for scale in SCALES:
        steps[scale] = step_of(many_leaves(classifier, pools, rng, edge=EDGE, scale=scale), len(CLASSES))
        alone = ""
        if scale <= 1:
            alone = in_words(step_of(one_leaf(classifier, leaves.apples, edge=EDGE, scale=scale), len(CLASSES)))
        print(f"| {scale} | {MM_PER_PIXEL / scale:.2f} | {in_words(steps[scale])} | {alone} |", flush=True)
    finest, coarsest = (MM_PER_PIXEL / scale for scale in reach(steps))
    print(f"ground resolution: {finest:.2f} to {coarsest:.2f} mm per pixel")
    print(f"one sick leaf among the four of a tile: {one_in_four(classifier, leaves)}")


def one_in_four(classifier: Classifier, leaves: Leaves) -> str:
    """Say what is said of tiles of four apple leaves of which one is sick: at half the size of the training."""
    healthy, *sick = by_class(leaves.apples)
    ill = [leaf for pool in sick for leaf in pool]
    quarters = [(ill[i], *(healthy[(3 * i + k) % len(healthy)] for k in range(3))) for i in range(len(ill))]
    sheets = [aligned(four, columns=2, edge=EDGE // 2) for four in quarters]
    answers = answer_in_tiles(classifier, [as_file(sheet.pixels) for sheet in sheets], TileCut(EDGE))
    judged = judged_tiles(
        answers, [all_of(a.map.grid, four[0].label) for a, four in zip(answers, quarters, strict=True)]
    )
    every = np.ones(len(judged.truth), bool)
    diseased, sound = judged.called(SICK, every), judged.called((0,), every)
    return f"{diseased:.3f} called diseased, {sound:.3f} healthy, the others ask for a person ({len(every)} tiles)"


def in_words(step: Step) -> str:
    """Write the figures of a step."""
    return (
        f"{step.accuracy:.3f}; {' '.join(f'{v:.3f}' for v in step.right)}; {' '.join(f'{v:.2f}' for v in step.counted)}"
    )


def print_row(what: str, bound: Bound | None, figures: Sequence[float | str]) -> None:
    """Print one figure beside what is wanted; a figure that misses it is bold."""
    cells = [cell(figure, bound) for figure in figures]
    print(f"| {what} | {'' if bound is None else f'{bound[0]} {bound[1]:g}'} | {' | '.join(cells)} |", flush=True)


def cell(figure: float | str, bound: Bound | None) -> str:
    """Write a figure."""
    text = figure if isinstance(figure, str) else f"{figure:.3f}"
    if bound is None:
        return text
    meets = float(figure) >= bound[1] if bound[0] == ">=" else float(figure) <= bound[1]
    return text if meets else f"**{text}**"


if __name__ == "__main__":
    main()
