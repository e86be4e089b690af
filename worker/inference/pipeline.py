"""Fetching, decoding and classifying many images, overlapped, with a bound on the bytes in memory.

Threads, and what each waits for (this order has no cycle, so nothing can deadlock):

    the caller's thread   waits for bytes of the budget and for pixels, collects a batch, and calls the classifier
    download threads      fetch, and hand over to
    decode threads        which inspect a file, wait for room for its pixels, and decode an ordinary one or hand over to
    isolated processes    which decode unusual ones (``worker.inference.isolation``)

Threads and isolated processes share their time evenly between runs, and runs share the bytes: pictures of one
tenant that are slow to decode cost another tenant's run at most half of the machine. Bytes are released by the thread
that decoded and never by the consumer, so a consumer that pauses holds no other run up. Pillow, TensorFlow and sockets
release the GIL, so threads are enough.

A photograph in tiles is decoded whole, and its tiles are cut lazily: by the decode threads a few batches ahead, and by
the caller's thread when they are busy. Its pixels stay in memory until the last tile is cut, so they are the exception:
there a consumer that pauses keeps bytes (``worker.inference.tiles.room`` says why nothing deadlocks). Batches fill with
tiles of several photographs, and with whole photographs of the same run.
"""

from collections.abc import Callable, Generator, Sequence
from datetime import tzinfo
from types import TracebackType
from typing import Self

from worker.inference.budget import ByteBudget
from worker.inference.classifier import Classifier
from worker.inference.decoding import Decoding, Odd, Pixels
from worker.inference.isolation import IsolatedPool, IsolationLimits
from worker.inference.items import Item, Outcome
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.observer import NullObserver, Observer
from worker.inference.run import Lane, Run, RunParts
from worker.inference.tiles.answer import TiledAnswer
from worker.inference.tiles.picture import decoded_bytes
from worker.inference.tiles.room import DecodedRoom
from worker.inference.tiles.tile_cut import TileCut

__all__ = ["Item", "Odd", "Outcome", "Pipeline", "Pixels", "TileCut", "TiledAnswer"]

# What is urgent is little: an eighth of the bytes, and a few downloads at a time.
URGENT_SHARE = 8
URGENT_DOWNLOADS = 4
# Room for ordinary pictures that are decoded at a time: two of the largest.
PIXEL_ROOM = 2
# Of decoded photographs whose tiles are cut: three of 48 megapixels.
DECODED_BYTES = 512 * 1024 * 1024


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
        pixel_budget: ByteBudget | None = None,
        decoded_room: DecodedRoom | None = None,
        isolated: IsolatedPool | None = None,
        observer: Observer | None = None,
        camera_zone: tzinfo | None = None,
    ) -> None:
        """Start nothing yet; threads start with the first run.

        Args:
            classifier: loaded and warmed up.
            batch_size: images in one call; at most ``classifier.batch_size``.
            download_threads: ``fetch`` calls at a time, over all runs.
            decode_threads: pictures decoded at a time, over all runs.
            bytes_in_flight: encoded bytes in memory at a time, over all runs.
            limits: what a picture may cost.
            pixel_budget: memory of ordinary pictures that are decoded at a time; None has room for two of the largest.
            decoded_room: room for decoded photographs while their tiles are cut; None has ``DECODED_BYTES``. It may
                be shared by pipelines.
            isolated: decodes unusual pictures; None makes one. It may be shared by pipelines, and is closed with the
                first of them.
            observer: receives the durations.
            camera_zone: the zone of camera clocks that do not write theirs; None leaves such times out.
        """
        if not 1 <= batch_size <= classifier.batch_size:
            raise ValueError(f"batch_size must be 1 to {classifier.batch_size}, got {batch_size}")
        self.classifier = classifier
        self.batch_size = batch_size
        urgent_bytes = bytes_in_flight // URGENT_SHARE
        self.decoded_room = decoded_room or DecodedRoom.of(DECODED_BYTES)
        self.bulk = Lane(
            "bulk",
            urgent=False,
            download_threads=download_threads,
            decode_threads=decode_threads,
            bytes_in_flight=bytes_in_flight - urgent_bytes,
            room=self.decoded_room.bulk,
        )
        self.urgent = Lane(
            "urgent",
            urgent=True,
            download_threads=min(download_threads, URGENT_DOWNLOADS),
            decode_threads=decode_threads,
            bytes_in_flight=urgent_bytes,
            room=self.decoded_room.urgent,
        )
        self.window = 2 * batch_size + download_threads + decode_threads
        self.isolated = isolated or IsolatedPool(limits=IsolationLimits(result_bytes=decoded_bytes(limits.pixels, 1)))
        decoding = Decoding(
            manifest=classifier.manifest,
            limits=limits,
            pixel_budget=pixel_budget or ByteBudget(PIXEL_ROOM * limits.thread_bytes),
            pool=self.isolated,
            observer=observer or NullObserver(),
        )
        self._parts = RunParts(classifier, batch_size, self.window, decoding, camera_zone)

    def run(
        self,
        items: Sequence[Item],
        fetch: Callable[[Item], bytes],
        *,
        on_batch: Callable[[], None] | None = None,
        on_work: Callable[[int], None] | None = None,
        odd: Odd = Odd.ISOLATE,
        urgent: bool = False,
        explain: bool = False,
    ) -> Generator[Outcome, None, None]:
        """Classify ``items``; yield one outcome for each, in the order in which they finish.

        Closing the iterator, or an exception from it, abandons the run: nothing more of it is fetched or decoded, and
        its bytes are released. Several threads may each have a run at the same time.

        Args:
            items: the images; ``seq`` must differ.
            fetch: returns the encoded bytes of an item, called from several threads. An ``ImageError`` that it raises
                fails that image; any other exception ends the run and is raised here.
            on_batch: called in the caller's thread before each batch and about once a second while waiting; an
                exception from it ends the run.
            on_work: called in the caller's thread after each batch, with the work that is done: a tile is one, and a
                whole photograph is one. A photograph in tiles may take minutes before its outcome.
            odd: which pictures are decoded in processes of their own: the unusual ones, none, or all.
            urgent: a client waits for it; it does not queue behind the images of other runs.
            explain: say what speaks for each label, if the classifier has a map; known tiles are only explained.

        Raises:
            OutputInvalid: the model answered with something that is not a probability.
            Exception: from ``fetch`` or ``on_batch``.
        """
        run = Run(self._parts, self.urgent if urgent else self.bulk, items, fetch, odd=odd, explain=explain)
        try:
            yield from run.outcomes(on_batch or _nothing, on_work or _nothing)
        finally:
            run.abandon()

    def close(self) -> None:
        """Cancel calls that have not begun, wait for those that have, and end the threads and the child processes."""
        self.bulk.close()
        self.urgent.close()
        self.isolated.close()

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


def _nothing(_work: int = 0) -> None:
    """Do nothing: the default of ``on_batch`` and ``on_work``."""
