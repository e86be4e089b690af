"""The pictures of a training: those of the user, varied by chance, and made ones, each with what the heads must say.

Most shows are pictures. The others teach what a set cannot: a leaf on another ground, tiles with several leaves, and
what gets no answer: grounds, canopies from far above, pictures without a leaf, blurred ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.training.augment import augment
from worker.training.dataset import NO_CROP
from worker.training.negatives import blurred, canopy, junk
from worker.training.network import HEAD, REVIEW_CLASSES
from worker.training.scenes.grounds import any_ground
from worker.training.scenes.mask import leaf_mask
from worker.training.scenes.parts import Mask
from worker.training.scenes.paste import ground_alone, pasted
from worker.training.scenes.tile import Leaf, LeafTile, count_of_leaves, leaf_tile
from worker.training.store import VARIANTS, Examples

Picture = NDArray[np.uint8]
Indices = NDArray[np.int64]
Batch = tuple[Picture, dict[str, NDArray[np.float32]]]

LABEL_SMOOTHING = 0.05
# How often a picture is shown goes with (pictures of its class and crop) to the power of this: 0 leaves large sets
# their weight, -1 gives each set the same.
BALANCE = -0.3
# The part of the pictures of a class that are laid on another ground: of every class of a crop the same, or the ground
# would be a sign of the class where only one of them was photographed on a table.
PASTED = 0.4
CANOPY_LEAVES = 4
# The chance that the leaves of a tile are of one crop and class; else of one crop, healthy and sick.
ONE_CLASS = 0.6
# The part of a tile's leaf from which a sick one decides; below it the target is shared.
SICK = 0.25
TRIES = 8  # pictures that are asked for a plain ground
# Of each kind, as shares of the pictures of the training.
PICTURES, TILES, GROUNDS, OWN_GROUNDS, JUNK, CANOPIES, BLURS = 1.0, 0.35, 0.1, 0.04, 0.05, 0.03, 0.08
NO_LEAF, BLURRED = 1, 2  # behind the classes, in the order of REVIEW_CLASSES
# Every crop as much as any other: what is no leaf is no crop.
ANY_CROP = -2


@dataclass(frozen=True, slots=True)
class Show:
    """One picture as the network sees it, uint8, (height, width, 3).

    ``labels``: the outputs of the head of classes that it shows, with their shares, which add up to 1. ``crop``: the
    index of its crop, ``NO_CROP`` where nobody knows it, ``ANY_CROP`` where it has none.
    """

    picture: Picture
    labels: Mapping[int, float]
    crop: int = NO_CROP

    def target(self, head: str, size: int) -> NDArray[np.float32]:
        """Return the target of a head, (size,); all zero, from which nothing is learned, for a crop nobody knows."""
        if head == HEAD:
            target = np.full(size, LABEL_SMOOTHING / size, np.float32)
            for label, share in self.labels.items():
                target[label] += (1 - LABEL_SMOOTHING) * share
            return target
        if self.crop == ANY_CROP:
            return np.full(size, 1 / size, np.float32)
        target = np.zeros(size, np.float32)
        if self.crop != NO_CROP:
            target[self.crop] = 1
        return target


def shares_of_shows(labels: Indices, crops: Indices) -> NDArray[np.float64]:
    """Return how often each picture is shown, (n,), as shares of all shows: pictures of small sets more often."""
    _, cells, counts = np.unique(np.stack([labels, crops]), axis=1, return_inverse=True, return_counts=True)
    weights = counts[cells.ravel()].astype(np.float64) ** BALANCE
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def chances_to_paste(masks: Mapping[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    """Return the chance that a picture with a mask gets another ground: so many that all classes of a crop are alike.

    Args:
        masks: the share of pictures with a mask, by (crop, label).
    """
    least = {crop: min(share for (other, _), share in masks.items() if other == crop) for crop, _ in masks}
    return {cell: PASTED * least[cell[0]] / share if share else 0.0 for cell, share in masks.items()}


def labels_of_tile(tile: LeafTile[int], classes: int, healthy: int | None) -> dict[int, float]:
    """Return what a made tile must be called: the sick label that covers enough of its leaf, else by the shares.

    Args:
        tile: with the indices of classes, or ``classes`` for another symptom, as labels.
        classes: number of classes.
        healthy: the index of the class of plants without a disease; None if there is none.
    """
    if tile.is_ground:
        return {classes + NO_LEAF: 1.0}
    shares = {label: share / tile.leaf_share for label, share in tile.shares.items()}
    sick = {label: share for label, share in shares.items() if label != healthy}
    worst = max(sick, key=lambda label: sick[label], default=None)
    if worst is None or sick[worst] < SICK:
        return shares
    return {worst: 1.0}


@dataclass(frozen=True, slots=True)
class Made:
    """Facts that a training is told for the pictures that it makes.

    ``healthy``: the index of the class of plants without a disease, None if there is none. ``grounds``: cuts of
    photographs without a leaf, uint8, (n, edge, edge, 3). ``of_leaves``: the pictures show leaves; False for cut-outs
    of a canopy, which are laid on no other ground, and which made grounds (grass, soil) resemble.
    """

    healthy: int | None = None
    grounds: Sequence[Picture] | Picture = ()
    of_leaves: bool = True


@dataclass(frozen=True, slots=True)
class Shows:
    """All shows of an epoch, by number. The same seed, epoch and number give the same show.

    ``train``: indices of ``examples`` to learn from. ``sizes``: outputs of each head.
    """

    examples: Examples
    train: Indices
    sizes: Mapping[str, int]
    seed: int
    made: Made = field(default_factory=Made)
    _crops: Indices = field(init=False)
    _shares: NDArray[np.float64] = field(init=False)
    _leaf_shares: NDArray[np.float64] = field(init=False)
    _kinds: Sequence[tuple[int, Callable[[np.random.Generator], Show]]] = field(init=False)
    _masks: dict[tuple[int, int], Mask | None] = field(init=False, default_factory=dict)
    _pasted: Mapping[tuple[int, int], float] = field(init=False)

    def __post_init__(self) -> None:
        """Count the shows of each kind: shares of the pictures of the training."""
        crops, count = self.examples.crops, len(self.train)
        table = [(PICTURES, self._picture), (JUNK, self._junk), (BLURS, self._blurred)]
        if self.made.of_leaves:
            of_leaves = (self._tile, self._ground, self._own_ground, self._canopy)
            table += zip((TILES, GROUNDS, OWN_GROUNDS, CANOPIES), of_leaves, strict=True)
        object.__setattr__(self, "_crops", crops)
        labels = self.examples.labels[self.train]
        shares = shares_of_shows(labels, crops[self.train])
        of_leaves_alone = np.where(labels <= self._classes, shares, 0)
        object.__setattr__(self, "_shares", shares)
        object.__setattr__(self, "_leaf_shares", of_leaves_alone / of_leaves_alone.sum())
        object.__setattr__(self, "_pasted", chances_to_paste(self._shares_of_masks()) if self.made.of_leaves else {})
        object.__setattr__(self, "_kinds", tuple((round(share * count), make) for share, make in table))

    def __len__(self) -> int:
        return sum(count for count, _ in self._kinds)

    def batch(self, epoch: int, numbers: Indices) -> Batch:
        """Return pictures (n, height, width, 3) and the targets of each head (n, its outputs) of some shows."""
        shows = [self.show(epoch, int(number)) for number in numbers]
        targets = {head: np.stack([one.target(head, size) for one in shows]) for head, size in self.sizes.items()}
        return np.stack([one.picture for one in shows]), targets

    def show(self, epoch: int, number: int) -> Show:
        """Make a show."""
        rng = np.random.default_rng((self.seed, epoch, number))
        for count, make in self._kinds:
            if number < count:
                return make(rng)
            number -= count
        raise IndexError(number)

    @property
    def _classes(self) -> int:
        return self.sizes[HEAD] - len(REVIEW_CLASSES)

    @property
    def _size(self) -> tuple[int, int]:
        height, width = self.examples.pixels.shape[2:4]
        return int(height), int(width)

    def _chosen(self, rng: np.random.Generator) -> int:
        return int(self.train[rng.choice(len(self.train), p=self._shares)])

    def _chosen_leaf(self, rng: np.random.Generator) -> int:
        """Choose a picture of a leaf: a road among the leaves of a tile would be its worst symptom."""
        return int(self.train[rng.choice(len(self.train), p=self._leaf_shares)])

    def _shares_of_masks(self) -> dict[tuple[int, int], float]:
        """Return the share of pictures with a mask, by crop and label."""
        found: dict[tuple[int, int], list[bool]] = {}
        for index in self.train:
            cell = int(self._crops[index]), int(self.examples.labels[index])
            found.setdefault(cell, []).append(self._mask(int(index), 0) is not None)
        return {cell: float(np.mean(masks)) for cell, masks in found.items()}

    def _leaf(self, index: int, rng: np.random.Generator) -> Leaf:
        """Return one of the two variants of a picture, with its mask if its ground is plain."""
        variant = int(rng.integers(VARIANTS))
        return Leaf(self.examples.pixels[index, variant], self._mask(index, variant))

    def _mask(self, index: int, variant: int) -> Mask | None:
        if (index, variant) not in self._masks:
            self._masks[index, variant] = leaf_mask(self.examples.pixels[index, variant])
        return self._masks[index, variant]

    def _picture(self, rng: np.random.Generator) -> Show:
        index = self._chosen(rng)
        leaf = self._leaf(index, rng)
        picture, label, crop = leaf.pixels, int(self.examples.labels[index]), int(self._crops[index])
        if leaf.mask is not None and rng.random() < self._pasted.get((crop, label), 0.0):
            picture = pasted(picture, leaf.mask, any_ground(self.made.grounds, self._size, rng), rng)
        return Show(_varied(picture, rng), {label: 1.0}, ANY_CROP if label == self._classes + NO_LEAF else crop)

    def _tile(self, rng: np.random.Generator) -> Show:
        first = self._chosen_leaf(rng)
        crop, label = self._crops[first], self.examples.labels[first]
        alike = self._crops[self.train] == crop
        labels = self.examples.labels[self.train]
        alike &= (labels == label) if rng.random() < ONE_CLASS else (labels == label) | (labels == self.made.healthy)
        others = rng.choice(self.train[alike], size=count_of_leaves(rng) - 1)
        chosen = [first, *(int(index) for index in others)]
        leaves = [self._leaf(index, rng) for index in chosen]
        height, width = self._size
        ground = any_ground(self.made.grounds, (min(height, width),) * 2, rng)
        tile = leaf_tile(leaves, [int(self.examples.labels[index]) for index in chosen], ground, rng)
        named = labels_of_tile(tile, self._classes, self.made.healthy)
        return Show(_varied(_fitted(tile.pixels, self._size), rng), named, ANY_CROP if tile.is_ground else int(crop))

    def _ground(self, rng: np.random.Generator) -> Show:
        return self._nothing(any_ground(self.made.grounds, self._size, rng), rng)

    def _own_ground(self, rng: np.random.Generator) -> Show:
        """Show the ground of a picture without its leaf; another picture's if this one's is not plain."""
        for _ in range(TRIES):
            leaf = self._leaf(self._chosen_leaf(rng), rng)
            if leaf.mask is not None:
                return self._nothing(ground_alone(leaf.pixels, leaf.mask, rng), rng)
        return self._ground(rng)

    def _junk(self, rng: np.random.Generator) -> Show:
        return Show(junk(self._size, rng), {self._classes + NO_LEAF: 1.0}, ANY_CROP)

    def _canopy(self, rng: np.random.Generator) -> Show:
        leaves = [self.examples.pixels[self._chosen_leaf(rng), 0] for _ in range(CANOPY_LEAVES)]
        return self._nothing(canopy(leaves, rng), rng)

    def _blurred(self, rng: np.random.Generator) -> Show:
        leaf = self.examples.pixels[self._chosen_leaf(rng), 0]
        return Show(_varied(blurred(leaf, rng), rng), {self._classes + BLURRED: 1.0}, NO_CROP)

    def _nothing(self, picture: Picture, rng: np.random.Generator) -> Show:
        return Show(_varied(picture, rng), {self._classes + NO_LEAF: 1.0}, ANY_CROP)


def _varied(picture: Picture, rng: np.random.Generator) -> Picture:
    varied: Picture = augment(picture[None], rng)[0]
    return varied


def _fitted(picture: Picture, size: tuple[int, int]) -> Picture:
    """Return a square picture in a size that need not be square."""
    return picture if picture.shape[:2] == size else np.asarray(Image.fromarray(picture).resize(size[::-1]))
