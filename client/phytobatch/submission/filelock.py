"""An exclusive lock on an open file, let go by the system when the process ends, however it ends."""

import sys
from typing import IO

if sys.platform == "win32":
    import msvcrt

    # A byte far behind the end, because a locked byte cannot be read.
    _OFFSET = 2**40

    def lock_exclusively(stream: IO[bytes]) -> bool:
        """Whether the lock was free; never waits."""
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
        """Whether the lock was free; never waits."""
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
