"""One run of a pipeline: from a list of images to one outcome for each."""

import hashlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.states import ImageErrorCode
from worker.inference.batches import CHANNELS
from worker.inference.budget import ByteBudget, Reservation
from worker.inference.classifier import Classifier, Outputs
from worker.inference.decoding import Decoding, Odd, PictureDeferred, Pixels
from worker.inference.errors import ImageError
from worker.inference.explanation import explain
from worker.inference.fair_threads import FairThreads
from worker.inference.geography import FilePlace, read_place
from worker.inference.interpret import interpret
from worker.inference.items import Item, Outcome
from worker.inference.observer import Stage, timed
from worker.inference.orientation import UPRIGHT, upright
from worker.inference.preprocess import scale_into, turn_left
from worker.inference.run_decoder import RunDecoder, WholePicture
from worker.inference.tiles.answer import answer_of, tile_of
from worker.inference.tiles.cutter import Cutter, CutTile, Picture
from worker.inference.tiles.tile_cut import TileCut, lay_tiles

ASSUMED_BYTES = 8 * 1024 * 1024  # Reserved for an item whose size is not known, until it is fetched.
AHEAD_OF_A_PROCESS = 2  # Images that are fetched for each process, the one at work included.
BATCHES_AHEAD = 2  # Tiles that are cut before the model asks for them.
POLL_SECONDS = 1.0  # on_batch is called at least so often while the run waits for pixels.


class Lane:
    """Threads and bytes of their own. Urgent runs have one, so that they never queue behind a window of bulk images.

    The processor is shared by the operating system: a picture of each lane is decoded at the same time.
    """

    def __init__(
        self,
        name: str,
        *,
        urgent: bool,
        download_threads: int,
        decode_threads: int,
        bytes_in_flight: int,
        room: ByteBudget,
    ) -> None:
        """Start nothing yet; threads start with the first image. ``room`` is for decoded photographs."""
        self.urgent = urgent
        self.budget = ByteBudget(max(1, bytes_in_flight))
        self.room = room
        self.tiled_window = download_threads + decode_threads
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
    """A whole photograph that is ready for the model, or the error that ended a photograph.

    ``turn`` is the EXIF orientation that its pixels still have, for whoever draws on the upright photograph.
    """

    item: Item
    pixels: Pixels | None = None
    error: BaseException | None = None
    place: FilePlace | None = None
    turn: int = UPRIGHT


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
        explain: bool,
    ) -> None:
        self._parts = parts
        self._explain = explain
        self._lane = lane
        # Processes take seconds for a picture: files that are fetched far ahead would only fill memory and network.
        # So do tiles, whose photographs wait for room.
        slow = odd is Odd.ISOLATE_ALL
        self._window = AHEAD_OF_A_PROCESS * parts.decoding.pool.processes if slow else parts.window
        self._tiled_window = min(self._window, lane.tiled_window)
        self._todo = iter(items)
        self._next_item = next(self._todo, None)
        self._left = len(items)  # not yet taken out of the queue, or not with all tiles
        self._outstanding = 0  # submitted, and the same
        self._fetch = fetch
        self._decoder = RunDecoder(parts.decoding, lane.decodes, lane.room, odd=odd, urgent=lane.urgent)
        self._bytes = lane.budget.holder()
        self._ready: queue.SimpleQueue[_Prepared | CutTile | BaseException] = queue.SimpleQueue()
        self._cutter = Cutter(
            parts.classifier.manifest,
            partial(self._decoder.call, self._decoder.threads),
            self._ready.put,
            ahead=BATCHES_AHEAD * parts.batch_size,
        )
        self._abandoned = threading.Event()
        self._downloads = lane.downloads.share()

    def outcomes(self, on_batch: Callable[[], None], on_work: Callable[[int], None]) -> Iterator[Outcome]:
        """Collect batches until every item has an outcome."""
        while self._left:
            on_batch()
            batch: list[_Prepared | CutTile] = []
            while self._left and len(batch) < self._parts.batch_size:
                self._fill_window()
                prepared = self._next()
                if prepared is None:  # Nothing for a second: classify what is there, and call on_batch.
                    break
                if isinstance(prepared, CutTile) or prepared.error is None:
                    batch.append(prepared)
                else:
                    yield _without_answer(prepared, prepared.error)
            if batch:
                outputs = self._classify(batch)
                on_work(len(batch))
                yield from self._answers(batch, outputs)

    def abandon(self) -> None:
        """Cancel calls that have not begun; those that have end by themselves and their results are dropped."""
        self._abandoned.set()
        self._downloads.cancel()
        self._decoder.abandon()
        self._cutter.close()
        self._bytes.leave()

    def _fill_window(self) -> None:
        """Fetch images as far ahead as the window and the bytes allow; wait for bytes only if none is ahead."""
        while (item := self._next_item) is not None:
            if self._outstanding >= (self._window if item.tiles is None else self._tiled_window):
                return
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

    def _next(self) -> _Prepared | CutTile | None:
        """Return what comes next out of the queue, or is cut here; None if a second brings nothing."""
        if not self._outstanding:  # It has waited for bytes already.
            return None
        try:
            prepared: _Prepared | CutTile | BaseException | None = self._ready.get_nowait()
        except queue.Empty:
            prepared = self._cutter.cut_here() or self._wait()
        if prepared is None:
            return None
        if isinstance(prepared, BaseException):
            raise prepared
        self._decoder.room.start_waiting()
        if isinstance(prepared, CutTile):
            self._cutter.take(prepared)
        if not isinstance(prepared, CutTile) or prepared.picture.is_taken:
            self._outstanding -= 1
            self._left -= 1
        return prepared

    def _wait(self) -> _Prepared | CutTile | BaseException | None:
        """Wait for what threads do; for room first, where they can do nothing without it."""
        room = self._decoder.room
        if room.must_wait and not room.wait(POLL_SECONDS):
            return None
        try:
            return self._ready.get(timeout=POLL_SECONDS)
        except queue.Empty:
            return None

    def _classify(self, batch: Sequence[_Prepared | CutTile]) -> Outputs:
        classifier, observer = self._parts.classifier, self._parts.decoding.observer
        observer.batch(len(batch), self._parts.batch_size)
        with timed(observer, Stage.PREDICT):
            return classifier.classify(self._filled(batch), maps=self._explain)

    def _filled(self, batch: Sequence[_Prepared | CutTile]) -> NDArray[np.float32]:
        """Put pixels together: those of tiles are scaled on the way."""
        manifest = self._parts.classifier.manifest
        filled = np.empty((len(batch), *manifest.input_size, CHANNELS), np.float32)
        for target, prepared in zip(filled, batch, strict=True):
            if isinstance(prepared, CutTile):
                scale_into(target, prepared.pixels, manifest.preprocessing)
            elif prepared.pixels is not None:
                target[:] = prepared.pixels
        return filled

    def _answers(self, batch: Sequence[_Prepared | CutTile], outputs: Outputs) -> Iterator[Outcome]:
        """Yield an outcome for each whole photograph, and for each one whose last tile is answered."""
        manifest = self._parts.classifier.manifest
        for nth, prepared in enumerate(batch):
            row, evidence = outputs.rows[nth], _nth(outputs.maps, nth)
            if not isinstance(prepared, CutTile):
                turned = None if evidence is None else upright(evidence, prepared.turn)
                crops, embedding = _nth(outputs.crops, nth), _nth(outputs.embeddings, nth)
                answer = interpret(row, manifest, crops=crops, embedding=embedding, evidence=turned)
                yield Outcome(prepared.item.seq, interpretation=answer, place=prepared.place)
                continue
            self._answer_tile(prepared, row, evidence)
            if prepared.picture.is_answered:
                yield self._outcome_of(prepared.picture)

    def _answer_tile(self, cut: CutTile, row: NDArray[np.float32], evidence: NDArray[np.float32] | None) -> None:
        picture = cut.picture
        tile = tile_of(row, self._parts.classifier.manifest, unusual_light=cut.unusual_light)
        picture.answer(cut.number, tile)
        label = tile.label if picture.known is None else picture.known[cut.number]
        if evidence is not None and label is not None:
            picture.explanations[cut.number] = explain(evidence, label)

    def _outcome_of(self, picture: Picture) -> Outcome:
        explanations = picture.explanations if self._explain else None
        if picture.known is not None:
            return Outcome(picture.seq, place=picture.place, explanations=explanations)
        answer = answer_of(picture.map, self._parts.classifier.manifest, is_coarse=picture.is_coarse)
        return Outcome(picture.seq, answer=answer, place=picture.place, explanations=explanations)

    def _download(self, item: Item, reservation: Reservation) -> None:
        """Fetch, verify and hand over; runs in a download thread."""
        try:
            with timed(self._parts.decoding.observer, Stage.DOWNLOAD):
                data = self._fetch(item)
            reservation.settle(len(data))
            _verify(item, data)
            if self._abandoned.is_set():
                reservation.release()
            elif item.tiles is None:
                self._decoder.submit(data, lambda result: self._decoded(item, data, result, reservation))
            else:
                cut = item.tiles
                self._decoder.submit_whole(data, cut, lambda result: self._opened(item, cut, data, result, reservation))
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
            self._ready.put(_failed(item, result, place))
        elif result is not None:
            turn = turn_left(data, self._parts.classifier.manifest.preprocessing) if self._explain else UPRIGHT
            self._ready.put(_Prepared(item, pixels=result, place=place, turn=turn))

    def _opened(
        self,
        item: Item,
        cut: TileCut,
        data: bytes,
        result: WholePicture | BaseException | None,
        reservation: Reservation,
    ) -> None:
        """Begin to cut a decoded photograph; runs in the same threads."""
        place = None if result is None else _place_of(data, self._parts.camera_zone)
        reservation.release()
        if isinstance(result, WholePicture):
            height, width, _ = result.pixels.shape
            try:
                grid = lay_tiles(width, height, cut, self._parts.decoding.limits)
            except ImageError as error:  # Of a picture from a process, which nobody looked into before.
                result.reservation.release()
                self._ready.put(_failed(item, error, place))
            else:
                known = None if cut.known is None else cut.known.labels
                self._cutter.open(
                    Picture(item.seq, place, grid, cut.is_coarse, result.pixels, result.reservation, known)
                )
        elif result is not None:
            self._ready.put(_failed(item, result, place))


def _nth(arrays: NDArray[Any] | None, nth: int) -> NDArray[Any] | None:
    """Return that of one image; None if the classifier does not give it."""
    return None if arrays is None else arrays[nth]


def _failed(item: Item, error: BaseException, place: FilePlace | None = None) -> _Prepared:
    """Wrap an image's error without its traceback, whose frames would keep the encoded bytes in memory."""
    bare = ImageError(error.code, error.detail) if isinstance(error, ImageError) else error
    return _Prepared(item, error=bare, place=place)


def _without_answer(prepared: _Prepared, error: BaseException) -> Outcome:
    """Return the outcome of a photograph that is not classified; raise what is no photograph's fault."""
    if isinstance(error, PictureDeferred):
        return Outcome(prepared.item.seq, deferred=True)
    if isinstance(error, ImageError):
        return Outcome(prepared.item.seq, error=error, place=prepared.place)
    raise error


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
