"""The program of a child of ``process.py``: decodes one picture after the other until its input ends.

It never imports TensorFlow.
"""

import contextlib
import importlib
import json
import math
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing
from shared.contracts.states import ImageErrorCode
from worker.inference.decode import SMALLER
from worker.inference.errors import ImageError
from worker.inference.isolation.shared import mapped
from worker.inference.limits import PictureLimits

NICENESS = 5  # Where processors are scarce, an ordinary picture gets three times as much of them.
# The parent ends what hangs. Where the parent was killed meanwhile, the system does, so much later (``alarm(2)``).
GRACE_SECONDS = 2
# Where the system does not say how much a process has.
_ASSUMED_BYTES = 1024**3

Decode = Callable[..., NDArray[np.uint8]]


def main(task: dict[str, Any]) -> None:
    """Serve standard input; ``task`` names the function, the limits, and the memory for pixels."""
    function: Decode = getattr(importlib.import_module(task["module"]), task["function"])
    memory = mapped(task["descriptor"], task["result_bytes"])
    _limit_memory(task["memory_bytes"])
    os.nice(NICENESS)
    # The answers get a descriptor of their own: whatever prints goes to standard error and harms no answer. Where the
    # parent was killed, nobody reads them.
    with contextlib.suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as sink:
        os.dup2(2, 1)
        while line := sys.stdin.buffer.readline():
            _allow_processor_time(task["processor_seconds"])
            signal.alarm(math.ceil(task["timeout_seconds"]) + GRACE_SECONDS)
            request = json.loads(line)
            limits = PictureLimits(**request["limits"] | {"memory_bytes": task["memory_bytes"]})
            answer = _answer(function, sys.stdin.buffer, request, limits, memory)
            sink.write(json.dumps(answer).encode() + b"\n")
            sink.flush()
            signal.alarm(0)


def _limit_memory(memory_bytes: int) -> None:
    """Limit memory, forbid core files (they would hold a photograph), and be the first to be killed without memory."""
    limit = _address_space() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # No such file outside Linux.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return _ASSUMED_BYTES


def _allow_processor_time(seconds: float) -> None:
    """Allow ``seconds`` more from now on; the system ends the process beyond them (``setrlimit(2)``, SIGXCPU)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(used.ru_utime + used.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _answer(
    function: Decode,
    source: IO[bytes],
    request: dict[str, Any],
    limits: PictureLimits,
    memory: Any,  # noqa: ANN401  # a buffer
) -> dict[str, Any]:
    data = source.read(request["size"])
    try:
        pixels = function(
            data,
            Preprocessing.model_validate(request["preprocessing"]),
            None if request["input_size"] is None else tuple(request["input_size"]),
            limits=limits,
        )
    except ImageError as error:
        return {"code": error.code, "detail": error.detail}
    except MemoryError:
        return {"code": ImageErrorCode.TOO_COSTLY, "detail": f"Decoding the picture needs too much memory; {SMALLER}"}
    # Of a picture that is turned the array is a view: copied once, and straight into the memory.
    np.frombuffer(memory, np.uint8, pixels.size).reshape(pixels.shape)[:] = pixels
    return {"shape": pixels.shape}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
