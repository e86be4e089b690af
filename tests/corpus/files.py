"""The corpus of broken images: numbered files, the same ones for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice, product
from random import Random

from tests.corpus.bombs import BOMBS
from tests.corpus.damage import DAMAGES
from tests.corpus.pictures import whole_pictures


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file and how it came to be."""

    number: int
    format: str
    damage: str
    data: bytes


def broken_files(count: int, seed: int) -> Iterator[BrokenFile]:
    """The bombs, then every damage to every kind of picture in turn, ``count`` files in all."""
    made = [("bomb", name, build) for name, build in BOMBS.items()]
    for number, (kind, name, build) in enumerate(islice(made, count)):
        yield BrokenFile(number, kind, name, build())
    pairs = cycle(product(DAMAGES, whole_pictures(seed)))
    for number, (damage, (kind, data)) in enumerate(islice(pairs, max(0, count - len(made))), len(made)):
        chance = Random(f"{seed}:{number}")  # noqa: S311  # the same file for the same seed
        yield BrokenFile(number, kind, damage.__name__, damage(data, chance))
