"""Progress of an upload: a bar on a terminal, a line every few seconds anywhere else."""

from __future__ import annotations

import threading
import time

from phytobatch.submission.reporter import Reporter
from phytobatch.terminal.output import Output
from phytobatch.words import in_bytes, in_time, plural

LINE_SECONDS = 10.0


def upload_reporter(output: Output) -> Reporter:
    """Return the reporter that fits the terminal."""
    return Bar(output) if output.is_live else Lines(output)


class Bar:
    """Files, bytes, rate and time left, drawn by rich; fits 80 columns."""

    def __init__(self, output: Output) -> None:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._output = output
        self._files = 0
        self._sent = 0
        self._size = 0
        self._lock = threading.Lock()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=output.errors,
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task("", total=None)

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._output.note(text)

    def begin(self, *, files: int, size: int) -> None:
        """Draw the bar."""
        self._files, self._size = files, size
        self._progress.update(self._task, total=size, description=self._words())
        self._progress.start()

    def bytes_sent(self, count: int) -> None:
        """Move the bar."""
        self._progress.advance(self._task, count)

    def file_sent(self) -> None:
        """Count a file."""
        with self._lock:
            self._sent += 1
        self._progress.update(self._task, description=self._words())

    def file_passed(self, size: int) -> None:
        """Count a file that will not be sent."""
        with self._lock:
            self._files -= 1
            self._size -= size
        self._progress.update(self._task, total=self._size, description=self._words())

    def end(self) -> None:
        """Remove the bar."""
        self._progress.stop()

    def _words(self) -> str:
        return f"{self._sent:,}/{self._files:,} files"


class Lines:
    """Terse lines for logs."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lock = threading.Lock()
        self._files = self._size = self._sent = self._bytes = 0
        self._began = self._last = time.monotonic()

    def note(self, text: str) -> None:
        """Print a line."""
        self._output.note(text)

    def begin(self, *, files: int, size: int) -> None:
        """Print the number of files and bytes."""
        self._files, self._size = files, size
        self._began = self._last = time.monotonic()
        self._output.note(f"sending {plural(files, 'file')}, {in_bytes(size)}")

    def bytes_sent(self, count: int) -> None:
        """Count the bytes, and print a line now and then."""
        with self._lock:
            self._bytes += count
            now = time.monotonic()
            due = now - self._last >= LINE_SECONDS
            if due:
                self._last = now
        if due:
            self._output.note(self._words())

    def file_sent(self) -> None:
        """Count a file."""
        with self._lock:
            self._sent += 1

    def file_passed(self, size: int) -> None:
        """Count a file that will not be sent."""
        with self._lock:
            self._files -= 1
            self._size -= size

    def end(self) -> None:
        """Print the total."""
        self._output.note(self._words())

    def _words(self) -> str:
        seconds = max(time.monotonic() - self._began, 1e-3)
        rate = self._bytes / seconds
        words = f"sent {self._sent:,} of {plural(self._files, 'file')}, {in_bytes(self._bytes)}, {in_bytes(rate)}/s"
        left = self._size - self._bytes
        return f"{words}, about {in_time(left / rate)} left" if left > 0 and rate > 0 else words
