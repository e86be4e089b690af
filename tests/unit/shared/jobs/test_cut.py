"""The cut of a job into chunks."""

from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.cut import MIN_WORK, SHARE_OF_THE_REST, cut, cut_by_work


@given(images=st.integers(0, 30_000), max_images=st.integers(1, 1024))
def test_every_image_is_in_one_chunk_and_none_is_larger_than_asked(images: int, max_images: int) -> None:
    sizes = list(cut(images, max_images))
    assert sum(sizes) == images
    assert all(1 <= size <= max_images for size in sizes)
    assert all(size >= min(max_images, MIN_WORK) for size in sizes[:-1]), "only the last one is smaller"


@given(images=st.integers(1, 30_000))
def test_whoever_is_last_has_little_left_to_do(images: int) -> None:
    left = images
    for size in cut(images, 64):
        assert size <= max(MIN_WORK, left // SHARE_OF_THE_REST)
        left -= size


def test_the_first_results_come_soon_and_most_chunks_are_whole() -> None:
    sizes = list(cut(20_000, 64))
    assert sizes[:4] == [16, 32, 64, 64]
    assert sizes.count(64) > 0.9 * len(sizes)


def test_a_few_images_are_shared_by_the_slots() -> None:
    assert list(cut(1, 64)) == [1]
    assert list(cut(10, 64)) == [10]
    assert list(cut(64, 64)) == [16, 16, 16, 16]


def test_small_chunks_are_all_of_the_size_that_was_asked_for() -> None:
    assert list(cut(5, 2)) == [2, 2, 1]
    assert list(cut(3, 1)) == [1, 1, 1]


WORK = st.lists(st.integers(1, 4096), max_size=400)


@given(work=WORK, max_work=st.integers(1, 4096), max_images=st.integers(1, 64))
def test_a_chunk_has_no_more_work_than_asked_or_is_one_image(work: list[int], max_work: int, max_images: int) -> None:
    begin = 0
    for size in cut_by_work(work, max_work=max_work, max_images=max_images):
        assert 1 <= size <= max_images
        assert size == 1 or sum(work[begin : begin + size]) <= max_work
        begin += size
    assert begin == len(work)


@given(work=WORK, max_images=st.integers(1, 64))
def test_the_last_chunks_have_little_work(work: list[int], max_images: int) -> None:
    begin = 0
    for size in cut_by_work(work, max_work=1024, max_images=max_images):
        left, taken = sum(work[begin:]), sum(work[begin : begin + size])
        assert size == 1 or taken <= max(MIN_WORK, left // SHARE_OF_THE_REST)
        begin += size


def test_photographs_of_many_tiles_are_cut_by_their_tiles() -> None:
    sizes = list(cut_by_work([221] * 400, max_work=1024, max_images=64))
    assert sizes[:5] == [1, 2, 4, 4, 4], "221, 442 and 884 tiles, and never more than 1,024"
    assert sizes[-3:] == [1, 1, 1]
    assert list(cut_by_work([5000, 3], max_work=1024, max_images=64)) == [1, 1]
