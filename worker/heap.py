"""One heap for all threads of a worker, so that its memory stays what it is after a few thousand images."""

import ctypes
import os

CHOSEN = "MALLOC_ARENA_MAX"  # glibc's own variable: an operator who sets it has chosen.
M_ARENA_MAX = -8  # malloc.h


def share_one_heap() -> None:
    """Have glibc make no heap for each thread. To be called before the first thread starts.

    By default it makes up to eight for each processor, and each keeps what pictures left in it: a worker was larger
    and grew on after its first 2,000 images (``tests.benchmarks.growth --memory``). With one it decodes as fast, on 2
    processors and on 16. Elsewhere than on glibc this does nothing.
    """
    if os.environ.get(CHOSEN):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
