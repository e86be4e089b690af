"""The ready file of a program: health checks look at its age."""

import os
import time
from pathlib import Path

import structlog

log = structlog.get_logger()

READY_FILE = "PHYTOBATCH_WORKER_READY_FILE"
MIN_INTERVAL_SECONDS = 2.0


class ReadyFile:
    """The file of ``--ready-file``. Without a path, touching it does nothing. Threads may share it."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._touched_at = float("-inf")

    @classmethod
    def from_environment(cls) -> "ReadyFile":
        """Return the file that ``PHYTOBATCH_WORKER_READY_FILE`` names, if it does."""
        path = os.environ.get(READY_FILE)
        return cls(Path(path) if path else None)

    def touch(self) -> None:
        """Touch the file, at most every ``MIN_INTERVAL_SECONDS``. A full disk must not end the caller: it is logged."""
        if self._path is None or time.monotonic() - self._touched_at < MIN_INTERVAL_SECONDS:
            return
        self._touched_at = time.monotonic()
        try:
            self._path.touch()
        except OSError as error:
            log.warning("ready_file_not_touched", reason=str(error))
