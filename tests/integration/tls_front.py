"""TLS in front of a real server that speaks none, which remembers what clients said behind it."""

import contextlib
import selectors
import socket
import ssl
import threading
from typing import Self

from tests.patience import PATIENCE_SECONDS

LOOPBACK = "127.0.0.1"
PIECE = 65536
POSTGRES_REQUEST_BYTES = 8  # "SSLRequest", PostgreSQL manual, "Message Formats"


class TlsFront:
    """Listens on a port of 127.0.0.1 and hands on to another.

    Args:
        target: port of the real server.
        certificate: what it shows of itself.
        postgres: a client asks for TLS first, as those of PostgreSQL do.
    """

    def __init__(self, target: int, certificate: ssl.SSLContext, *, postgres: bool = False) -> None:
        self.heard = bytearray()
        self.connections = 0
        self._target = target
        self._certificate = certificate
        self._postgres = postgres
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listening.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            socket.create_connection((LOOPBACK, self.port), PATIENCE_SECONDS).close()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        self._listening.close()

    def _start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            client, _ = self._listening.accept()
            self.connections += 1
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(PATIENCE_SECONDS)
            if self._postgres:
                client.recv(POSTGRES_REQUEST_BYTES)
                client.sendall(b"S")
            with (
                self._certificate.wrap_socket(client, server_side=True) as inside,
                socket.create_connection((LOOPBACK, self._target), PATIENCE_SECONDS) as server,
            ):
                self._hand_on(inside, server)

    def _hand_on(self, client: ssl.SSLSocket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while not self._closing.is_set():
                for key, _ in ready.select(0.05):
                    piece = key.fileobj.recv(PIECE)  # type: ignore[union-attr]
                    # What TLS has decrypted already makes no socket readable.
                    while isinstance(key.fileobj, ssl.SSLSocket) and key.fileobj.pending():
                        piece += key.fileobj.recv(PIECE)
                    if not piece:
                        return
                    if key.fileobj is client:
                        self.heard += piece
                    key.data.sendall(piece)
