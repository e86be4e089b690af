"""Decoding of one picture to the model's input: in a thread if it is ordinary, else in a process of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from worker.inference.budget import ByteBudget
from worker.inference.decode import inspect_file
from worker.inference.errors import ImageError
from worker.inference.fair_threads import FairThreads, Share
from worker.inference.isolation import IsolatedPool
from worker.inference.limits import PictureLimits
from worker.inference.observer import Observer, Stage, timed
from worker.inference.preprocess import preprocess, scaled_values
from worker.inference.structure import Structure

Pixels = NDArray[np.float32]
# Takes the result, the reason why there is none, or None where the picture was canceled; in any thread.
Done = Callable[[Pixels | BaseException | None], None]


class Odd(Enum):
    """The treatment of unusual pictures in a run."""

    ISOLATE = "isolate"  # They are decoded in processes, in their turn.
    DEFER = "defer"  # They are left out, and the run says so.
    ISOLATE_ALL = "isolate all"  # Every picture is treated as unusual: one of them ended a worker.


class PictureDeferred(Exception):
    """An unusual picture that a run leaves out."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """Everything that decoding needs, shared by the runs of a pipeline.

    Attributes:
        manifest: of the classifier.
        limits: of a picture.
        pixel_budget: memory of ordinary pictures that are decoded at a time.
        pool: processes for the others.
        observer: receives the durations.
    """

    manifest: Manifest
    limits: PictureLimits
    pixel_budget: ByteBudget
    pool: IsolatedPool
    observer: Observer

    def inspect(self, data: bytes) -> Structure | None:
        """Inspect as ``inspect_file`` does; a file that is refused counts as decoded."""
        began = time.perf_counter()
        try:
            return inspect_file(data, self.limits)
        except ImageError:
            self.observer.took(Stage.DECODE, time.perf_counter() - began)
            raise

    def in_thread(self, data: bytes, structure: Structure) -> Pixels:
        """Decode an ordinary picture here: float32, (height, width, 3).

        Raises:
            ImageError: as ``preprocess``.
        """
        holder = self.pixel_budget.holder()
        reservation = None
        try:
            while reservation is None:  # Pictures before it end within seconds: ordinary ones do.
                reservation = holder.reserve(structure.memory_bytes, seconds=60.0)
            with timed(self.observer, Stage.DECODE):
                manifest = self.manifest
                return preprocess(
                    data, manifest.preprocessing, manifest.input_size, limits=self.limits, structure=structure
                )
        finally:
            holder.leave()
            if reservation is not None:
                reservation.release()

    def in_process(self, data: bytes) -> Pixels:
        """Decode any picture in a process of its own: float32, (height, width, 3).

        Raises:
            ImageError: as ``IsolatedPool.resized_pixels``.
        """
        manifest = self.manifest
        with timed(self.observer, Stage.DECODE):
            pixels = self.pool.resized_pixels(data, manifest.preprocessing, manifest.input_size, limits=self.limits)
        return scaled_values(pixels, manifest.preprocessing)


class RunDecoder:
    """The decoding of one run, with its shares of threads and processes."""

    def __init__(self, decoding: Decoding, threads: FairThreads, *, odd: Odd, urgent: bool) -> None:
        """Start nothing.

        Args:
            decoding: of the pipeline.
            threads: of the lane.
            odd: which pictures go to a process.
            urgent: a client waits for it.
        """
        self._decoding = decoding
        self._odd = odd
        self._threads: Share = threads.share()
        self._processes: Share = decoding.pool.share(urgent=urgent)
        self._abandoned = False

    def submit(self, data: bytes, done: Done) -> None:
        """Queue ``data`` for decoding in this run's turn; ``done`` receives the result."""
        if self._odd is Odd.ISOLATE_ALL:
            self._pass_on(data, done)
        else:
            self._submit(self._threads, lambda: self._inspect(data, done), done)

    def abandon(self) -> None:
        """Cancel everything that has not begun."""
        self._abandoned = True
        self._threads.cancel()
        self._processes.cancel()

    def _inspect(self, data: bytes, done: Done) -> None:
        """Decode here or pass it on; runs in a thread of the lane."""
        decoding = self._decoding
        try:
            structure = decoding.inspect(data)
            if structure is None or structure.memory_bytes > decoding.limits.thread_bytes:
                if self._odd is Odd.DEFER:
                    done(PictureDeferred())
                else:
                    self._pass_on(data, done)
                return
            result: Pixels | BaseException = decoding.in_thread(data, structure)
        except BaseException as error:  # noqa: BLE001  # Raised again in the caller's thread, where it belongs.
            result = error
        done(result)

    def _pass_on(self, data: bytes, done: Done) -> None:
        """Hand the picture to a process."""

        def decode() -> None:
            try:
                result: Pixels | BaseException = self._decoding.in_process(data)
            except BaseException as error:  # noqa: BLE001  # As above.
                result = error
            done(result)

        self._submit(self._processes, decode, done)

    def _submit(self, share: Share, call: Callable[[], None], done: Done) -> None:
        if self._abandoned:
            done(None)
        else:
            share.submit(call).add_done_callback(lambda future: done(None) if future.cancelled() else None)
