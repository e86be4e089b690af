"""Preprocessing in a child process that may crash, hang or eat memory without taking the worker with it.

The child is ``isolate_child.py``. It is a fresh interpreter and never a fork (TensorFlow hangs after one), it gets no
secrets in its environment, and what it says back is a JSON line and raw numbers of a known size, never a pickle: the
child handles hostile bytes, so it is not trusted.

    parent to child   {"size": n} and a line feed, then n bytes
    child to parent   {} and a line feed, then height x width x 3 float32 in the machine's byte order
                      or {"code": ..., "detail": ...} and a line feed
"""

import contextlib
import json
import math
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import IO, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing
from shared.contracts.states import ImageErrorCode
from worker.inference.errors import ImageError
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.preprocess import preprocess

GIBIBYTE = 1024**3
TIMEOUT_SECONDS = 60.0
STOP_SECONDS = 5.0
_HEADER_BYTES = 64 * 1024
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "PILLOW_BLOCKS_MAX", "PILLOW_ALIGNMENT")


class PreprocessFunction(Protocol):
    """The shape of ``worker.inference.preprocess.preprocess``: a function at the top of a module."""

    __module__: str
    __qualname__: str

    def __call__(
        self, data: bytes, preprocessing: Preprocessing, input_size: tuple[int, int], *, limits: PictureLimits
    ) -> NDArray[np.float32]:
        """Encoded bytes to the model's input."""
        ...


def scrubbed_environment() -> dict[str, str]:
    """The environment for a child that handles bytes of strangers: no secrets, one thread for numpy."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OPENBLAS_NUM_THREADS": "1"}


class IsolatedPreprocessor:
    """``preprocess`` in a child that is started when first needed and again after it died. Thread-safe."""

    def __init__(
        self,
        preprocessing: Preprocessing,
        input_size: tuple[int, int],
        *,
        limits: PictureLimits = DEFAULT_LIMITS,
        timeout_seconds: float = TIMEOUT_SECONDS,
        memory_bytes: int = 2 * GIBIBYTE,
        function: PreprocessFunction = preprocess,
    ) -> None:
        """Start nothing yet.

        Args:
            preprocessing: the manifest's.
            input_size: (height, width), the manifest's.
            limits: what a picture may cost.
            timeout_seconds: a child that takes longer for one picture is killed.
            memory_bytes: address space of the child.
            function: what the child runs; importable by its module and name.
        """
        self._task = json.dumps(
            {
                "module": function.__module__,
                "function": function.__qualname__,
                "preprocessing": preprocessing.model_dump(mode="json"),
                "input_size": input_size,
                "limits": asdict(limits),
                "memory_bytes": memory_bytes,
            }
        )
        self._shape = (*input_size, 3)
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def preprocess(self, data: bytes) -> NDArray[np.float32]:
        """Encoded bytes to the model's input, as ``preprocess`` gives it.

        Raises:
            ImageError: as ``preprocess``, and ``worker_crashed`` where the child died or took too long.
        """
        with self._lock:
            if self._child is None or self._child.poll() is not None:
                self._child = self._start()
            return self._exchange(self._child, data)

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            if self._child is not None:
                _end(self._child)
                self._child = None

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-m", "worker.inference.isolate_child", self._task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=scrubbed_environment(),
        )

    def _exchange(self, child: subprocess.Popen[bytes], data: bytes) -> NDArray[np.float32]:
        late = threading.Event()

        def kill() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(self._timeout, kill)
        timer.start()
        try:
            return _ask(child, data, self._shape)
        except (OSError, EOFError, LookupError, TypeError, ValueError) as error:  # It is gone, or it talks nonsense.
            _end(child)
            raise ImageError(ImageErrorCode.WORKER_CRASHED, self._reason(late.is_set(), child.returncode)) from error
        finally:
            timer.cancel()
            timer.join()
            if late.is_set():  # Killed at the last moment: the next picture must not be blamed for it.
                _end(child)

    def _reason(self, late: bool, status: int) -> str:  # noqa: FBT001  # private
        if late:
            return f"Decoding the picture took longer than {self._timeout:g} s and was stopped; export it again."
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return f"The picture crashed the decoder ({how}); export it again."


def _ask(child: subprocess.Popen[bytes], data: bytes, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Send one picture and read the answer; a child that dies meanwhile shows as OSError, EOFError or ValueError."""
    to_child, from_child = _pipes(child)
    to_child.write(json.dumps({"size": len(data)}).encode() + b"\n" + data)
    to_child.flush()
    line = from_child.readline(_HEADER_BYTES)
    if not line:
        raise EOFError
    header = json.loads(line)
    if header:
        raise ImageError(ImageErrorCode(header["code"]), str(header["detail"]))
    return np.frombuffer(from_child.read(4 * math.prod(shape)), np.float32).reshape(shape)


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    return child.stdin, child.stdout


def _end(child: subprocess.Popen[bytes]) -> None:
    """Let the child leave by itself (its input ends); kill it if it does not."""
    with contextlib.suppress(OSError):
        _pipes(child)[0].close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    with contextlib.suppress(OSError):
        _pipes(child)[1].close()
