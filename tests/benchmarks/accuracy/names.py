"""File names that say which pictures show one leaf: cuts of one photograph, and photographs taken one after another.

The gaps were measured on features of ImageNet: the mean cosine of neighbours by number against that of random pairs of
the set. Cherry 0.69, 0.68 and 0.68 at distance 1, 2 and 3, 0.62 at 4, 0.57 at random (PlantVillage took several
photographs of each leaf: its ``leaf-map.json``); strawberry alike. Mango 0.86 and 0.83 within two seconds, 0.58 at
random; groundnut 0.53 at 1, 0.40 at random; blackgram 0.50 at 1, 0.20 at random (whole sessions are alike there). Corn,
bean, sugarcane, garlic, grape, soybean: neighbours are as random pairs, so their numbers say nothing.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Naming:
    """A pattern with the groups ``series`` and ``number``; numbers at most ``gap`` apart belong together."""

    crops: tuple[str, ...]
    pattern: re.Pattern[str]
    gap: int


# The first that fits a name counts.
NAMINGS = (
    # A leaf of the greenhouse, seen twice or on several days: ``GH_HL_Leaf_354.1``, ``GHLB_PS_Leaf_15_Day_8``.
    Naming(("tomato",), re.compile(r"(?P<series>GH\w*?)_Leaf_(?P<number>\d+)"), 0),
    # PlantVillage: photographer, what it shows, number of the camera: ``JR_HL 3922``, ``RS_Late.B_4843``.
    Naming(
        ("cherry", "strawberry", "bell_pepper", "raspberry", "tomato"),
        re.compile(r"(?<=_)(?P<series>[A-Za-z.]+(?:_[A-Za-z.]+)+)[ _](?P<number>\d+)(?: copy|_\d+)?\.\w+$"),
        3,
    ),
    # Day and second: ``20211231_161454``; a turn of the minute is missed.
    Naming(("mango",), re.compile(r"(?P<series>\d{8})_(?P<number>\d{6})"), 2),
    Naming(("groundnut",), re.compile(r"(?P<series>IMG)_(?P<number>\d+)"), 1),
    # Cuts of one photograph, some of them of different classes: ``health_IMG_2978_2``, ``murda__IMG_2978``.
    Naming(("chilli",), re.compile(r"(?P<series>IMG)_(?P<number>\d+)"), 0),
    Naming(("blackgram",), re.compile(r"(?P<number>\d+)(?P<series>[a-z]?)\."), 1),
    # Number of the photograph, then the place of the cut: ``1562_1458_0441_0246_0248``.
    Naming(("coffee",), re.compile(r"^(?P<series>)(?P<number>\d+)_"), 0),
)


def same_leaf(names: Sequence[str], crops: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs of neighbours in a series that show one leaf.

    Args:
        names: of the files, without their folders.
        crops: the crop of each.
    """
    series: dict[tuple[str, int, str], list[tuple[int, int]]] = defaultdict(list)
    for index, (name, crop) in enumerate(zip(names, crops, strict=True)):
        for number, naming in enumerate(NAMINGS):
            found = naming.pattern.search(name) if crop in naming.crops else None
            if found:
                series[crop, number, found["series"]].append((int(found["number"]), index))
                break
    return [
        (a, b)
        for (_, number, _), shots in series.items()
        for (first, a), (second, b) in zip(sorted(shots), sorted(shots)[1:], strict=False)
        if second - first <= NAMINGS[number].gap
    ]
