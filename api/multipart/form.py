"""A multipart form as it arrives: its fields as text, its files spooled."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from api.errors import BodyTooLarge
from api.limits.body import FORM_STEP_BYTES
from api.limits.forms import MAX_FIELD_BYTES, MAX_FIELDS, MAX_HEADER_BYTES, MAX_HEADER_LINES
from api.limits.shares import Place
from api.multipart import charsets
from api.multipart.headers import Part, boundary_of, part_of
from api.multipart.spool import Spool, SpooledFile
from shared.errors import InvalidRequest, LimitExceeded

HASH_BYTES = 1024 * 1024
# The field that names the charset of the others (RFC 7578, 4.6).
CHARSET_FIELD = "_charset_"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a form: files, the setting that says so (``None``: the address does), and bytes of each."""

    files: int
    file_bytes: int
    files_setting: str | None = None

    def too_many_files(self) -> InvalidRequest:
        """Make the error for one file too many."""
        message = f"one request takes at most {self.files} files; send several requests, or use presigned uploads"
        if self.files_setting is None:
            return InvalidRequest(message)
        return LimitExceeded(message, setting=self.files_setting)

    def too_large(self, name: str) -> BodyTooLarge:
        """Make the error for a file with too many bytes."""
        return BodyTooLarge(
            f"{name!r} is larger than {self.file_bytes} bytes; leave it out or make it smaller",
            setting="PHYTOBATCH_MAX_IMAGE_BYTES",
        )


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that has arrived: spooled, and closed when the request ends."""

    field: str
    name: str
    size: int
    body: BinaryIO

    def sha256(self) -> bytes:
        """Read the file once, and leave it at its beginning. Call it in a thread."""
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


@asynccontextmanager
async def received(request: Request, limits: Limits) -> AsyncIterator[Form]:
    """Yield the form. While the client sends, neither a thread nor a connection is held.

    Raises:
        InvalidRequest: the body is not multipart, or broken.
        LimitExceeded: too many files.
        BodyTooLarge: a file is too large.
        NoRoom: the disk is full, or the process receives as much as it may.
        TooManyAtATime: the key or its tenant does.
    """
    parser = PushMultipartParser(
        boundary_of(request.headers.get("content-type", "")),
        max_header_size=MAX_HEADER_BYTES,
        max_header_count=MAX_HEADER_LINES,
        header_charset="latin-1",  # Every byte as it came; what it means is for `headers` to say.
    )
    reading = _Reading(limits)
    try:
        await _feed(parser, reading, request)
        yield reading.form()
    finally:
        reading.spool.close()
        request.state.body_place.give_back()


async def _feed(parser: PushMultipartParser, reading: "_Reading", request: Request) -> None:
    place: Place = request.state.body_place
    arrived = 0
    try:
        async for piece in request.stream():
            arrived += len(piece)
            if arrived > place.amount:  # It was not announced how many there would be.
                place.hold(arrived + FORM_STEP_BYTES)
            for event in parser.parse(piece) if piece else ():
                await reading.take(event)
    except MultipartError as error:
        raise InvalidRequest(f"the multipart body cannot be read: {error.args[0]}") from error
    try:
        parser.close()
    except MultipartError as error:
        raise InvalidRequest("the multipart body ends before its last boundary; send it again, whole") from error


class _Reading:
    """The form as far as it has arrived; it counts before it keeps."""

    def __init__(self, limits: Limits) -> None:
        self.spool = Spool()
        self._limits = limits
        self._part = Part("", None, None)
        self._text = bytearray()
        self._file = SpooledFile()
        self._fields: list[tuple[Part, bytes]] = []
        self._files: list[tuple[Part, SpooledFile]] = []

    async def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        """Take the head of a part, bytes of it, or its end."""
        if isinstance(event, MultipartSegment):
            self._begin(part_of(event.headerlist))
        elif event is None:
            self._end()
        elif self._part.file_name is None:
            self._add_text(event)
        else:
            await self._add_bytes(self._part.file_name, bytes(event))

    def form(self) -> Form:
        """Return the whole form.

        Raises:
            InvalidRequest: a field comes twice, or cannot be read.
        """
        named = {part.field: data for part, data in self._fields}
        default = named.get(CHARSET_FIELD)
        fields: dict[str, str] = {}
        for part, data in self._fields:
            if part.field in fields:
                raise InvalidRequest(f"the field {part.field!r} comes twice; send it once")
            charset = part.charset or (None if default is None else default.decode("ascii", "replace"))
            fields[part.field] = _field_text(part.field, data, charset)
        fields.pop(CHARSET_FIELD, None)
        files = [ReceivedFile(part.field, _storable(part.file_name or ""), f.size, f.body) for part, f in self._files]
        return Form(fields, files)

    def _begin(self, part: Part) -> None:
        self._part = part
        if part.file_name is None:
            self._text = bytearray()
            if len(self._fields) >= MAX_FIELDS:
                raise InvalidRequest(
                    f"a form has at most {MAX_FIELDS} fields beside its files; a file needs a filename"
                )
            return
        if len(self._files) >= self._limits.files:
            raise self._limits.too_many_files()
        self._file = self.spool.new()
        self._files.append((part, self._file))

    def _end(self) -> None:
        if self._part.file_name is None:
            self._fields.append((self._part, bytes(self._text)))

    def _add_text(self, data: bytes | bytearray) -> None:
        self._text += data
        if len(self._text) > MAX_FIELD_BYTES:
            raise InvalidRequest(
                f"the field {self._part.field[:80]!r} is larger than {MAX_FIELD_BYTES} bytes; a file needs a filename"
            )

    async def _add_bytes(self, name: str, data: bytes) -> None:
        if self._file.size + len(data) > self._limits.file_bytes:
            raise self._limits.too_large(name)
        await self.spool.write(self._file, data)


def _field_text(field: str, data: bytes, charset: str | None) -> str:
    try:
        return charsets.decode(data, charset)
    except InvalidRequest as error:
        raise InvalidRequest(f"the field {field[:80]!r}: {error}") from error


def _storable(name: str) -> str:
    """Return the client's name for the file without what cannot be stored; it is never part of a path or key."""
    return name.replace("\0", "")
