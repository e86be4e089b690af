"""An exclusive lock on an open file, released by the system when the process ends, however it ends."""

from __future__ import annotations

import sys
from typing import IO

if sys.platform == "win32":
    import msvcrt

    # A byte far behind the end, because a locked byte cannot be read; below 2 GiB, because the C library may hold the
    # position in 32 bits.
    _OFFSET = 2**31 - 2

    def lock_exclusively(stream: IO[bytes]) -> bool:
        """Lock the file if it is free, and return whether it was; never wait."""
        position = stream.tell()
        stream.seek(_OFFSET)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            stream.seek(position)
        return True

else:
    import fcntl

    def lock_exclusively(stream: IO[bytes]) -> bool:
        """Lock the file if it is free, and return whether it was; never wait."""
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
