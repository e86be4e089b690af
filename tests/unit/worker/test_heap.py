"""How many heaps the threads of a process have, as glibc says itself."""

import os
import platform
import subprocess
import sys

import pytest

from tests.patience import PATIENCE_SECONDS

HEAPS = """
import ctypes, threading
from worker.heap import share_one_heap
share_one_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
gate = threading.Barrier(9)
def allocate():
    libc.malloc(1000)
    gate.wait()
for _ in range(8):
    threading.Thread(target=allocate).start()
gate.wait()
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a heap for each thread")
@pytest.mark.parametrize(("chosen", "one"), [(None, True), ("4", False)])
def test_all_threads_share_one_heap_unless_somebody_chose_otherwise(chosen: str | None, one: bool) -> None:  # noqa: FBT001
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    if chosen:
        environment["MALLOC_ARENA_MAX"] = chosen
    done = subprocess.run(
        [sys.executable, "-c", HEAPS],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
        env=environment,
    )
    heaps = done.stdout.count("<heap nr=")
    assert (heaps == 1) is one, done.stdout
