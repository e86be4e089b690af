"""A hostile file as numbers: how often, how large, how long. A search changes the numbers and keeps what costs most."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType

Numbers = Mapping[str, int]
# A number is drawn between two ends, as often of ten as of ten thousand.
Range = tuple[int, int]
MAX_REPEATS, MAX_REPEATED_BYTES = 200_000, 8_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to build files: ``build`` makes the bytes from numbers within ``ranges``."""

    name: str
    build: Callable[[Numbers], bytes]
    ranges: Mapping[str, Range]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part of the file that stands many times; ``begin`` and ``size`` in bytes."""

    begin: int
    size: int
    times: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """The numbers of a file."""

    kind: Kind
    numbers: Numbers
    repeats: tuple[Repeat, ...] = ()
    lies: tuple[tuple[int, bytes], ...] = ()

    def build(self) -> bytes:
        """The file."""
        data = self.kind.build(self.numbers)
        for repeat in self.repeats:
            begin = min(repeat.begin, len(data))
            part = data[begin : begin + repeat.size]
            times = min(repeat.times, MAX_REPEATED_BYTES // max(1, len(part)))
            data = data[:begin] + part * times + data[begin:]
        for at, number in self.lies:
            data = data[:at] + number + data[at + len(number) :] if at + len(number) <= len(data) else data
        return data

    def __str__(self) -> str:
        words = [self.kind.name, *(f"{name}={number}" for name, number in self.numbers.items() if number)]
        words += [f"[{one.begin}:+{one.size}]x{one.times}" for one in self.repeats]
        words += [f"@{at}={number.hex()}" for at, number in self.lies]
        return " ".join(words)


def drawn(kind: Kind, chance: Random) -> Recipe:
    """A recipe by chance: most numbers small."""
    numbers = {name: _number(ends, chance) if chance.random() < 0.5 else ends[0] for name, ends in kind.ranges.items()}
    return Recipe(kind, MappingProxyType(numbers))


def changed(recipe: Recipe, chance: Random) -> Recipe:
    """The recipe with one to three changes."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        recipe = chance.choice((_other_number, _other_number, _other_number, _repeated, _lying))(recipe, chance)
    return recipe


def _number(ends: Range, chance: Random) -> int:
    least, most = ends
    return least + round(math.expm1(chance.uniform(0, math.log1p(most - least))))


def _other_number(recipe: Recipe, chance: Random) -> Recipe:
    name = chance.choice(list(recipe.kind.ranges))
    least, most = recipe.kind.ranges[name]
    before = recipe.numbers[name]
    after = chance.choice((_number((least, most), chance), 2 * before, before // 2, before + 1, most))
    return replace(recipe, numbers=MappingProxyType({**recipe.numbers, name: min(most, max(least, after))}))


def _repeated(recipe: Recipe, chance: Random) -> Recipe:
    begin = _number((0, 4000), chance)
    one = Repeat(begin, _number((1, 2000), chance), _number((2, MAX_REPEATS), chance))
    return replace(recipe, repeats=(*recipe.repeats, one)[-2:])


def _lying(recipe: Recipe, chance: Random) -> Recipe:
    number = chance.choice((b"\xff", b"\xff\xff", b"\xff\xff\xff\xff", b"\0\0", b"\0\0\0\0", b"\x7f\xff", b"\x00\x01"))
    return replace(recipe, lies=(*recipe.lies, (_number((2, 600), chance), number))[-3:])
