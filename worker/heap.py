"""One heap for all threads of a worker, so that its memory stops growing after a few thousand images."""

import ctypes
import os

VARIABLE = "MALLOC_ARENA_MAX"  # glibc's own variable; an operator who sets it decides.
M_ARENA_MAX = -8  # malloc.h


def share_one_heap() -> None:
    """Make glibc use one heap. Call it before the first thread starts.

    By default glibc makes up to eight heaps per processor, and each keeps the memory of pictures: a worker was larger
    and grew on after its first 2,000 images (``tests.benchmarks.growth --memory``). With one heap it decodes as fast,
    on 2 processors and on 16. Without glibc this does nothing.
    """
    if os.environ.get(VARIABLE):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
