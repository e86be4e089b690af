"""One run of a pipeline: from a list of images to one outcome for each."""

import hashlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np

from shared.contracts.states import ImageErrorCode, ImageStatus
from worker.inference.budget import ByteBudget, Reservation
from worker.inference.classifier import Classifier
from worker.inference.decoding import Decoding, Odd, PictureDeferred, Pixels, RunDecoder
from worker.inference.errors import ImageError
from worker.inference.fair_threads import FairThreads
from worker.inference.geography import FilePlace, read_place
from worker.inference.interpret import Interpretation, interpret
from worker.inference.observer import Stage, timed
from worker.inference.tiles.answer import TiledAnswer
from worker.inference.tiles.tile_cut import TileCut

ASSUMED_BYTES = 8 * 1024 * 1024  # Reserved for an item whose size is not known, until it is fetched.
AHEAD_OF_A_PROCESS = 2  # Images that are fetched for each process, the one at work included.
POLL_SECONDS = 1.0  # on_batch is called at least so often while the run waits for pixels.


@dataclass(frozen=True, slots=True)
class Item:
    """One image to classify.

    ``size`` in bytes is what is reserved for it; ``sha256`` (hexadecimal) is verified. With ``tiles`` it is answered in
    tiles, else as a whole.
    """

    seq: int
    name: str
    size: int | None = None
    sha256: str | None = None
    tiles: TileCut | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one image: an interpretation, an answer of tiles, or an error; ``place`` if its bytes arrived.

    ``deferred``: none of them, because the picture is unusual and the run leaves such pictures out.
    """

    seq: int
    interpretation: Interpretation | None = None
    error: ImageError | None = None
    place: FilePlace | None = None
    deferred: bool = False
    answer: TiledAnswer | None = None

    @property
    def status(self) -> ImageStatus:
        """``succeeded`` or ``failed``."""
        answered = self.interpretation is not None or self.answer is not None
        return ImageStatus.SUCCEEDED if answered else ImageStatus.FAILED


class Lane:
    """Threads and bytes of their own. Urgent runs have one, so that they never queue behind a window of bulk images.

    The processor is shared by the operating system: a picture of each lane is decoded at the same time.
    """

    def __init__(
        self, name: str, *, urgent: bool, download_threads: int, decode_threads: int, bytes_in_flight: int
    ) -> None:
        """Start nothing yet; threads start with the first image."""
        self.urgent = urgent
        self.budget = ByteBudget(max(1, bytes_in_flight))
        self.downloads = FairThreads(f"{name}-download", download_threads)
        self.decodes = FairThreads(f"{name}-decode", decode_threads)

    def close(self) -> None:
        """Cancel calls that have not begun, and wait for those that have."""
        self.downloads.close()
        self.decodes.close()


@dataclass(frozen=True, slots=True)
class RunParts:
    """The parts of a pipeline that its runs share. ``window`` is the number of images that a run fetches ahead."""

    classifier: Classifier
    batch_size: int
    window: int
    decoding: Decoding
    camera_zone: tzinfo | None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An item that is ready for the model, or the error that ended it."""

    item: Item
    pixels: Pixels | None = None
    error: BaseException | None = None
    place: FilePlace | None = None


class Run:
    """One call of ``Pipeline.run``."""

    def __init__(
        self,
        parts: RunParts,
        lane: Lane,
        items: Sequence[Item],
        fetch: Callable[[Item], bytes],
        *,
        odd: Odd,
    ) -> None:
        self._parts = parts
        self._lane = lane
        # Processes take seconds for a picture: files that are fetched far ahead would only fill memory and network.
        slow = odd is Odd.ISOLATE_ALL
        self._window = AHEAD_OF_A_PROCESS * parts.decoding.pool.processes if slow else parts.window
        self._todo = iter(items)
        self._next_item = next(self._todo, None)
        self._left = len(items)  # not yet taken out of the queue
        self._outstanding = 0  # submitted and not yet taken out of the queue
        self._fetch = fetch
        self._decoder = RunDecoder(parts.decoding, lane.decodes, odd=odd, urgent=lane.urgent)
        self._bytes = lane.budget.holder()
        self._ready: queue.SimpleQueue[_Prepared] = queue.SimpleQueue()
        self._abandoned = threading.Event()
        self._downloads = lane.downloads.share()

    def outcomes(self, on_batch: Callable[[], None]) -> Iterator[Outcome]:
        """Collect batches until every item has an outcome."""
        while self._left:
            on_batch()
            batch: list[_Prepared] = []
            while self._left and len(batch) < self._parts.batch_size:
                self._fill_window()
                prepared = self._next()
                if prepared is None:  # Nothing for a second: classify what is there, and call on_batch.
                    break
                if isinstance(prepared.error, PictureDeferred):
                    yield Outcome(prepared.item.seq, deferred=True)
                elif isinstance(prepared.error, ImageError):
                    yield Outcome(prepared.item.seq, error=prepared.error, place=prepared.place)
                elif prepared.error is not None:
                    raise prepared.error
                else:
                    batch.append(prepared)
            yield from self._classify(batch)

    def abandon(self) -> None:
        """Cancel calls that have not begun; those that have end by themselves and their results are dropped."""
        self._abandoned.set()
        self._downloads.cancel()
        self._decoder.abandon()
        self._bytes.leave()

    def _fill_window(self) -> None:
        """Fetch images as far ahead as the window and the bytes allow; wait for bytes only if none is ahead."""
        while self._outstanding < self._window and (item := self._next_item) is not None:
            size = ASSUMED_BYTES if item.size is None else item.size
            reservation = self._bytes.reserve(size, seconds=0 if self._outstanding else POLL_SECONDS)
            if reservation is None:
                return
            self._next_item = next(self._todo, None)
            self._outstanding += 1
            self._submit(item, reservation)

    def _submit(self, item: Item, reservation: Reservation) -> None:
        future = self._downloads.submit(lambda: self._download(item, reservation))
        future.add_done_callback(lambda ended: reservation.release() if ended.cancelled() else None)

    def _next(self) -> _Prepared | None:
        if not self._outstanding:  # It has waited for bytes already.
            return None
        try:
            prepared = self._ready.get(timeout=POLL_SECONDS)
        except queue.Empty:
            return None
        self._outstanding -= 1
        self._left -= 1
        return prepared

    def _classify(self, batch: list[_Prepared]) -> Iterator[Outcome]:
        if not batch:
            return
        classifier, observer = self._parts.classifier, self._parts.decoding.observer
        observer.batch(len(batch), self._parts.batch_size)
        with timed(observer, Stage.PREDICT):
            rows = classifier.classify(np.stack([p.pixels for p in batch if p.pixels is not None]))
        for prepared, row in zip(batch, rows, strict=True):
            yield Outcome(prepared.item.seq, interpretation=interpret(row, classifier.manifest), place=prepared.place)

    def _download(self, item: Item, reservation: Reservation) -> None:
        """Fetch, verify and hand over; runs in a download thread."""
        try:
            with timed(self._parts.decoding.observer, Stage.DOWNLOAD):
                data = self._fetch(item)
            reservation.settle(len(data))
            _verify(item, data)
            if self._abandoned.is_set():
                reservation.release()
            else:
                self._decoder.submit(data, lambda result: self._decoded(item, data, result, reservation))
        except BaseException as error:  # noqa: BLE001  # Raised again in the caller's thread, where it belongs.
            reservation.release()
            self._ready.put(_failed(item, error))

    def _decoded(
        self, item: Item, data: bytes, result: Pixels | BaseException | None, reservation: Reservation
    ) -> None:
        """Queue a decoded item; runs in the thread that decoded, or in the one that canceled."""
        place = None if result is None else _place_of(data, self._parts.camera_zone)
        reservation.release()
        if isinstance(result, BaseException):
            failed = _failed(item, result)
            self._ready.put(_Prepared(item, error=failed.error, place=place))
        elif result is not None:
            self._ready.put(_Prepared(item, pixels=result, place=place))


def _failed(item: Item, error: BaseException) -> _Prepared:
    """Wrap an image's error without its traceback, whose frames would keep the encoded bytes in memory."""
    return _Prepared(item, error=ImageError(error.code, error.detail) if isinstance(error, ImageError) else error)


def _place_of(data: bytes, camera_zone: tzinfo | None) -> FilePlace | None:
    """Read place and time, also of a picture that cannot be decoded."""
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
