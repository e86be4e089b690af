import hashlib
import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.contracts.geography import PositionFault
from shared.contracts.manifest import Manifest, Preprocessing
from shared.contracts.states import ImageErrorCode, ImageStatus
from tests.patience import PATIENCE_SECONDS, wait_for
from worker.inference import decoding
from worker.inference.budget import ByteBudget
from worker.inference.classifier import Classifier, GpuMemory, Outputs
from worker.inference.errors import ImageError, OutputInvalid
from worker.inference.geography import FilePlace
from worker.inference.limits import PictureLimits
from worker.inference.pipeline import Item, Odd, Outcome, Pipeline
from worker.inference.preprocess import preprocess, resized_pixels

Encode = Callable[..., bytes]
COLOURS = {"red": (230, 20, 20), "green": (20, 230, 20), "blue": (20, 20, 230)}


class Store:
    """Encoded pictures by item, with a record of what was fetched."""

    def __init__(self, encode: Encode, count: int) -> None:
        self.labels = [tuple(COLOURS)[n % 3] for n in range(count)]
        self.data = {n: encode(Image.new("RGB", (40, 30), COLOURS[label])) for n, label in enumerate(self.labels)}
        self.fetched: Counter[int] = Counter()

    def items(self) -> list[Item]:
        return [Item(n, f"{n}.jpg", len(data)) for n, data in self.data.items()]

    def fetch(self, item: Item) -> bytes:
        self.fetched[item.seq] += 1
        return self.data[item.seq]


@pytest.fixture
def store(encode: Encode) -> Store:
    return Store(encode, 30)


@pytest.fixture
def pipeline(classifier: Classifier) -> Iterator[Pipeline]:
    with made(classifier) as pipeline:
        yield pipeline
        assert settled(pipeline) == 0


def made(classifier: Classifier, **overrides: Any) -> Pipeline:  # noqa: ANN401  # settings of several types
    settings: dict[str, Any] = {"batch_size": 4, "download_threads": 3, "decode_threads": 2, "bytes_in_flight": 4000}
    settings |= overrides
    return Pipeline(classifier, isolated=None, observer=None, camera_zone=None, **settings)


def settled(pipeline: Pipeline) -> int:
    """Bytes that are still reserved when every thread has ended."""
    pipeline.close()
    return pipeline.bytes_in_use


def outcomes_of(pipeline: Pipeline, store: Store) -> list[Outcome]:
    return list(pipeline.run(store.items(), store.fetch))


def until_it_ends(run: Iterator[Outcome], kept: list[Outcome]) -> None:
    """Consume a run that raises, keeping what came before."""
    for outcome in run:
        kept.append(outcome)  # noqa: PERF402  # extend would lose the outcomes when the run raises


def failed(outcomes: list[Outcome]) -> dict[int, ImageErrorCode]:
    return {o.seq: o.error.code for o in outcomes if o.error is not None}


def test_every_image_gets_its_own_answer_once(pipeline: Pipeline, store: Store) -> None:
    outcomes = list(pipeline.run(store.items(), store.fetch))
    labels = {o.seq: o.interpretation.label for o in outcomes if o.interpretation}
    assert labels == dict(enumerate(store.labels))
    assert len(outcomes) == 30
    assert {o.status for o in outcomes} == {ImageStatus.SUCCEEDED}
    assert set(store.fetched.values()) == {1}


def test_batches_are_full_but_for_the_last(pipeline: Pipeline, store: Store, classifier: Classifier) -> None:
    list(pipeline.run(store.items(), store.fetch))
    assert getattr(classifier, "batches") == [4] * 7 + [2]  # noqa: B009  # the fake has more than the Protocol


def test_no_images_are_no_outcomes(pipeline: Pipeline, store: Store) -> None:
    assert list(pipeline.run([], store.fetch)) == []


def test_an_image_that_cannot_be_read_fails_alone(pipeline: Pipeline, store: Store) -> None:
    store.data[3] = store.data[3][:200]
    store.data[5] = b"<html></html>"
    store.data[7] = b""
    outcomes = list(pipeline.run(store.items(), store.fetch))
    assert failed(outcomes) == {
        3: ImageErrorCode.TRUNCATED,
        5: ImageErrorCode.UNSUPPORTED_FORMAT,
        7: ImageErrorCode.EMPTY,
    }
    assert len(outcomes) == 30
    assert all((o.interpretation is None) == (o.error is not None) for o in outcomes)


def test_a_wrong_checksum_fails_the_image(pipeline: Pipeline, store: Store) -> None:
    items = [Item(n, "", None, hashlib.sha256(data).hexdigest()) for n, data in store.data.items()]
    items[2] = Item(2, "", None, "0" * 64)
    items[4] = Item(4, "", None, items[4].sha256.upper() if items[4].sha256 else None)
    assert failed(list(pipeline.run(items, store.fetch))) == {2: ImageErrorCode.CHECKSUM_MISMATCH}


def test_what_fetch_says_about_one_image_fails_that_image(pipeline: Pipeline, store: Store) -> None:
    def fetch(item: Item) -> bytes:
        if item.seq == 9:
            raise ImageError(ImageErrorCode.OBJECT_MISSING, "It is gone.")
        return store.fetch(item)

    outcomes = list(pipeline.run(store.items(), fetch))
    assert failed(outcomes) == {9: ImageErrorCode.OBJECT_MISSING}
    assert [o.error.detail for o in outcomes if o.error] == ["It is gone."]


def test_too_many_pixels_follow_the_limit_of_the_pipeline(classifier: Classifier, store: Store) -> None:
    with made(classifier, limits=PictureLimits(pixels=40 * 30 - 1)) as pipeline:
        outcomes = list(pipeline.run(store.items(), store.fetch))
    assert set(failed(outcomes).values()) == {ImageErrorCode.TOO_MANY_PIXELS}


def test_infrastructure_ends_the_run_and_no_image(pipeline: Pipeline, store: Store) -> None:
    def fetch(item: Item) -> bytes:
        if item.seq == 12:
            raise ConnectionError("the store is away")
        return store.fetch(item)

    outcomes: list[Outcome] = []
    with pytest.raises(ConnectionError, match="the store is away"):
        until_it_ends(pipeline.run(store.items(), fetch), outcomes)
    assert failed(outcomes) == {}
    assert len(outcomes) < 30


def test_the_pipeline_works_on_after_a_run_that_failed(pipeline: Pipeline, store: Store) -> None:
    def away(_item: Item) -> bytes:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        list(pipeline.run(store.items(), away))
    assert len(list(pipeline.run(store.items(), store.fetch))) == 30


def test_on_batch_abandons_the_run_between_batches(pipeline: Pipeline, store: Store, classifier: Classifier) -> None:
    class Lost(Exception):
        pass

    calls = 0

    def on_batch() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Lost

    outcomes: list[Outcome] = []
    with pytest.raises(Lost):
        until_it_ends(pipeline.run(store.items(), store.fetch, on_batch=on_batch), outcomes)
    assert len(outcomes) == 8  # Two batches of four were finished and are kept.
    assert getattr(classifier, "batches") == [4, 4]  # noqa: B009
    assert settled(pipeline) == 0
    assert len(store.fetched) < 30


def test_a_run_that_waits_for_a_hanging_download_can_be_abandoned(classifier: Classifier, store: Store) -> None:
    class Stopping(Exception):
        pass

    hang = threading.Event()

    def fetch(_item: Item) -> bytes:
        assert hang.wait(PATIENCE_SECONDS)
        return b""

    calls = 0

    def on_batch() -> None:
        nonlocal calls
        calls += 1
        if calls > 1:  # The first call is before anything was asked for.
            raise Stopping

    pipeline = made(classifier)
    with pytest.raises(Stopping):
        list(pipeline.run(store.items(), fetch, on_batch=on_batch))
    assert not hang.is_set()
    hang.set()
    assert settled(pipeline) == 0


def test_finished_images_are_not_held_back_by_a_slow_one(classifier: Classifier, store: Store) -> None:
    slow = threading.Event()

    def fetch(item: Item) -> bytes:
        if item.seq == 0:
            assert slow.wait(PATIENCE_SECONDS)
        return store.fetch(item)

    with made(classifier) as pipeline, closing(pipeline.run(store.items()[:3], fetch)) as outcomes:
        assert {next(outcomes).seq, next(outcomes).seq} == {1, 2}  # Fewer than a batch, and 0 still hangs.
        slow.set()
        assert next(outcomes).seq == 0


def test_closing_the_iterator_abandons_the_run(pipeline: Pipeline, store: Store) -> None:
    with closing(pipeline.run(store.items(), store.fetch)) as outcomes:
        next(outcomes)
    assert settled(pipeline) == 0


def test_encoded_bytes_stay_below_the_budget(classifier: Classifier, encode: Encode) -> None:
    store = Store(encode, 40)
    largest = max(map(len, store.data.values()))
    lock = threading.Lock()
    inside = peak = 0

    def fetch(item: Item) -> bytes:
        nonlocal inside, peak
        with lock:
            inside += 1
            peak = max(peak, inside)
        data = store.fetch(item)
        with lock:
            inside -= 1
        return data

    with made(classifier, bytes_in_flight=2 * largest, download_threads=8) as pipeline:
        peaks = [pipeline.bytes_in_use for _ in pipeline.run(store.items(), fetch)]
    assert max(peaks) <= 2 * largest
    assert peak <= 2


def test_an_image_larger_than_the_budget_is_classified(classifier: Classifier, store: Store) -> None:
    with made(classifier, bytes_in_flight=1) as pipeline:
        assert len(list(pipeline.run(store.items(), store.fetch))) == 30
        assert pipeline.bytes_in_use == 0


def test_sizes_that_nobody_knows_are_classified(classifier: Classifier, store: Store) -> None:
    items = [Item(n, "") for n in store.data]
    with made(classifier) as pipeline:
        assert len(list(pipeline.run(items, store.fetch))) == 30


def test_runs_share_a_pipeline_and_a_budget(classifier: Classifier, encode: Encode) -> None:
    stores = [Store(encode, 25) for _ in range(6)]
    with made(classifier, bytes_in_flight=1500) as pipeline, ThreadPoolExecutor(6) as callers:
        runs = [callers.submit(outcomes_of, pipeline, store) for store in stores]
        for store, run in zip(stores, runs, strict=True):
            labels = {o.seq: o.interpretation.label for o in run.result(PATIENCE_SECONDS) if o.interpretation}
            assert labels == dict(enumerate(store.labels))
        assert pipeline.bytes_in_use == 0


def test_a_consumer_that_pauses_holds_no_other_run_up(classifier: Classifier, encode: Encode) -> None:
    first, second = Store(encode, 40), Store(encode, 40)
    with (
        made(classifier, bytes_in_flight=1500) as pipeline,
        closing(pipeline.run(first.items(), first.fetch)) as paused,
    ):
        next(paused)
        assert len(outcomes_of(pipeline, second)) == 40
        assert len(list(paused)) == 39


def test_what_is_urgent_waits_for_no_download_and_no_byte_of_a_bulk_run(classifier: Classifier, encode: Encode) -> None:
    bulk, urgent = Store(encode, 40), Store(encode, 5)
    hang = threading.Event()

    def fetch(item: Item) -> bytes:
        assert hang.wait(PATIENCE_SECONDS)
        return bulk.fetch(item)

    with made(classifier) as pipeline, ThreadPoolExecutor(1) as caller:
        behind = caller.submit(lambda: list(pipeline.run(bulk.items(), fetch)))
        wait_for(lambda: pipeline.bytes_in_use)
        assert len(list(pipeline.run(urgent.items(), urgent.fetch, urgent=True))) == 5
        assert not behind.done()
        hang.set()
        assert len(behind.result(PATIENCE_SECONDS)) == 40


def test_what_is_urgent_waits_for_no_picture_of_a_bulk_run(
    classifier: Classifier, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk, urgent = Store(encode, 40), Store(encode, 5)
    decoding, hang = threading.Event(), threading.Event()
    with made(classifier) as pipeline, ThreadPoolExecutor(1) as caller:

        def slowly(data: bytes, *_how: Any, **_limits: Any) -> NDArray[np.uint8]:  # noqa: ANN401  # not looked at
            decoding.set()
            assert hang.wait(PATIENCE_SECONDS)
            return resized_pixels(data, Preprocessing(), (8, 12))

        monkeypatch.setattr(pipeline.isolated, "resized_pixels", slowly)
        behind = caller.submit(lambda: list(pipeline.run(bulk.items(), bulk.fetch, odd=Odd.ISOLATE_ALL)))
        assert decoding.wait(PATIENCE_SECONDS)
        assert len(list(pipeline.run(urgent.items(), urgent.fetch, urgent=True))) == 5
        assert not behind.done()
        hang.set()
        assert len(behind.result(PATIENCE_SECONDS)) == 40


def test_an_abandoned_run_does_not_disturb_another(classifier: Classifier, encode: Encode) -> None:
    first, second = Store(encode, 40), Store(encode, 40)
    with made(classifier, bytes_in_flight=1500) as pipeline:
        with closing(pipeline.run(second.items(), second.fetch)) as outcomes:
            next(outcomes)
            with closing(pipeline.run(first.items(), first.fetch)) as abandoned:
                next(abandoned)
            assert len(list(outcomes)) == 39
        assert settled(pipeline) == 0


def test_the_window_bounds_what_is_fetched_ahead(classifier: Classifier, encode: Encode) -> None:
    store = Store(encode, 200)
    with (
        made(classifier, bytes_in_flight=10**9) as pipeline,
        closing(pipeline.run(store.items(), store.fetch)) as outcomes,
    ):
        next(outcomes)
        pipeline.bulk.close()
        assert len(store.fetched) <= pipeline.window + pipeline.batch_size < 200


def test_a_model_that_answers_nonsense_is_nobodys_image(make_manifest: Callable[..., Manifest], store: Store) -> None:
    class Broken:
        manifest = make_manifest()
        batch_size = 4
        runtime = "numpy"

        def warm_up(self) -> None:
            return

        def gpu_memory(self) -> Sequence[GpuMemory]:
            return ()

        def classify(self, batch: NDArray[np.float32], *, maps: bool = False) -> Outputs:  # noqa: ARG002  # it has none
            return Outputs(np.full((len(batch), 3), np.nan, np.float32))

    with made(Broken()) as pipeline, pytest.raises(OutputInvalid, match="NaN"):
        list(pipeline.run(store.items(), store.fetch))


@pytest.mark.parametrize("batch_size", [0, 5])
def test_a_batch_that_the_classifier_cannot_take_is_refused(batch_size: int, classifier: Classifier) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        made(classifier, batch_size=batch_size)


@pytest.mark.slow
def test_isolated_runs_answer_the_same(pipeline: Pipeline, store: Store) -> None:
    store.data[3] = store.data[3][:200]
    plain = {o.seq: (o.interpretation, o.error and o.error.code) for o in pipeline.run(store.items(), store.fetch)}
    isolated = pipeline.run(store.items(), store.fetch, odd=Odd.ISOLATE_ALL)
    assert {o.seq: (o.interpretation, o.error and o.error.code) for o in isolated} == plain


def test_every_outcome_says_where_the_photo_was_taken_also_a_failed_one(classifier: Classifier) -> None:
    directory = {1: "N", 2: (41.0, 30.0, 0.0), 3: "E", 4: (1.0, 15.0, 0.0)}
    exif = Image.Exif()
    exif.get_ifd(0x8825).update(directory)
    buffer = io.BytesIO()
    Image.effect_noise((200, 200), 90).convert("RGB").save(buffer, "JPEG", exif=exif)
    whole = buffer.getvalue()
    data = {0: whole, 1: whole[: len(whole) // 2], 2: b"<html>"}
    with made(classifier) as pipeline:
        found = {o.seq: o for o in pipeline.run([Item(n, str(n)) for n in data], lambda item: data[item.seq])}
    assert [found[n].status for n in data] == [ImageStatus.SUCCEEDED, ImageStatus.FAILED, ImageStatus.FAILED]
    places = {n: outcome.place for n, outcome in found.items()}
    assert [(p.latitude, p.longitude) if p else None for p in (places[0], places[1])] == [(41.5, 1.25)] * 2
    assert places[2] == FilePlace(fault=PositionFault.NO_METADATA)


def test_pictures_are_decoded_within_the_room_for_pixels(
    classifier: Classifier, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, budget = preprocess, ByteBudget(10_000)  # Each takes about 6,000: 40 x 30 pixels of 4 bytes.
    at_once: list[int] = []

    def watched(*what: Any, **how: Any) -> NDArray[np.float32]:  # noqa: ANN401  # as the genuine one
        at_once.append(budget.in_use)
        return genuine(*what, **how)

    monkeypatch.setattr(decoding, "preprocess", watched)
    with made(classifier, decode_threads=4, pixel_budget=budget) as pipeline:
        assert len(outcomes_of(pipeline, store)) == 30
    assert len(at_once) == 30
    assert all(5_000 < used < 10_000 for used in at_once)
    assert budget.in_use == 0


@pytest.mark.slow
def test_a_picture_out_of_the_ordinary_is_decoded_in_a_process(classifier: Classifier, encode: Encode) -> None:
    pictures = [encode(Image.new("RGB", (40, 30), COLOURS["red"]), kind) for kind in ("JPEG", "WEBP", "BMP", "PNG")]
    pipeline = made(classifier)
    with pipeline:
        outcomes = list(pipeline.run([Item(n, "") for n in range(4)], lambda item: pictures[item.seq]))
        assert len(pipeline.isolated.pids) >= 1
    assert {o.interpretation and o.interpretation.label for o in outcomes} == {"red"}


@pytest.mark.slow
def test_a_picture_larger_than_threads_decode_goes_to_a_process(classifier: Classifier, store: Store) -> None:
    with made(classifier, limits=PictureLimits(thread_bytes=1000)) as pipeline:
        labels = {o.seq: o.interpretation.label for o in outcomes_of(pipeline, store) if o.interpretation}
        assert pipeline.isolated.pids
    assert labels == dict(enumerate(store.labels))


@pytest.mark.slow
def test_a_run_of_isolated_pictures_fetches_little_ahead(classifier: Classifier, encode: Encode) -> None:
    store = Store(encode, 60)
    with (
        made(classifier, bytes_in_flight=10**9) as pipeline,
        closing(pipeline.run(store.items(), store.fetch, odd=Odd.ISOLATE_ALL)) as outcomes,
    ):
        next(outcomes)
        pipeline.bulk.close()
        assert len(store.fetched) <= 2 * pipeline.isolated.processes + pipeline.batch_size < pipeline.window
