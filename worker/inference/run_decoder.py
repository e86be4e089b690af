"""The decoding of one run: which picture goes where, in the run's shares of threads, of processes and of room."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from worker.inference.budget import ByteBudget, Reservation
from worker.inference.decoding import Decoding, Odd, PictureDeferred, Pixels
from worker.inference.fair_threads import FairThreads, Share
from worker.inference.structure import Structure
from worker.inference.tiles.picture import decoded_bytes
from worker.inference.tiles.room import RunRoom
from worker.inference.tiles.tile_cut import TileCut, check_tiles

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class WholePicture:
    """Every pixel of a picture, uint8, (height, width, 3), upright, with the reservation of its bytes."""

    pixels: NDArray[np.uint8]
    reservation: Reservation


# Each takes the result, the reason why there is none, or None where the picture was canceled; in any thread.
InputDone = Callable[[Pixels | BaseException | None], None]
WholeDone = Callable[[WholePicture | BaseException | None], None]
Ended = Callable[[BaseException | None], None]


class RunDecoder:
    """The decoding of one run. ``room`` is its line of photographs that wait for room."""

    def __init__(self, decoding: Decoding, threads: FairThreads, budget: ByteBudget, *, odd: Odd, urgent: bool) -> None:
        """Start nothing.

        Args:
            decoding: of the pipeline.
            threads: of the lane.
            budget: of decoded photographs, of the lane.
            odd: which pictures go to a process.
            urgent: a client waits for it.
        """
        self.decoding = decoding
        self.room = RunRoom(budget)
        self.threads: Share = threads.share()
        self.processes: Share = decoding.pool.share(urgent=urgent)
        self._odd = odd
        self._abandoned = False

    def submit(self, data: bytes, done: InputDone) -> None:
        """Queue ``data`` for decoding to the model's input in this run's turn; ``done`` receives the result."""
        self._begin(data, _InputOrder(self, data, done), done)

    def submit_whole(self, data: bytes, cut: TileCut, done: WholeDone) -> None:
        """Queue ``data`` for decoding whole, when there is room for its pixels; ``done`` receives the result."""
        self._begin(data, _WholeOrder(self, data, cut, done), done)

    def call(self, share: Share, call: Callable[[], None], ended: Ended) -> None:
        """Queue a call in a share of this run; ``ended`` hears if it will never begin."""
        if self._abandoned:
            ended(None)
            return
        try:
            future = share.submit(call)
        except RuntimeError as error:  # The threads were closed.
            ended(error)
            return
        future.add_done_callback(lambda future: ended(None) if future.cancelled() else None)

    def abandon(self) -> None:
        """Cancel everything that has not begun."""
        self._abandoned = True
        self.threads.cancel()
        self.processes.cancel()
        self.room.close()

    def _begin(self, data: bytes, order: "_Order", ended: Ended) -> None:
        if self._odd is Odd.ISOLATE_ALL:
            order.isolate()
        else:
            self.call(self.threads, partial(self._inspect, data, order, ended), ended)

    def _inspect(self, data: bytes, order: "_Order", ended: Ended) -> None:
        """Decode here or pass it on; runs in a thread of the lane."""
        try:
            structure = self.decoding.inspect(data)
            if structure is not None and structure.memory_bytes <= self.decoding.limits.thread_bytes:
                order.decode(structure)
            elif self._odd is Odd.DEFER:
                ended(PictureDeferred())
            else:
                order.isolate()
        except BaseException as error:  # noqa: BLE001  # Raised again in the caller's thread, where it belongs.
            ended(error)


class _Order(Protocol):
    """The orders that one picture may have: its pixels in the size of the model, or all of them."""

    def decode(self, structure: Structure) -> None:
        """Go on with an ordinary picture; called in a thread for decoding."""

    def isolate(self) -> None:
        """Go on with a picture for a process."""


@dataclass(frozen=True, slots=True)
class _InputOrder:
    """A picture that becomes one input of the model."""

    decoder: RunDecoder
    data: bytes
    done: InputDone

    def decode(self, structure: Structure) -> None:
        self.done(_result(partial(self.decoder.decoding.in_thread, self.data, structure)))

    def isolate(self) -> None:
        self.decoder.call(self.decoder.processes, self._in_process, self.done)

    def _in_process(self) -> None:
        self.done(_result(partial(self.decoder.decoding.in_process, self.data)))


@dataclass(frozen=True, slots=True)
class _WholeOrder:
    """A picture whose pixels are all wanted. No thread waits for the room that they need."""

    decoder: RunDecoder
    data: bytes
    cut: TileCut
    done: WholeDone

    def decode(self, structure: Structure) -> None:
        decoder = self.decoder
        check_tiles(*structure.size, self.cut, decoder.decoding.limits)
        start = partial(self._start, decoder.threads, decoder.decoding.whole_in_thread)
        decoder.room.enter(decoded_bytes(*structure.size), start)

    def isolate(self) -> None:
        """Reserve as much as the largest picture has: nobody has looked into this one."""
        decoder = self.decoder
        start = partial(self._start, decoder.processes, decoder.decoding.whole_in_process)
        decoder.room.enter(decoded_bytes(decoder.decoding.limits.pixels, 1), start)

    def _start(
        self, share: Share, decode: Callable[[bytes], NDArray[np.uint8]], reservation: Reservation | None
    ) -> None:
        if reservation is None:
            self.done(None)
        else:
            self.decoder.call(share, partial(self._decode, decode, reservation), partial(self._ended, reservation))

    def _decode(self, decode: Callable[[bytes], NDArray[np.uint8]], reservation: Reservation) -> None:
        pixels = _result(partial(decode, self.data))
        if isinstance(pixels, BaseException):
            self._ended(reservation, pixels)
        else:
            reservation.settle(min(reservation.size, pixels.nbytes))
            self.done(WholePicture(pixels, reservation))

    def _ended(self, reservation: Reservation, error: BaseException | None) -> None:
        reservation.release()
        self.done(error)


def _result(decode: Callable[[], Result]) -> Result | BaseException:
    """Return an error as a result: it is raised again in the caller's thread, where it belongs."""
    try:
        return decode()
    except BaseException as error:  # noqa: BLE001  # As above.
        return error
