"""Images that have got their result."""

from collections import Counter
from collections.abc import Iterable

from shared.jobs.results import NewResult
from shared.metrics.definitions import IMAGES


def count_results(results: Iterable[NewResult]) -> None:
    """Call it after the commit."""
    for (status, code), images in Counter((one.status, one.error_code or "") for one in results).items():
        IMAGES.labels(status, code).inc(images)
