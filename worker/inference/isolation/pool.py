"""The pool of processes that decode, shared by all runs of a worker."""

import threading
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing
from worker.inference.fair_threads import FairThreads, Share
from worker.inference.isolation.process import ChildProcess, IsolationLimits
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.preprocess import resized_pixels
from worker.inference.tiles.picture import upright_pixels

DEFAULT_PROCESSES = 2


def decoded_pixels(
    data: bytes, preprocessing: Preprocessing, input_size: tuple[int, int] | None, *, limits: PictureLimits
) -> NDArray[np.uint8]:
    """Decode to the size of the model's input; without one, the whole picture, upright. Runs in the processes.

    Raises:
        ImageError: as ``resized_pixels``.
    """
    if input_size is None:
        return upright_pixels(data, limits=limits)
    return resized_pixels(data, preprocessing, input_size, limits=limits)


class IsolatedPool:
    """Processes that are started on demand, and again after one of them ended. Thread-safe.

    Their time is shared evenly between runs. One more process serves urgent runs alone.
    """

    def __init__(
        self,
        *,
        processes: int = DEFAULT_PROCESSES,
        limits: IsolationLimits | None = None,
        function: Callable[..., NDArray[np.uint8]] = decoded_pixels,
    ) -> None:
        """Start nothing yet.

        Args:
            processes: pictures of bulk runs at a time.
            limits: of each picture.
            function: runs in the processes.
        """
        self.limits = limits or IsolationLimits()
        self.processes = processes
        self._bulk = FairThreads("isolated", processes)
        self._urgent = FairThreads("isolated-urgent", 1)
        self._function = function
        self._lock = threading.Lock()
        self._idle: list[ChildProcess] = []  # The last one first: those behind it are rarely needed.
        self._closed = False

    def share(self, *, urgent: bool) -> Share:
        """Make a share for a run; the run calls the methods below within calls of that share."""
        return (self._urgent if urgent else self._bulk).share()

    def resized_pixels(
        self,
        data: bytes,
        preprocessing: Preprocessing,
        input_size: tuple[int, int],
        *,
        limits: PictureLimits = DEFAULT_LIMITS,
    ) -> NDArray[np.uint8]:
        """Run ``preprocess.resized_pixels`` in a process: uint8, (height, width, 3).

        Raises:
            ImageError: as ``resized_pixels``; ``too_costly`` if a limit of the process was reached, and
                ``worker_crashed`` if it died.
        """
        return self._pixels(data, preprocessing, input_size, limits)

    def upright_pixels(self, data: bytes, *, limits: PictureLimits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
        """Run ``tiles.picture.upright_pixels`` in a process: uint8, (height, width, 3).

        Raises:
            ImageError: as ``upright_pixels``; ``too_costly`` and ``worker_crashed`` as ``resized_pixels``.
        """
        return self._pixels(data, Preprocessing(), None, limits)

    def _pixels(
        self, data: bytes, preprocessing: Preprocessing, input_size: tuple[int, int] | None, limits: PictureLimits
    ) -> NDArray[np.uint8]:
        request = {
            "preprocessing": preprocessing.model_dump(mode="json"),
            "input_size": input_size,
            "limits": asdict(limits),
        }
        child = self._take_child()
        try:
            return child.pixels(data, request)
        finally:
            self._give_back(child)

    @property
    def pids(self) -> list[int]:
        """Ids of the processes that wait for a picture."""
        with self._lock:
            return [child.pid for child in self._idle]

    def close(self) -> None:
        """End the threads and the processes."""
        self._bulk.close()
        self._urgent.close()
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _take_child(self) -> ChildProcess:
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                return ChildProcess(self.limits, self._function)
            if child.alive:
                return child
            child.end()

    def _give_back(self, child: ChildProcess) -> None:
        if child.alive:
            with self._lock:
                if not self._closed:
                    self._idle.append(child)
                    return
        child.end()
