"""A child process that decodes, as its parent sees it.

It is a fresh interpreter and never a fork (TensorFlow hangs after one), it gets no secrets in its environment, and it
is not trusted: it answers with a JSON line and with raw numbers of an announced size in shared memory, never a pickle.

    parent to child   {"size": n, "preprocessing": ..., "input_size": ..., "limits": ...} and a line feed, then n bytes
    child to parent   {"shape": [height, width, 3]} and a line feed; uint8 pixels at the beginning of shared memory
                      or {"code": ..., "detail": ...} and a line feed
"""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.states import ImageErrorCode
from worker.inference.errors import ImageError
from worker.inference.isolation.shared import forget, mapped, shared_memory
from worker.inference.limits import DEFAULT_LIMITS
from worker.inference.tiles.picture import CHANNELS

MEBIBYTE = 1024**2
STOP_SECONDS = 5.0
_HEADER_BYTES = 64 * 1024
_MAX_AXES = 3
_COPIED_BYTES = 16 * MEBIBYTE  # at a time; a multiple of the size of a page
_KEPT_BYTES = MEBIBYTE  # The input of a model; to give it back and take it again would cost more than it saves.
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "PILLOW_BLOCKS_MAX", "PILLOW_ALIGNMENT")

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class IsolationLimits:
    """Limits of one picture in a process of its own.

    Attributes:
        processor_seconds: time of a processor; a picture that needs more is ``too_costly``.
        timeout_seconds: time on the clock, for a decoder that hangs without using the processor.
        memory_bytes: address space above what the process takes by itself.
        result_bytes: pixels that it may hand over: those of a whole picture, where tiles are cut out of it.
    """

    processor_seconds: float = 8.0
    timeout_seconds: float = 120.0
    memory_bytes: int = 512 * MEBIBYTE
    result_bytes: int = CHANNELS * DEFAULT_LIMITS.pixels


def scrubbed_environment() -> dict[str, str]:
    """Return the environment for a child that handles untrusted bytes: no secrets, one thread for numpy."""
    variables = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return variables | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OPENBLAS_NUM_THREADS": "1"}


class ChildProcess:
    """A process that decodes one picture after the other, until one of them ends it. Not thread-safe."""

    def __init__(self, limits: IsolationLimits, function: Callable[..., Pixels]) -> None:
        """Start it.

        Args:
            limits: of each picture.
            function: runs in the child, called as ``resized_pixels``; importable by its module and name.
        """
        self._limits = limits
        descriptor = shared_memory(limits.result_bytes)
        try:
            self._memory = mapped(descriptor, limits.result_bytes)
            task = asdict(limits) | {
                "module": function.__module__,
                "function": function.__qualname__,
                "descriptor": descriptor,
            }
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [sys.executable, "-m", "worker.inference.isolation.child", json.dumps(task)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=scrubbed_environment(),
                pass_fds=(descriptor,),
            )
        finally:
            os.close(descriptor)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """True while it takes another picture."""
        return self._process.poll() is None

    def pixels(self, data: bytes, request: dict[str, Any]) -> Pixels:
        """Decode one picture in the child: uint8, (height, width, 3).

        Args:
            data: the whole file.
            request: the other arguments of the function, as JSON takes them.

        Raises:
            ImageError: of the function; ``too_costly`` if a limit ended the process, ``worker_crashed`` if it ended
                by itself.
        """
        late = threading.Event()

        def kill() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(self._limits.timeout_seconds, kill)
        timer.start()
        try:
            return self._ask(data, request)
        except (OSError, EOFError, LookupError, TypeError, ValueError) as error:  # It is gone, or it talks nonsense.
            self.end()
            raise self._error(late=late.is_set()) from error
        finally:
            timer.cancel()
            timer.join()
            if late.is_set():  # Killed at the last moment: the next picture must not be blamed for it.
                self.end()

    def end(self) -> None:
        """Close its input, so that it exits by itself; kill it if it does not."""
        with contextlib.suppress(OSError):
            self._pipes()[0].close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            self._pipes()[1].close()
        self._memory.close()

    def _ask(self, data: bytes, request: dict[str, Any]) -> Pixels:
        """Send one picture and read the answer; a child that dies meanwhile shows as OSError, EOFError, ValueError."""
        to_child, from_child = self._pipes()
        to_child.write(json.dumps(request | {"size": len(data)}).encode() + b"\n")
        to_child.write(data)
        to_child.flush()
        line = from_child.readline(_HEADER_BYTES)
        if not line:
            raise EOFError
        header = json.loads(line)
        if "code" in header:
            raise ImageError(ImageErrorCode(header["code"]), str(header["detail"]))
        return self._read(tuple(map(int, header["shape"])))

    def _read(self, shape: tuple[int, ...]) -> Pixels:
        """Copy pixels out of shared memory, which the next picture overwrites; a whole picture's are given back."""
        count = math.prod(shape)
        if len(shape) != _MAX_AXES or min(shape) < 1 or count > self._limits.result_bytes:
            raise ValueError(f"pixels of the shape {shape}")
        pixels = np.empty(shape, np.uint8)
        shared, own = np.frombuffer(self._memory, np.uint8, count), pixels.reshape(-1)
        for start in range(0, count, _COPIED_BYTES):  # So that a large picture is never there twice.
            own[start : start + _COPIED_BYTES] = shared[start : start + _COPIED_BYTES]
            if count > _KEPT_BYTES:
                forget(self._memory, start, min(_COPIED_BYTES, self._limits.result_bytes - start))
        return pixels

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process.stdin is None or self._process.stdout is None:
            raise EOFError
        return self._process.stdin, self._process.stdout

    def _error(self, *, late: bool) -> ImageError:
        status, limits = self._process.returncode, self._limits
        if late or status == -signal.SIGALRM:
            detail = f"Decoding the picture took longer than {limits.timeout_seconds:g} s and was stopped"
            return ImageError(ImageErrorCode.TOO_COSTLY, f"{detail}; export it again.")
        if status == -signal.SIGXCPU:
            detail = f"Decoding the picture needs more than {limits.processor_seconds:g} s of a processor"
            return ImageError(ImageErrorCode.TOO_COSTLY, f"{detail}; make it smaller, or export it again.")
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return ImageError(ImageErrorCode.WORKER_CRASHED, f"The picture crashed the decoder ({how}); export it again.")
