"""A decoder that dies of two kinds of files, as a real one may of hostile ones. ``poisoned_worker.py`` puts it in."""

import os
import resource
import signal

import numpy as np
import psutil
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing
from worker.inference import preprocess as genuine
from worker.inference.limits import PictureLimits
from worker.inference.structure import Structure

MARKER = b"this file kills the decoder"
GREEDY_MARKER = b"this file eats memory"
MEBIBYTE = 1024**2
# What a container of the worker would still have had.
LEFT = 600 * MEBIBYTE


def preprocess(
    data: bytes,
    preprocessing: Preprocessing,
    input_size: tuple[int, int],
    *,
    limits: PictureLimits,
    structure: Structure | None = None,
) -> NDArray[np.float32]:
    """As ``worker.inference.preprocess.preprocess``, but for a file with a marker the process is gone."""
    _die_of(data)
    return genuine.preprocess(data, preprocessing, input_size, limits=limits, structure=structure)


def resized_pixels(
    data: bytes, preprocessing: Preprocessing, input_size: tuple[int, int], *, limits: PictureLimits
) -> NDArray[np.uint8]:
    """As ``worker.inference.preprocess.resized_pixels``, with the same flaw."""
    _die_of(data)
    return genuine.resized_pixels(data, preprocessing, input_size, limits=limits)


def _die_of(data: bytes) -> None:
    if MARKER in data:
        os.kill(os.getpid(), signal.SIGSEGV)
    if GREEDY_MARKER in data:
        eat_memory()


def eat_memory() -> None:
    """Take memory until there is none.

    In the isolated child that is the real limit of its address space. A worker has none of its own: its container
    has, and the kernel ends it with SIGKILL, which is done here by hand.

    Raises:
        MemoryError: the address space is used up.
    """
    eaten = []
    process = psutil.Process()
    before = process.memory_info().rss
    isolated = resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
    while isolated or process.memory_info().rss - before < LEFT:
        eaten.append(b"x" * (16 * MEBIBYTE))
    os.kill(os.getpid(), signal.SIGKILL)
