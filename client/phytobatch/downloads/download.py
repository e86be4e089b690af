"""One file from a presigned address to the disk; what has arrived is kept, and the rest is asked for."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from phytobatch.errors import ConfigurationError, DownloadError, DownloadRefused, NetworkError
from phytobatch.network import network_error
from phytobatch.pools import Pools
from phytobatch.retry import RetryPolicy

BLOCK_BYTES = 256 * 1024
# Times that the store may refuse before we believe it: the first may be an address that was too old.
REFUSALS = 2
OK = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)

Progress = Callable[[int], None]
"""Called with the number of bytes that arrived; negative when they must be fetched again."""


class Download:
    """Brings one file, through lost connections and old addresses.

    Args:
        pools: connections.
        locate: asks for a fresh address.
        policy: how long nothing may arrive.
        progress: called with every block.
        sleep: may raise, to stop.
    """

    def __init__(
        self,
        pools: Pools,
        locate: Callable[[], str],
        policy: RetryPolicy,
        *,
        progress: Progress | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._pools = pools
        self._locate = locate
        self._policy = policy
        self._progress = progress or (lambda _: None)
        self._sleep = sleep
        self._refusals = 0
        self._arrived = False

    def to(self, part: Path) -> None:
        """Fill ``part``, which may have the beginning of the file already.

        Raises:
            DownloadRefused: there is no such file (any more).
            DownloadError: the store is away for too long.
            NetworkError: the network is.
            ConfigurationError: the file cannot be written.
        """
        try:
            with part.open("ab") as file:
                self._progress(file.tell())
                self._fill(file)
        except OSError as error:
            raise ConfigurationError(f"{part.parent} cannot be written to: {error.strerror or error}.") from error

    def _fill(self, file: BinaryIO) -> None:
        began = time.monotonic()
        attempts = itertools.count()
        while True:
            try:
                self._once(file)
            except (NetworkError, DownloadError) as error:
                if isinstance(error, DownloadRefused) and not self._may_be_old():
                    raise
                if self._arrived:  # The network is back: patience begins anew.
                    began, attempts, self._arrived = time.monotonic(), itertools.count(), False
                pause = self._policy.pause(next(attempts), elapsed=time.monotonic() - began)
                if pause is None:
                    raise
                self._sleep(pause)
            else:
                return

    def _may_be_old(self) -> bool:
        self._refusals += 1
        return self._refusals < REFUSALS

    def _once(self, file: BinaryIO) -> None:
        url, begin = self._locate(), file.tell()
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        try:
            answer = self._pools.of(url).request("GET", url, headers=headers, preload_content=False, redirect=False)
            try:
                self._take(answer, file, begin)
            except BaseException:
                answer.close()
                raise
            answer.release_conn()
        except HTTPError as error:
            raise network_error(_host(url), error) from error

    def _take(self, answer: urllib3.BaseHTTPResponse, file: BinaryIO, begin: int) -> None:
        if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # There is nothing behind what we have.
        if answer.status not in OK:
            raise download_error(answer.status)
        if answer.status == HTTPStatus.OK and begin:
            self._progress(-begin)  # The store knows no ranges: from the beginning.
            file.truncate(0)
        # What has come before the connection broke is kept: `read` and `stream` would drop it.
        while block := answer.read1(BLOCK_BYTES):
            file.write(block)
            self._arrived = True
            self._progress(len(block))


def download_error(status: int) -> DownloadError:
    """Return the typed error for an answer of the object store that is no file."""
    message = f"The object store did not give the file: {status}"
    gone = status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
    return DownloadRefused(f"{message}; it may have been removed.") if gone else DownloadError(f"{message}.")


def _host(url: str) -> str:
    # Never the whole address: its query is the permission to read.
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
