"""The tables of docs/classifier.md, as Markdown, with the goals of the issue beside the figures."""

from collections.abc import Callable, Sequence
from math import isnan

import numpy as np

from tests.benchmarks.accuracy.data import CLASSES, Data
from tests.benchmarks.accuracy.folds import LEFT_OUT
from tests.benchmarks.accuracy.leaf_one import FOLDS as FOLDS_OF_LEAF_1
from tests.benchmarks.accuracy.measures import Measures
from tests.benchmarks.accuracy.trainings import Trainings, left_out_crops
from tests.benchmarks.accuracy.versions import Version

# A crop with fewer pictures of the classes has no goal of its own.
MIN_PICTURES = 20
NO_WORSE = 0.003


def print_versions(versions: Sequence[Version], crop_ids: Sequence[str]) -> None:
    """Print a row for each figure, a column for each version, and the goals."""
    rows: list[tuple[str, str, Callable[[Version], str]]] = [
        ("new crops: pictures of the classes", "", lambda v: str(v.new.count)),
        ("new crops: right", "≥ 0.95", lambda v: figure(v.new.right)),
        (f"the worst new crop with {MIN_PICTURES} pictures", "≥ 0.90", lambda v: worst(v.new, crop_ids)),
        ("old crops: pictures of the classes", "", lambda v: str(v.old.count)),
        (
            "old crops: right",
            f"≥ {FOLDS_OF_LEAF_1['right'] - NO_WORSE:.3f}",
            lambda v: figure(v.old.right),
        ),
        ("all crops: right", "", lambda v: figure(v.measures.right)),
        ("calibration error", "≤ 0.015", lambda v: figure(v.measures.error)),
        ("right answers sent to a person, old crops", "≤ 0.05", lambda v: figure(v.old.right_sent)),
        ("right answers sent to a person, new crops", "≤ 0.08", lambda v: figure(v.new.right_sent)),
        ("wrong answers sent to a person", "", lambda v: figure(v.measures.wrong_sent)),
        ("other diseases sent to a person", "≥ 0.90", lambda v: figure(v.measures.other_sent)),
        ("of old crops", "", lambda v: figure(v.old.other_sent)),
        ("of new crops", "", lambda v: figure(v.new.other_sent)),
        ("tiles of drones and of ground sent to a person", "≥ 0.97", lambda v: figure(v.sent["ground"])),
        ("junk sent to a person", "≥ 0.99", lambda v: figure(v.sent["junk"])),
        ("blurred leaves sent to a person", "", lambda v: figure(v.sent["blurred"])),
        ("crop named rightly", "", lambda v: figure(v.measures.crop_right)),
    ]
    print(line(["figure", "goal", *(v.name for v in versions)]))
    print(line(["---"] * (2 + len(versions))))
    for name, goal, read in rows:
        print(line([name, goal, *(read(v) for v in versions)]))
    print(
        "leaf 1 has learned nine tenths of the old crops: its column counts what it has not learned, nor a "
        f"near-duplicate of it. Its recipe in five folds by picture, over all old crops: {FOLDS_OF_LEAF_1}.",
        flush=True,
    )


def print_crops(version: Version, data: Data) -> None:
    """Print a row for each crop, and for fields and laboratories."""
    head = ["crop", "pictures", "right", *(f"F1 {c}" for c in CLASSES), "calibration error", "right ones sent"]
    head += ["other diseases", "of them sent", "crop named"]
    print(f"{version.name}:\n{line(head)}\n{line(['---'] * len(head))}")
    for number, crop in enumerate(data.sets.crop_ids):
        print(line([crop, *_cells(version.measures[version.measures.crop == number])]))
    for look in dict.fromkeys(source.look for source in data.sets.sources):
        chosen = data.of_sources([source.look == look for source in data.sets.sources])[version.index]
        print(line([f"all from: {look}", *_cells(version.measures[chosen])]), flush=True)


def print_left_out(trainings: Trainings, crops: Sequence[str]) -> None:
    """Print a row for each of these crops when it is left out."""
    data = trainings.data
    head = ["crop left out", "with", "pictures", "right", "asks", "right of those that stand (≥ 0.85)", "reasons"]
    head += ["other diseases sent", "with its group left out: asks", "right of those that stand"]
    print(f"{line(head)}\n{line(['---'] * len(head))}")
    for group, crop in left_out_crops():
        if crop not in crops:
            continue
        alone, together = trainings.without_crop(group, crop), trainings.without(group)
        if alone is None or together is None:
            continue
        of_crop, of_group = np.flatnonzero(data.of_crops((crop,))), np.flatnonzero(data.of_crops(LEFT_OUT[group]))
        first = Measures(alone.answers("leaves"), data.labels[of_crop], data.crop[of_crop])
        both = Measures(together.answers("leaves"), data.labels[of_group], data.crop[of_group])
        second = both[np.isin(of_group, of_crop)]
        cells = [str(first.count), figure(first.right), figure(first.asks), standing(first), first.reasons()]
        cells += [figure(first.other_sent), figure(second.asks), standing(second)]
        print(line([crop, group, *cells]), flush=True)


def worst(measures: Measures, crop_ids: Sequence[str]) -> str:
    """Return the lowest share of right answers of a crop with enough pictures, and the crop."""
    of_crops = [(measures[measures.crop == number], name) for number, name in enumerate(crop_ids)]
    enough = [(found.right, name) for found, name in of_crops if found.count >= MIN_PICTURES]
    if not enough:
        return "none"
    right, name = min(enough)
    return f"{right:.3f} ({name})"


def standing(measures: Measures) -> str:
    """Return the share of right ones among the answers that stand, and their number."""
    return f"{figure(measures.right_of_standing)} of {measures.standing}"


def figure(value: float) -> str:
    """Write three digits; ``none`` for a share of nothing."""
    return "none" if isnan(value) else f"{value:.3f}"


def line(cells: Sequence[str]) -> str:
    """Write a row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def _cells(measures: Measures) -> list[str]:
    other = measures[~measures.known]
    return [
        str(measures.count),
        figure(measures.right),
        *(figure(measures.f1(label)) for label in range(len(CLASSES))),
        figure(measures.error),
        figure(measures.right_sent),
        str(len(other.labels)),
        figure(measures.other_sent),
        figure(measures.crop_right),
    ]
