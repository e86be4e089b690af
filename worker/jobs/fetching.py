"""Fetching of originals for a pipeline."""

from collections.abc import Callable, Sequence

from shared.contracts.states import ImageErrorCode
from shared.errors import ObjectMissing, ObjectTooLarge
from shared.jobs.images import PendingImage
from worker.context import Context
from worker.inference.errors import ImageError
from worker.inference.items import Item

# Errors of the object store that are about one object, and what they mean for its image.
OBJECT_ERRORS = {
    ObjectMissing: ImageErrorCode.OBJECT_MISSING,
    ObjectTooLarge: ImageErrorCode.TOO_LARGE,
}


def fetcher_of(context: Context, images: Sequence[PendingImage]) -> Callable[[Item], bytes]:
    """Return the function by which the pipeline gets the bytes of an image."""
    by_seq = {image.seq: image for image in images}

    def fetch(item: Item) -> bytes:
        image = by_seq[item.seq]
        try:
            return context.store.get(image.object_key, bucket=image.bucket, max_bytes=context.settings.max_image_bytes)
        except (ObjectMissing, ObjectTooLarge) as error:
            raise ImageError(OBJECT_ERRORS[type(error)], str(error)) from error

    return fetch
