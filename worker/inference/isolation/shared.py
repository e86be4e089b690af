"""Memory that a parent and its child share, of a size that neither can change."""

import fcntl
import mmap
import os
import tempfile


def shared_memory(size: int) -> int:
    """Make memory for a child to write into; return its file descriptor, which the caller closes.

    Pages cost nothing until they are written. On Linux the size is sealed (``memfd_create(2)``): a child that handles
    hostile bytes could otherwise shrink it and crash its reader.

    Args:
        size: in bytes.
    """
    if not hasattr(os, "memfd_create"):  # Not Linux: an unlinked file does it for a developer's machine.
        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            return os.dup(file.fileno())
    descriptor = os.memfd_create("phytobatch-pixels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
    return descriptor


def mapped(descriptor: int, size: int) -> mmap.mmap:
    """Map shared memory into this process."""
    return mmap.mmap(descriptor, size)


def forget(memory: mmap.mmap, start: int, length: int) -> None:
    """Give pages of shared memory back to the system (``madvise(2)``, MADV_REMOVE); they read as zeros then.

    A process that waits would keep those of the largest picture that it has ever decoded.
    """
    if hasattr(mmap, "MADV_REMOVE"):  # Linux
        memory.madvise(mmap.MADV_REMOVE, start, length)
