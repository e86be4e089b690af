"""Files that took minutes or gigabytes, and a few seconds of the search for others (``make hostile`` takes minutes)."""

from collections.abc import Iterator

import pytest

from tests.hostile.known import KNOWN
from tests.hostile.search import MEBIBYTE, Cost, Subject, search, subject

pytestmark = pytest.mark.slow

# Less than by default, so that files which need all of it cost the tests little.
PROCESSOR_SECONDS = 1.0
# Of threads: the inspection, the place, an ordinary picture of 60 megapixels.
MAX_THREAD_SECONDS = 4.0
MAX_MEMORY = 1024 * MEBIBYTE
# The others are tried by `make hostile`.
QUICK = (
    "TIFF of 2,000 rows in 20,000 strips of 1,000 rows",
    "TIFF with 600 directories of 3,000 entries",
    "JPEG with 600 Exif segments",
    "JPEG with 1,000,000 empty comments",
    "JPEG with 300 Photoshop segments",
    "JPEG of 60 megapixels in 197 scans",
    "PNG of 1 x 60,000,000",
    "PNG of 60 megapixels with transparency",
    "PNG with 300 texts of 60 MB",
    "WebP of 7,745 x 7,745 in 46 bytes",
    "BMP in runs",
)


@pytest.fixture(scope="module")
def tried() -> Iterator[Subject]:
    with subject("--processor-seconds", str(PROCESSOR_SECONDS)) as process:
        yield process


def assert_bounded(cost: Cost) -> None:
    """Processor time, not time on the clock: the machine may be busy."""
    assert cost.processor_seconds < PROCESSOR_SECONDS + MAX_THREAD_SECONDS, cost
    assert cost.memory < MAX_MEMORY, cost


@pytest.mark.parametrize("name", QUICK)
def test_a_file_that_took_minutes_or_gigabytes_is_bounded(name: str, tried: Subject) -> None:
    assert_bounded(tried.cost(name, KNOWN[name]()))


def test_a_search_of_a_few_files_finds_none_without_bounds(tried: Subject) -> None:
    costs = [cost for cost, _ in search(tried, seconds=60, seed=7, files=40)]
    assert len(costs) == 40
    for cost in costs:
        assert_bounded(cost)
