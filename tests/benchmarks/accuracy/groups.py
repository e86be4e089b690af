"""Groups of pictures that must stand on one side of every split: near-duplicates, and views of one leaf."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Groups:
    """``numbers``: int64, (n,), equal within a group; ``by_hash`` and ``by_name``: the pairs that made them."""

    numbers: Indices
    by_hash: Pairs
    by_name: Pairs

    @classmethod
    def of(cls, count: int, by_hash: Pairs, by_name: Pairs) -> "Groups":
        """Join the pairs of both kinds into groups of ``count`` pictures."""
        return cls(joined(count, [*by_hash, *by_name]), by_hash, by_name)

    def table(self, crop: Sequence[str]) -> str:
        """Write a row for each crop: pictures, groups, those of several pictures, the largest, pairs of each kind."""
        lines = [
            "| crop | pictures | groups | of several | largest | pairs by hash | pairs by name |",
            "|---" * 7 + "|",
        ]
        of = np.array(crop)
        for name in dict.fromkeys(crop):
            _, sizes = np.unique(self.numbers[of == name], return_counts=True)
            pairs = [sum(name in (of[a], of[b]) for a, b in kind) for kind in (self.by_hash, self.by_name)]
            cells = (name, sizes.sum(), len(sizes), (sizes > 1).sum(), sizes.max(), *pairs)
            lines.append("| " + " | ".join(map(str, cells)) + " |")
        return "\n".join(lines)


def joined(count: int, pairs: Iterable[tuple[int, int]]) -> Indices:
    """Return the number of the group of each of ``count`` things: the least index that pairs lead to."""
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return np.array([root(index) for index in range(count)], np.int64)
