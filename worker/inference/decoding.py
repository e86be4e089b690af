"""Decoding of one picture, to the model's input or whole, in a thread or in a process of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from worker.inference.budget import ByteBudget
from worker.inference.decode import inspect_file
from worker.inference.errors import ImageError
from worker.inference.isolation import IsolatedPool
from worker.inference.limits import PictureLimits
from worker.inference.observer import Observer, Stage, timed
from worker.inference.preprocess import preprocess, scaled_values
from worker.inference.structure import Structure
from worker.inference.tiles.picture import upright_pixels

Pixels = NDArray[np.float32]


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
        way, size = self.manifest.preprocessing, self.manifest.input_size
        with self._room_for(structure), timed(self.observer, Stage.DECODE):
            return preprocess(data, way, size, limits=self.limits, structure=structure)

    def in_process(self, data: bytes) -> Pixels:
        """Decode any picture in a process of its own: float32, (height, width, 3).

        Raises:
            ImageError: as ``IsolatedPool.resized_pixels``.
        """
        way, size = self.manifest.preprocessing, self.manifest.input_size
        with timed(self.observer, Stage.DECODE):
            pixels = self.pool.resized_pixels(data, way, size, limits=self.limits)
        return scaled_values(pixels, way)

    def whole_in_thread(self, data: bytes) -> NDArray[np.uint8]:
        """Decode every pixel of an ordinary picture here, upright: uint8, (height, width, 3).

        Its structure is read again: to keep it while the picture waits for room would keep a copy of the file.

        Raises:
            ImageError: as ``upright_pixels``.
        """
        structure = inspect_file(data, self.limits)
        if structure is None:
            raise AssertionError("a picture that was ordinary is unusual")
        with self._room_for(structure), timed(self.observer, Stage.DECODE):
            return upright_pixels(data, limits=self.limits, structure=structure)

    def whole_in_process(self, data: bytes) -> NDArray[np.uint8]:
        """Decode every pixel of any picture in a process of its own, upright: uint8, (height, width, 3).

        Raises:
            ImageError: as ``IsolatedPool.upright_pixels``.
        """
        with timed(self.observer, Stage.DECODE):
            return self.pool.upright_pixels(data, limits=self.limits)

    @contextmanager
    def _room_for(self, structure: Structure) -> Iterator[None]:
        """Wait for the memory that the decoder of an ordinary picture needs."""
        holder = self.pixel_budget.holder()
        reservation = None
        try:
            while reservation is None:  # Pictures before it end within seconds: ordinary ones do.
                reservation = holder.reserve(structure.memory_bytes, seconds=60.0)
            yield
        finally:
            holder.leave()
            if reservation is not None:
                reservation.release()
