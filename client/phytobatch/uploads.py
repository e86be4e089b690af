"""One file to one presigned URL: streamed from disk, with exactly the headers that were signed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import IO, BinaryIO, cast
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from phytobatch.errors import FileChanged, FileUnreadable, UploadError, UploadRefused, UploadUrlExpired
from phytobatch.network import network_error
from phytobatch.pools import Pools
from phytobatch.resources import UploadTarget

Progress = Callable[[int], None]
"""Called with the number of bytes that went out; negative when they must be sent again. May raise to stop."""

_S3_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,64})</Code>")
_TRANSIENT_CODES = frozenset({"RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable"})
_TRANSIENT_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class FileBody:
    """A body for urllib3: exactly ``size`` bytes, or an error that is no OSError (urllib3 blames the network)."""

    def __init__(self, stream: BinaryIO, size: int, path: Path, progress: Progress | None) -> None:
        self._stream = stream
        self._left = size
        self._path = path
        self._progress = progress
        self.sent = 0

    def read(self, amount: int = -1) -> bytes:
        """Read the next bytes, at most ``amount``.

        Raises:
            FileChanged: the file became shorter.
            FileUnreadable: the disk says no.
        """
        size = self._left if amount < 0 else min(amount, self._left)
        if size == 0:
            return b""
        block = self._read(size)
        if not block:
            raise FileChanged(f"{self._path} became shorter while it was sent.")
        self._left -= len(block)
        self.sent += len(block)
        if self._progress is not None:
            self._progress(len(block))
        return block

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise FileUnreadable(f"{self._path} cannot be read: {error.strerror or error}") from error


def put_file(pools: Pools, target: UploadTarget, path: Path, *, progress: Progress | None = None) -> None:
    """Send the file once. Bytes that went out for nothing are given back to ``progress`` as a negative number.

    Raises:
        UploadUrlExpired, UploadRefused, UploadError: the object store's answer, by what helps against it.
        NetworkError: no answer arrived.
        FileChanged, FileUnreadable: the local file is the reason.
    """
    with _open(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        body = FileBody(stream, size, path, progress)
        try:
            _put(pools, target, body, size=size)
        except BaseException:
            if progress is not None and body.sent:
                progress(-body.sent)
            raise


def _put(pools: Pools, target: UploadTarget, body: FileBody, *, size: int) -> None:
    # Content-Length is not signed by every server, and without it urllib3 would send chunks, which S3 refuses.
    signed = {name: value for name, value in target.headers.items() if name.lower() != "content-length"}
    headers = {"User-Agent": "phytobatch", **signed, "Content-Length": str(size)}
    try:
        response = pools.of(target.url).request(
            target.method, target.url, body=cast("IO[bytes]", body), headers=headers, redirect=False
        )
    except HTTPError as error:
        raise network_error(_host(target.url), error) from error
    if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        raise upload_error(target.name, response.status, response.data)


def upload_error(name: str, status: int, body: bytes) -> UploadError:
    """Return the error for an answer of the object store that is not 2xx (S3 API reference, "Error responses")."""
    match = _S3_CODE.search(body)
    code = match.group(1).decode() if match else ""
    message = f"The object store did not take {name}: {status} {code}".rstrip()
    if status == HTTPStatus.FORBIDDEN:
        return UploadUrlExpired(message, status=status, code=code)
    transient = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRANSIENT_STATUSES or code in _TRANSIENT_CODES
    return (UploadError if transient else UploadRefused)(message, status=status, code=code)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror or error}") from error


def _host(url: str) -> str:
    # Never the whole address: its query is the permission to write.
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
