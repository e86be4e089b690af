"""The child of ``isolate.py``: preprocesses one picture after the other until its input ends. No TensorFlow here."""

import contextlib
import importlib
import json
import os
import resource
import sys
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from shared.contracts.manifest import Preprocessing
from worker.inference.errors import ImageError
from worker.inference.limits import PictureLimits


def main(task: dict[str, Any]) -> None:
    """Serve standard input; ``task`` says what to run and with how much address space."""
    _limit(task["memory_bytes"])
    function = getattr(importlib.import_module(task["module"]), task["function"])
    prepare = partial(
        function,
        preprocessing=Preprocessing.model_validate(task["preprocessing"]),
        input_size=tuple(task["input_size"]),
        limits=PictureLimits(**task["limits"]),
    )
    # The answers get a descriptor of their own: whatever prints goes to standard error and harms no answer.
    with os.fdopen(os.dup(1), "wb") as sink:
        os.dup2(2, 1)
        while line := sys.stdin.buffer.readline():
            sink.write(_answer(prepare, sys.stdin.buffer, json.loads(line)["size"]))
            sink.flush()


def _limit(memory_bytes: int) -> None:
    """Little memory, no core file with somebody's photograph; and where the machine has none left, this one goes."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # No such file outside Linux.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _answer(prepare: partial[Any], source: IO[bytes], size: int) -> bytes:
    try:
        pixels = prepare(source.read(size))
    except ImageError as error:
        return json.dumps({"code": error.code, "detail": error.detail}).encode() + b"\n"
    return b"{}\n" + np.ascontiguousarray(pixels, np.float32).tobytes()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
