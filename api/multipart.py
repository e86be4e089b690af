"""Multipart bodies, streamed into spooled files: bounded in files, in bytes of each, and (by the middleware) in all."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.errors import BodyTooLarge
from shared.errors import InvalidRequest, LimitExceeded

MEDIA_TYPE = "multipart/form-data"
# Ordinary photographs of up to this many bytes never touch the disk.
SPOOL_BYTES = 8 * 1024 * 1024
MAX_FIELDS = 16
HASH_BYTES = 1024 * 1024
MAX_FIELD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Most files, the setting that says so (``None``: nature does), and most bytes of one file."""

    files: int
    file_bytes: int
    files_setting: str | None = None

    def too_many_files(self) -> InvalidRequest:
        """The error for one file too many."""
        message = f"one request takes at most {self.files} files; send several requests, or use presigned uploads"
        if self.files_setting is None:
            return InvalidRequest(message)
        return LimitExceeded(message, setting=self.files_setting)


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that has arrived: a spooled file, closed when the request ends. ``sha256`` is that of its bytes."""

    field: str
    name: str
    size: int
    body: BinaryIO

    def sha256(self) -> bytes:
        """Reads the file once, and leaves it at its beginning. Call it in a thread."""
        self.body.seek(0)
        digest = hashlib.sha256()
        while piece := self.body.read(HASH_BYTES):
            digest.update(piece)
        self.body.seek(0)
        return digest.digest()


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and files of a multipart body, in their order."""

    fields: dict[str, str]
    files: list[ReceivedFile]


class _BoundedParser(MultiPartParser):
    """Starlette's parser bounds neither the size of a file nor notices that the body ends before its last boundary."""

    spool_max_size = SPOOL_BYTES

    def bound(self, limits: Limits) -> "_BoundedParser":
        self._limits = limits
        self._bytes = 0
        self._files = 0
        self._ended = False
        return self

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        self._bytes = 0
        self._files += self._current_part.file is not None
        if self._files > self._limits.files:
            raise self._limits.too_many_files()

    def on_end(self) -> None:
        self._ended = True

    async def parse(self) -> FormData:
        parsed = await super().parse()
        if not self._ended:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("it ends before its last boundary")
        return parsed

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._bytes += end - start
        if self._current_part.file is not None and self._bytes > self._limits.file_bytes:
            name = self._current_part.file.filename
            raise BodyTooLarge(
                f"{name!r} is larger than {self._limits.file_bytes} bytes; leave it out or make it smaller",
                setting="PHYTOBATCH_MAX_IMAGE_BYTES",
            )
        super().on_part_data(data, start, end)


@asynccontextmanager
async def received(request: Request, limits: Limits) -> AsyncIterator[Form]:
    """The form, as long as the block runs. While the client sends, neither a thread nor a connection is held.

    Raises:
        InvalidRequest: the body is not multipart, or broken.
        LimitExceeded: too many files.
        BodyTooLarge: a file is too large.
    """
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise InvalidRequest(f"send the files as {MEDIA_TYPE}, this body is {content_type or 'without a Content-Type'}")
    parser = _BoundedParser(
        request.headers, request.stream(), max_files=float("inf"), max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
    ).bound(limits)
    try:
        parsed = await parser.parse()
    except MultiPartException as error:
        raise InvalidRequest(f"the multipart body cannot be read: {error.message}") from error
    try:
        yield _form(parsed)
    finally:
        await parsed.close()


def _form(parsed: FormData) -> Form:
    fields: dict[str, str] = {}
    files: list[ReceivedFile] = []
    for field, value in parsed.multi_items():
        if isinstance(value, UploadFile):
            files.append(ReceivedFile(field, _name(value.filename), value.size or 0, value.file))
        elif field in fields:
            raise InvalidRequest(f"the field {field!r} comes twice; send it once")
        else:
            fields[field] = value
    return Form(fields, files)


def _name(name: str | None) -> str:
    """The client's own name for the file; it is never part of a path or key, so only what cannot be stored goes."""
    return (name or "").replace("\0", "")
