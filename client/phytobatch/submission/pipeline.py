"""Three stages at the same time: checksums, registration, uploads, joined by bounded channels.

Addresses for uploads are asked for when they are nearly needed: at most a page waits before the uploads, and one with
each registrar, so that they are fresh however long the whole submission takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from phytobatch.errors import Interrupted
from phytobatch.sdk import MAX_IMAGES_PER_CALL
from phytobatch.submission.channel import Channel
from phytobatch.submission.ledger import LocalFile
from phytobatch.submission.register import Registrar, Ticket, pages
from phytobatch.submission.transfer import Transfer

REGISTRARS = 2
GOODBYE_SECONDS = 3.0


class Pipeline:
    """The three stages; runs once."""

    def __init__(self, registrar: Registrar, transfer: Transfer, *, parallel: int, stop: threading.Event) -> None:
        self._registrar = registrar
        self._transfer = transfer
        self._parallel = parallel
        self._stop = stop
        self._pages: Channel[list[LocalFile]] = Channel(REGISTRARS)
        self._tickets: Channel[Ticket] = Channel(MAX_IMAGES_PER_CALL, writers=REGISTRARS)
        self._errors: list[BaseException] = []

    def run(self, files: Iterable[LocalFile]) -> None:
        """Register and send every file; returns when all are sent or left out.

        Raises:
            PhytobatchError: the first error that stopped everything.
            KeyboardInterrupt: passed on, after the stop of the threads was requested.
        """
        threads = [
            self._thread("prepare", lambda: self._prepare(files)),
            *(self._thread(f"register-{number}", self._register) for number in range(REGISTRARS)),
            *(self._thread(f"upload-{number}", self._upload) for number in range(self._parallel)),
        ]
        for thread in threads:
            thread.start()
        try:
            # Joined in short steps: only the main thread gets Ctrl-C, and not while it waits for a lock on Windows.
            while any(thread.is_alive() for thread in threads):
                for thread in threads:
                    thread.join(0.1)
        except BaseException:
            self._abort()
            _join(threads, GOODBYE_SECONDS)
            raise
        if self._errors:
            raise self._errors[0]

    def _prepare(self, files: Iterable[LocalFile]) -> None:
        for page in pages(files):
            self._pages.put(page)
        self._pages.close()

    def _register(self) -> None:
        for page in self._pages:
            for ticket in self._registrar.register(page):
                self._tickets.put(ticket)
        self._tickets.close()

    def _upload(self) -> None:
        for ticket in self._tickets:
            self._transfer.send(ticket)

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        # Daemons: an upload that hangs in the network must not keep a stopped program alive.
        return threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Interrupted:
            self._abort()
        except BaseException as error:  # noqa: BLE001  # it is raised again in the thread that called run()
            self._errors.append(error)
            self._abort()

    def _abort(self) -> None:
        self._stop.set()
        self._pages.abort()
        self._tickets.abort()


def _join(threads: Iterable[threading.Thread], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
