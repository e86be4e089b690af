"""Bytes of files while a request arrives: in memory as long as they are few, then on disk."""

import io
import shutil
from collections.abc import Callable
from contextlib import suppress
from tempfile import TemporaryFile
from typing import BinaryIO, TypeVar

import structlog
from starlette.concurrency import run_in_threadpool

from shared.errors import NoRoom

log = structlog.get_logger()

# Of all files of one request together.
MEMORY_BYTES = 8 * 1024 * 1024

T = TypeVar("T")


class SpooledFile:
    """A file that arrives, of ``size`` bytes so far."""

    def __init__(self) -> None:
        self.body: BinaryIO = io.BytesIO()
        self.size = 0
        self.is_on_disk = False

    def move_to_disk(self) -> None:
        """Move from memory to disk, for which the caller's thread waits."""
        disk = TemporaryFile()  # noqa: SIM115  # closed with the request
        self.body.seek(0)
        shutil.copyfileobj(self.body, disk)
        self.body.close()
        self.body, self.is_on_disk = disk, True


class Spool:
    """The files of one request. Close it when the request ends."""

    def __init__(self) -> None:
        self._files: list[SpooledFile] = []
        self._in_memory = 0

    def new(self) -> SpooledFile:
        """Make an empty file."""
        file = SpooledFile()
        self._files.append(file)
        return file

    async def write(self, file: SpooledFile, data: bytes) -> None:
        """Append to a file; the event loop never waits for the disk.

        Raises:
            NoRoom: the disk is full.
        """
        if not file.is_on_disk and self._in_memory + len(data) > MEMORY_BYTES:
            await _on_disk(file.move_to_disk)
            self._in_memory -= file.size
        if file.is_on_disk:
            await _on_disk(lambda: file.body.write(data))
        else:
            file.body.write(data)
            self._in_memory += len(data)
        file.size += len(data)

    def close(self) -> None:
        """Give memory and disk back."""
        for file in self._files:
            with suppress(OSError):
                file.body.close()


async def _on_disk(write: Callable[[], T]) -> T:
    try:
        return await run_in_threadpool(write)
    except OSError as error:
        log.warning("upload_not_spooled", reason=error.strerror)
        raise NoRoom(
            "the server has no room for uploads just now; send the files again later, or to presigned URLs"
        ) from error
