import os

import numpy as np
import pytest

from worker.inference.isolation.shared import forget, mapped, shared_memory

MEBIBYTE = 1024 * 1024


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux gives pages back")
def test_pages_of_shared_memory_are_given_back() -> None:
    descriptor = shared_memory(8 * MEBIBYTE)
    memory = mapped(descriptor, 8 * MEBIBYTE)
    np.frombuffer(memory, np.uint8)[:] = 7
    assert os.fstat(descriptor).st_blocks * 512 >= 8 * MEBIBYTE
    forget(memory, 0, 6 * MEBIBYTE)
    assert os.fstat(descriptor).st_blocks * 512 <= 3 * MEBIBYTE
    assert (memory[0], memory[7 * MEBIBYTE]) == (0, 7)
    os.close(descriptor)
