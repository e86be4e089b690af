"""Sizes of the chunks of a job: small ones first and last, large ones between.

A size is a number of images, and it is found by their work: tiles, of which a whole photograph is one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.settings import Settings

# What a chunk costs in statements is little beside so much work. Chunks that are no larger are never made smaller, and
# a handful of images that somebody waits for is one chunk: beside a bulk job only one slot may be free for it.
MIN_WORK = 16
# Of what is left, a chunk takes a quarter at most: whoever is last has little left to do while others are idle.
SHARE_OF_THE_REST = 4


@dataclass(frozen=True, slots=True)
class ChunkSizes:
    """The maxima of a chunk: images, tiles (or else one photograph), and heads of files that one inspection reads."""

    images: int
    tiles: int
    heads: int

    @classmethod
    def of(cls, settings: Settings) -> "ChunkSizes":
        """Read it from the settings."""
        return cls(images=settings.chunk_images, tiles=settings.chunk_tiles, heads=settings.inspect_images)


SINGLE = ChunkSizes(images=1, tiles=1, heads=1)


def cut(images: int, max_images: int) -> Iterator[int]:
    """Yield the sizes of the chunks of so many whole photographs, in order; their sum is ``images``.

    Args:
        images: how many there are; 0 gives no chunk.
        max_images: images in one chunk at most.
    """
    return cut_by_work([1] * images, max_work=max_images, max_images=max_images)


def cut_by_work(work: Sequence[int], *, max_work: int, max_images: int) -> Iterator[int]:
    """Yield the sizes of the chunks of images, in order; their sum is the number of images.

    The first ones double, so that the first results come soon and the slots of a worker do not begin and end their
    chunks at the same moments. The last ones shrink, so that the slots and workers end together: guided
    self-scheduling (Polychronopoulos and Kuck, IEEE Transactions on Computers C-36, 1987).

    Args:
        work: of each image, in tiles, 1 or more.
        max_work: tiles in one chunk at most; an image of more is a chunk alone.
        max_images: images in one chunk at most.
    """
    least = min(max_work, MIN_WORK)
    rising, left, begin = least, sum(work), 0
    while begin < len(work):
        room = min(max_work, rising, max(least, left // SHARE_OF_THE_REST))
        end, taken = begin, 0
        while end < len(work) and end - begin < max_images and (end == begin or taken + work[end] <= room):
            taken += work[end]
            end += 1
        yield end - begin
        begin, left, rising = end, left - taken, 2 * max(rising, taken)
