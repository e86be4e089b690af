"""Repeats, against a real HTTP server on loopback that misbehaves as told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from phytobatch.errors import ApiError, LimitExceeded, NetworkError, ServerUnavailable
from phytobatch.pools import Pools
from phytobatch.retry import RetryPolicy
from phytobatch.transport import Request, Transport
from tests.patience import PATIENCE_SECONDS

Reply = tuple[int, dict[str, str]]
CUT = (0, {"": ""})
OK: Reply = (200, {})
BUSY: Reply = (503, {"Retry-After": "7"})


class Misbehaving(ThreadingHTTPServer):
    """Answers with the replies in their order; ``CUT`` closes the connection without an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: list[Reply] = []
        self.seen: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Misbehaving

    def handle_any(self) -> None:
        self.server.seen.append(dict(self.headers))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers = self.server.replies.pop(0)
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = handle_any  # noqa: N815  # http.server looks for these names

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    server = Misbehaving()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(PATIENCE_SECONDS)


Send = Callable[[str, dict[str, str]], int]


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def send(server: Misbehaving, pauses: list[float]) -> Iterator[Send]:
    pools = Pools()
    policy = RetryPolicy(total_seconds=100, random=lambda: 0.0)
    transport = Transport(server.url, "pb_key", pools, policy, sleep=pauses.append)
    yield lambda method, headers: transport.send(Request(method, "/x", {}, headers)).status
    pools.close()


@pytest.mark.parametrize("trouble", [CUT, BUSY, (502, {}), (504, {}), (429, {})])
def test_an_idempotent_call_is_repeated(server: Misbehaving, send: Send, pauses: list[float], trouble: Reply) -> None:
    server.replies = [trouble, OK]

    assert send("GET", {}) == 200
    assert len(pauses) == 1


def test_a_create_is_repeated_with_the_same_idempotency_key(server: Misbehaving, send: Send) -> None:
    server.replies = [CUT, BUSY, OK]

    assert send("POST", {"Idempotency-Key": "k"}) == 200
    assert [seen["Idempotency-Key"] for seen in server.seen] == ["k", "k", "k"]


@pytest.mark.parametrize("trouble", [CUT, BUSY])
def test_a_post_that_may_not_be_repeated_is_sent_once(server: Misbehaving, send: Send, trouble: Reply) -> None:
    server.replies = [trouble, OK]

    with pytest.raises((NetworkError, ServerUnavailable)):
        send("POST", {})
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_what_cannot_work_later_is_not_repeated(server: Misbehaving, send: Send, status: int) -> None:
    server.replies = [(status, {}), OK]

    with pytest.raises(ApiError):
        send("GET", {})
    assert len(server.seen) == 1


def test_the_server_says_how_long_to_wait(server: Misbehaving, send: Send, pauses: list[float]) -> None:
    server.replies = [BUSY, OK]

    send("GET", {})

    assert pauses == [7.0]


def test_a_wait_beyond_the_patience_is_given_up_at_once(server: Misbehaving, send: Send, pauses: list[float]) -> None:
    server.replies = [(429, {"Retry-After": "3600"})]

    with pytest.raises(LimitExceeded):
        send("GET", {})
    assert pauses == []


def test_a_redirect_is_not_followed_so_the_key_stays_here(server: Misbehaving, send: Send) -> None:
    server.replies = [(302, {"Location": f"{server.url}/elsewhere"}), OK]

    with pytest.raises(ApiError, match="redirects"):
        send("GET", {})
    assert len(server.seen) == 1


def test_no_server_is_a_network_error_that_says_why_and_never_shows_the_key() -> None:
    transport = Transport("http://127.0.0.1:1", "pb_secret", Pools(), RetryPolicy(total_seconds=0))

    with pytest.raises(NetworkError, match="Connection refused") as caught:
        transport.send(Request("GET", "/x"))
    assert "pb_secret" not in str(caught.value) + repr(transport)
