"""Sizes of the chunks of a job: small ones first and last, large ones between."""

from collections.abc import Iterator

# What a chunk costs in statements is little beside so many images. Chunks that are no larger are never made smaller,
# and a handful of images that somebody waits for is one chunk: beside a bulk job only one slot may be free for it.
LEAST_IMAGES = 16
# Of what is left, a chunk takes a quarter at most: whoever is last has little left to do while others are idle.
SHARE_OF_THE_REST = 4


def cut(images: int, max_images: int) -> Iterator[int]:
    """Yield the sizes of the chunks of so many images, in order; their sum is ``images``.

    The first ones double, so that the first results come soon and the slots of a worker do not begin and end their
    chunks at the same moments. The last ones shrink, so that the slots and workers end together: guided
    self-scheduling (Polychronopoulos and Kuck, IEEE Transactions on Computers C-36, 1987).

    Args:
        images: how many there are; 0 gives no chunk.
        max_images: images in one chunk at most.
    """
    least = min(max_images, LEAST_IMAGES)
    rising = least
    while images > 0:
        size = min(images, max_images, rising, max(least, images // SHARE_OF_THE_REST))
        yield size
        images -= size
        rising *= 2
