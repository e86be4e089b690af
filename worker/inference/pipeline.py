"""Fetching, decoding and classifying many images, overlapped, with a bound on the bytes in memory.

Threads and who waits for what (this order has no cycle, so nothing can deadlock):

    download threads   wait for bytes of the budget, then fetch and hand over to
    decode threads     which wait for nothing, give the bytes back and put a small float32 array into the queue of
    the caller's thread, which collects a batch and calls the classifier

Bytes are given back by the decode thread and never by the consumer, so a consumer that pauses holds no other run up.
Pillow, TensorFlow and sockets release the GIL, so threads are enough.
"""

import hashlib
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import tzinfo
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shared.contracts.states import ImageErrorCode, ImageStatus
from worker.inference.budget import ByteBudget
from worker.inference.classifier import Classifier
from worker.inference.errors import ImageError
from worker.inference.geography import FilePlace, read_place
from worker.inference.interpret import Interpretation, interpret
from worker.inference.isolate import IsolatedPreprocessor
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.observer import Nobody, Observer, Stage
from worker.inference.preprocess import preprocess

ASSUMED_BYTES = 8 * 1024 * 1024  # Reserved for an item whose size is not known, until it is fetched.
# What is urgent is little: an eighth of the bytes, and a few downloads at a time.
URGENT_SHARE = 8
URGENT_DOWNLOADS = 4
LOOK_SECONDS = 1.0  # on_batch is called at least so often while the run waits for pixels.

Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Item:
    """One image to classify. ``size`` in bytes is what is reserved for it; ``sha256`` (hexadecimal) is verified."""

    seq: int
    name: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image: an interpretation or an error, never both; ``place`` wherever bytes arrived."""

    seq: int
    interpretation: Interpretation | None = None
    error: ImageError | None = None
    place: FilePlace | None = None

    @property
    def status(self) -> ImageStatus:
        """``succeeded`` or ``failed``."""
        return ImageStatus.FAILED if self.interpretation is None else ImageStatus.SUCCEEDED


class Lane:
    """Threads and bytes of their own. What is urgent has one, so that it never queues behind a window of bulk images.

    The processor is shared by the operating system: a picture of each lane is decoded at the same time.
    """

    def __init__(self, name: str, *, download_threads: int, decode_threads: int, bytes_in_flight: int) -> None:
        """Start nothing yet; threads come with the first image."""
        self.budget = ByteBudget(max(1, bytes_in_flight))
        self.downloads = ThreadPoolExecutor(download_threads, thread_name_prefix=f"{name}-download")
        self.decodes = ThreadPoolExecutor(decode_threads, thread_name_prefix=f"{name}-decode")

    def close(self) -> None:
        """Cancel what has not begun, and wait for what has."""
        self.downloads.shutdown(wait=True, cancel_futures=True)
        self.decodes.shutdown(wait=True, cancel_futures=True)


class Pipeline:
    """One loaded classifier and the threads around it, shared by any number of runs at the same time."""

    def __init__(  # noqa: PLR0913  # the settings of an operator, and what a test puts in their place
        self,
        classifier: Classifier,
        *,
        batch_size: int,
        download_threads: int,
        decode_threads: int,
        bytes_in_flight: int,
        limits: PictureLimits = DEFAULT_LIMITS,
        isolated_preprocessor: IsolatedPreprocessor | None = None,
        observer: Observer | None = None,
        camera_zone: tzinfo | None = None,
    ) -> None:
        """Start nothing yet; threads come with the first run.

        Args:
            classifier: loaded and warmed up.
            batch_size: images in one call; at most ``classifier.batch_size``.
            download_threads: ``fetch`` calls at a time, over all runs.
            decode_threads: pictures decoded at a time, over all runs.
            bytes_in_flight: encoded bytes in memory at a time, over all runs.
            limits: what a picture may cost.
            isolated_preprocessor: for ``run(isolated=True)``; None makes one for this classifier.
            observer: is told how long everything takes.
            camera_zone: the zone of camera clocks that do not write theirs; None leaves such times out.
        """
        if not 1 <= batch_size <= classifier.batch_size:
            raise ValueError(f"batch_size must be 1 to {classifier.batch_size}, got {batch_size}")
        self.classifier = classifier
        self.batch_size = batch_size
        urgent_bytes = bytes_in_flight // URGENT_SHARE
        self.bulk = Lane(
            "bulk",
            download_threads=download_threads,
            decode_threads=decode_threads,
            bytes_in_flight=bytes_in_flight - urgent_bytes,
        )
        self.urgent = Lane(
            "urgent",
            download_threads=min(download_threads, URGENT_DOWNLOADS),
            decode_threads=decode_threads,
            bytes_in_flight=urgent_bytes,
        )
        self.limits = limits
        self.observer = observer or Nobody()
        self.camera_zone = camera_zone
        self.window = 2 * batch_size + download_threads + decode_threads
        manifest = classifier.manifest
        self._isolated = isolated_preprocessor or IsolatedPreprocessor(
            manifest.preprocessing, manifest.input_size, limits=limits
        )

    def run(
        self,
        items: Sequence[Item],
        fetch: Callable[[Item], bytes],
        *,
        on_batch: Callable[[], None] | None = None,
        isolated: bool = False,
        urgent: bool = False,
    ) -> Generator[Outcome, None, None]:
        """Classify ``items``; yields one outcome for each, in the order in which they finish.

        Closing the iterator, or an exception from it, abandons the run: nothing more of it is fetched or decoded, and
        its bytes are given back. Several threads may each have a run at the same time.

        Args:
            items: the images; ``seq`` must differ.
            fetch: gives the encoded bytes of an item, called from several threads. An ``ImageError`` that it raises
                fails that image; anything else ends the run and is raised here.
            on_batch: called in the caller's thread before each batch and about once a second while waiting; what it
                raises ends the run.
            isolated: decode in a child process, one picture at a time, so that a picture that crashes the decoder
                fails alone (``worker_crashed``).
            urgent: somebody waits for it; it does not queue behind the images of other runs.

        Raises:
            OutputInvalid: the model answered with something that is no probability.
            Exception: what ``fetch`` or ``on_batch`` raised.
        """
        prepare = self._isolated.preprocess if isolated else self._preprocess
        run = _Run(self, self.urgent if urgent else self.bulk, items, fetch, prepare)
        try:
            yield from run.outcomes(on_batch or _nothing)
        finally:
            run.abandon()

    def close(self) -> None:
        """Cancel what has not begun, wait for what has, and end the threads and the child process."""
        self.bulk.close()
        self.urgent.close()
        self._isolated.close()

    @property
    def bytes_limit(self) -> int:
        """Encoded bytes that may be reserved at a time."""
        return self.bulk.budget.limit + self.urgent.budget.limit

    @property
    def bytes_in_use(self) -> int:
        """Encoded bytes that are reserved now."""
        return self.bulk.budget.in_use + self.urgent.budget.in_use

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _preprocess(self, data: bytes) -> Pixels:
        manifest = self.classifier.manifest
        return preprocess(data, manifest.preprocessing, manifest.input_size, limits=self.limits)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An item that is ready for the model, or the reason why it never will be."""

    item: Item
    pixels: Pixels | None = None
    error: BaseException | None = None
    place: FilePlace | None = None


class _Run:
    """One call of ``Pipeline.run``."""

    def __init__(
        self,
        pipeline: Pipeline,
        lane: Lane,
        items: Sequence[Item],
        fetch: Callable[[Item], bytes],
        prepare: Callable[[bytes], Pixels],
    ) -> None:
        self._pipeline = pipeline
        self._lane = lane
        self._todo = iter(items)
        self._left = len(items)  # not yet taken out of the queue
        self._outstanding = 0  # submitted and not yet taken out of the queue
        self._fetch = fetch
        self._prepare = prepare
        self._ready: queue.SimpleQueue[_Prepared] = queue.SimpleQueue()
        self._abandoned = threading.Event()
        self._futures: set[Future[None]] = set()

    def outcomes(self, on_batch: Callable[[], None]) -> Iterator[Outcome]:
        """Collect batches until every item has an outcome."""
        while self._left:
            on_batch()
            batch: list[_Prepared] = []
            while self._left and len(batch) < self._pipeline.batch_size:
                self._fill_window()
                prepared = self._next()
                if prepared is None:  # Nothing for a second: classify what is there, and look at on_batch.
                    break
                if isinstance(prepared.error, ImageError):
                    yield Outcome(prepared.item.seq, error=prepared.error, place=prepared.place)
                elif prepared.error is not None:
                    raise prepared.error
                else:
                    batch.append(prepared)
            yield from self._classify(batch)

    def abandon(self) -> None:
        """Stop whatever has not begun; what has begun ends by itself and is thrown away."""
        self._abandoned.set()
        self._lane.budget.wake()
        for future in list(self._futures):
            future.cancel()

    def _fill_window(self) -> None:
        while self._outstanding < self._pipeline.window and (item := next(self._todo, None)) is not None:
            self._outstanding += 1
            self._track(self._lane.downloads.submit(self._download, item))

    def _next(self) -> _Prepared | None:
        try:
            prepared = self._ready.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            return None
        self._outstanding -= 1
        self._left -= 1
        return prepared

    def _classify(self, batch: list[_Prepared]) -> Iterator[Outcome]:
        if not batch:
            return
        classifier, observer = self._pipeline.classifier, self._pipeline.observer
        observer.batch(len(batch), self._pipeline.batch_size)
        with _timed(observer, Stage.PREDICT):
            rows = classifier.classify(np.stack([p.pixels for p in batch if p.pixels is not None]))
        for prepared, row in zip(batch, rows, strict=True):
            yield Outcome(prepared.item.seq, interpretation=interpret(row, classifier.manifest), place=prepared.place)

    def _track(self, future: Future[None]) -> Future[None]:
        """Remember a future until it is done, so that ``abandon`` can cancel it."""
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def _download(self, item: Item) -> None:
        """In a download thread: reserve, fetch, verify, hand over."""
        reservation = self._lane.budget.reserve(ASSUMED_BYTES if item.size is None else item.size, self._abandoned)
        if reservation is None:
            return
        try:
            with _timed(self._pipeline.observer, Stage.DOWNLOAD):
                data = self._fetch(item)
            reservation.settle(len(data))
            _verify(item, data)
            future = self._track(self._lane.decodes.submit(self._decode, item, data))
        except BaseException as error:  # noqa: BLE001  # Raised again in the caller's thread, where it belongs.
            reservation.release()
            self._ready.put(_failed(item, error))
        else:
            future.add_done_callback(lambda _: reservation.release())  # Also where the future is canceled.

    def _decode(self, item: Item, data: bytes) -> None:
        """In a decode thread: encoded bytes to the model's input."""
        if self._abandoned.is_set():
            return
        try:
            with _timed(self._pipeline.observer, Stage.DECODE):
                prepared = _Prepared(item, pixels=self._prepare(data))
        except BaseException as error:  # noqa: BLE001  # As above.
            prepared = _failed(item, error)
        self._ready.put(replace(prepared, place=_place_of(data, self._pipeline.camera_zone)))


def _failed(item: Item, error: BaseException) -> _Prepared:
    """An image's error without its traceback, whose frames would keep the encoded bytes in memory."""
    return _Prepared(item, error=ImageError(error.code, error.detail) if isinstance(error, ImageError) else error)


def _place_of(data: bytes, camera_zone: tzinfo | None) -> FilePlace | None:
    """Where it was taken, also of a picture that cannot be decoded."""
    try:
        return read_place(data, camera_zone=camera_zone)
    except Exception:  # noqa: BLE001  # It raises nothing that is known; metadata must not cost the picture.
        return None


def _verify(item: Item, data: bytes) -> None:
    if not data:
        raise ImageError(ImageErrorCode.EMPTY, "The file is empty (0 bytes); upload it again.")
    if item.sha256 is not None and hashlib.sha256(data).hexdigest() != item.sha256.lower():
        detail = "The file is not the one that was announced (its SHA-256 differs); upload it again."
        raise ImageError(ImageErrorCode.CHECKSUM_MISMATCH, detail)


@contextmanager
def _timed(observer: Observer, stage: Stage) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        observer.took(stage, time.perf_counter() - began)


def _nothing() -> None:
    """For a run without ``on_batch``."""
