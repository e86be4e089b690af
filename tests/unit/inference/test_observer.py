"""Who watches a pipeline hears of every image and every batch."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from PIL import Image

from worker.inference.classifier import Classifier
from worker.inference.observer import Stage
from worker.inference.pipeline import Item, Pipeline

Encode = Callable[..., bytes]


class Diary:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.stages: Counter[Stage] = Counter()
        self.batches: list[tuple[int, int]] = []

    def took(self, stage: Stage, seconds: float) -> None:
        assert seconds >= 0
        with self._lock:
            self.stages[stage] += 1

    def batch(self, images: int, size: int) -> None:
        self.batches.append((images, size))


@pytest.fixture
def diary() -> Diary:
    return Diary()


def run(classifier: Classifier, diary: Diary, fetch: Callable[[Item], bytes], count: int) -> int:
    with Pipeline(
        classifier, batch_size=4, download_threads=2, decode_threads=2, bytes_in_flight=10**6, observer=diary
    ) as pipeline:
        items = [Item(seq=n, name=f"{n}.png", size=1000) for n in range(count)]
        return sum(outcome.error is None for outcome in pipeline.run(items, fetch))


def test_it_hears_of_every_image_and_every_batch(
    classifier: Classifier, diary: Diary, encode: Encode, photo: Image.Image
) -> None:
    picture = encode(photo)
    assert run(classifier, diary, lambda _: picture, 10) == 10
    assert (diary.stages[Stage.DOWNLOAD], diary.stages[Stage.DECODE]) == (10, 10)
    assert diary.stages[Stage.PREDICT] == len(diary.batches)
    assert sum(images for images, _ in diary.batches) == 10
    assert {size for _, size in diary.batches} == {4}


def test_what_failed_took_time_too(classifier: Classifier, diary: Diary) -> None:
    assert run(classifier, diary, lambda _: b"no picture", 3) == 0
    assert diary.stages == {Stage.DOWNLOAD: 3, Stage.DECODE: 3}
