"""Downloads over real HTTP from a server that breaks off, forgets, and says no."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from phytobatch.downloads.download import Download
from phytobatch.errors import DownloadError, DownloadRefused, NetworkError
from phytobatch.pools import Pools
from phytobatch.retry import RetryPolicy

BODY = bytes(range(256)) * 1000
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(*answers: Answer) -> Iterator[tuple[str, list[str | None]]]:
    """A server that gives these answers in turn, the last one for ever; the ``Range`` of each request."""
    ranges: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ranges.append(self.headers.get("Range"))
            answers[min(len(ranges), len(answers)) - 1](self)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """A test is silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/file?secret", ranges
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def breaking_after(count: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BODY)))
        handler.end_headers()
        handler.wfile.write(BODY[:count])

    return answer


def ranged(handler: BaseHTTPRequestHandler) -> None:
    begin = int((handler.headers.get("Range") or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
    handler.send_response(206 if begin else 200)
    handler.send_header("Content-Length", str(len(BODY) - begin))
    handler.end_headers()
    handler.wfile.write(BODY[begin:])


def saying(status: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def fetch(url: str, part: Path, *, patient: bool = True) -> list[int]:
    moves: list[int] = []
    policy = RetryPolicy(total_seconds=10 if patient else 0, first_seconds=0.01)
    pools = Pools()
    try:
        Download(pools, lambda: url, policy, progress=moves.append).to(part)
    finally:
        pools.close()
    return moves


def test_a_download_that_was_broken_off_goes_on_where_it_ended(tmp_path: Path) -> None:
    with serving(breaking_after(100_000), ranged) as (url, ranges):
        moves = fetch(url, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == BODY
    assert ranges == [None, "bytes=100000-"]
    assert sum(moves) == len(BODY)


def test_what_another_process_has_brought_is_kept(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(BODY[:5])
    with serving(ranged) as (url, ranges):
        fetch(url, tmp_path / "part")
    assert ((tmp_path / "part").read_bytes(), ranges) == (BODY, ["bytes=5-"])


def test_a_file_that_is_there_already_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(BODY)
    with serving(saying(416)) as (url, _):
        fetch(url, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == BODY


def test_a_store_that_knows_no_ranges_begins_again(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"x" * 10)
    with serving(breaking_after(len(BODY))) as (url, _):
        moves = fetch(url, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == BODY
    assert sum(moves) == len(BODY)


def test_an_address_that_is_too_old_is_asked_for_again_once(tmp_path: Path) -> None:
    with serving(saying(403), ranged) as (url, ranges):
        fetch(url, tmp_path / "part")
    assert len(ranges) == 2
    with serving(saying(404)) as (url, ranges), pytest.raises(DownloadRefused):
        fetch(url, tmp_path / "other")
    assert len(ranges) == 2


def test_a_store_that_is_away_is_an_error_without_the_address(tmp_path: Path) -> None:
    with serving(saying(503)) as (url, _), pytest.raises(DownloadError) as caught:
        fetch(url, tmp_path / "part", patient=False)
    assert not isinstance(caught.value, DownloadRefused)
    with serving(breaking_after(10)) as (url, _), pytest.raises(NetworkError) as broken:
        fetch(url, tmp_path / "part", patient=False)
    assert "secret" not in str(broken.value)
