"""An append-only file of JSON lines that survives a kill and a power cut at any byte."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from phytobatch.errors import StateFileError
from phytobatch.resources import JsonObject
from phytobatch.submission.filelock import lock_exclusively

# A kill loses nothing that was written. A power cut may lose what was not yet synced: half a second of finished
# uploads, which are then sent again. One fsync for each of 20,000 files would cost minutes.
SYNC_SECONDS = 0.5


class Journal:
    """A journal, open for one process at a time. Thread-safe.

    Attributes:
        records: what was in the file when it was opened.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        """Open or make the file and cut off a torn last line, or with ``fresh`` everything.

        Raises:
            StateFileError: another process has it open, it is damaged, or cannot be written.
        """
        self.path = path
        self._lock = threading.Lock()
        self._synced = time.monotonic()
        self._stream = _open(path)
        try:
            self.records, valid_bytes = ([], 0) if fresh else _load(self._stream, path)
        except StateFileError:
            self._stream.close()
            raise
        self._stream.truncate(valid_bytes)
        self._stream.seek(valid_bytes)

    def append(self, records: Iterable[JsonObject], *, durable: bool = False) -> None:
        """Write records; with ``durable`` they are on the disk when this returns."""
        # ensure_ascii keeps file names that are no UTF-8 (lone surrogates) readable.
        lines = "".join(json.dumps(record, ensure_ascii=True, separators=(",", ":")) + "\n" for record in records)
        with self._lock:
            if self._stream.closed:  # A thread came after the request to stop; its upload is repeated another time.
                return
            self._stream.write(lines.encode("ascii"))
            if durable or time.monotonic() - self._synced >= SYNC_SECONDS:
                os.fsync(self._stream.fileno())
                self._synced = time.monotonic()

    def close(self) -> None:
        """Sync, close and release the lock."""
        with self._lock:
            if not self._stream.closed:
                os.fsync(self._stream.fileno())
                self._stream.close()

    def remove(self) -> None:
        """Close it and delete the file: the submission is done, or given up."""
        self.close()
        self.path.unlink(missing_ok=True)


def _open(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Unbuffered: what is written is out of this process at once.
        stream = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "r+b", 0)
    except OSError as error:
        raise StateFileError(f"The state file {path} cannot be written: {error.strerror}; see --state-dir.") from error
    if not lock_exclusively(stream):
        stream.close()
        raise StateFileError("Another phytobatch is sending these files at this moment; wait for it or stop it.")
    return stream


def _load(stream: BinaryIO, path: Path) -> tuple[list[JsonObject], int]:
    """Return the whole records, and the bytes that they take."""
    lines = stream.read().split(b"\n")
    records: list[JsonObject] = []
    valid_bytes = 0
    for number, line in enumerate(lines[:-1], start=1):  # What follows the last line end is torn, or empty.
        record = _parse(line)
        if record is None and number == len(lines) - 1:
            break  # Torn as well: some file systems fill a lost block with zeros.
        if record is None:
            raise StateFileError(f"The state file {path} is damaged in line {number}; start afresh with --new.")
        records.append(record)
        valid_bytes += len(line) + 1
    return records, valid_bytes


def _parse(line: bytes) -> JsonObject | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
