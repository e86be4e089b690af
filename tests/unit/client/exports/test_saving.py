"""A direct export that the network breaks off begins again; it cannot be resumed, because the server writes it anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from phytobatch import NetworkError, Phytobatch
from phytobatch.retry import RetryPolicy

ROWS = b"seq,name\r\n" * 20_000
QUICK = RetryPolicy(total_seconds=5, first_seconds=0.01, longest_seconds=0.01)


class Breaking(ThreadingHTTPServer):
    daemon_threads = True
    breaks = 1
    requests = 0


class Handler(BaseHTTPRequestHandler):
    server: Breaking
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests += 1
        is_broken = self.server.requests <= self.server.breaks
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("X-Phytobatch-Pending", "3")
        self.end_headers()
        sent = ROWS[: len(ROWS) // 2] if is_broken else ROWS
        self.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent))
        if not is_broken:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[Breaking]:
    server = Breaking(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_that_is_broken_off_begins_again_and_is_whole(server: Breaking, tmp_path: Path) -> None:
    part, arrived = tmp_path / "part", [0]
    with Phytobatch(f"http://127.0.0.1:{server.server_port}", "pb_key", retry=QUICK) as api:
        pending = api.exports.save("job", "csv", part, progress=arrived.append)
    assert (server.requests, pending) == (2, 3)
    assert part.read_bytes() == ROWS
    assert sum(arrived) == len(ROWS)


def test_a_network_that_stays_away_is_an_error(server: Breaking, tmp_path: Path) -> None:
    server.breaks = 10**6
    with (
        Phytobatch(f"http://127.0.0.1:{server.server_port}", "pb_key", retry=RetryPolicy(total_seconds=0)) as api,
        pytest.raises(NetworkError),
    ):
        api.exports.save("job", "csv", tmp_path / "part")
    assert server.requests == 1
