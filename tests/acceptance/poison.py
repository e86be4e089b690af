"""A decoder that dies of one kind of file, as a real one may of a hostile one. ``poisoned_worker.py`` puts it in."""

import os
import signal

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing
from worker.inference import preprocess as genuine

MARKER = b"this file kills the decoder"


def preprocess(
    data: bytes, preprocessing: Preprocessing, input_size: tuple[int, int], *, max_pixels: int
) -> NDArray[np.float32]:
    """As ``worker.inference.preprocess.preprocess``, but for a file with the marker the process is gone."""
    if MARKER in data:
        os.kill(os.getpid(), signal.SIGSEGV)
    return genuine.preprocess(data, preprocessing, input_size, max_pixels=max_pixels)
