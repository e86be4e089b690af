"""What is told of requests that wish for another protocol, and of fields behind a body."""

import pytest

from api.request_parser import RequestParser

# As java.net.http.HttpClient sends its first request to an http:// address.
OF_JAVA = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


class Told:
    """Keeps what it is told: one entry for a request."""

    def __init__(self) -> None:
        self.urls: list[bytes] = []
        self.fields: list[dict[bytes, bytes]] = []
        self.bodies: list[bytes] = []
        self.heads = 0
        self.whole = 0

    def on_message_begin(self) -> None:
        self.urls.append(b"")
        self.fields.append({})
        self.bodies.append(b"")

    def on_url(self, url: bytes) -> None:
        self.urls[-1] += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields[-1][name] = value

    def on_headers_complete(self) -> None:
        self.heads += 1

    def on_body(self, body: bytes) -> None:
        self.bodies[-1] += body

    def on_message_complete(self) -> None:
        self.whole += 1


def told(*pieces: bytes) -> Told:
    """What is told of these bytes."""
    listener = Told()
    parser = RequestParser(listener)
    for piece in pieces:
        parser.feed_data(piece)
    return listener


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_a_wish_for_another_protocol_costs_no_body(size: int, protocol: bytes) -> None:
    wish = OF_JAVA.replace(b"h2c", protocol)
    requests = (
        b"POST /a HTTP/1.1\r\nHost: x\r\n" + wish + b"Content-Length: 5\r\n\r\nfirst"
        b"POST /b HTTP/1.1\r\nHost: x\r\n" + wish + CHUNKED + b"\r\n6\r\nsecond\r\n0\r\n\r\n"
        b"GET /c HTTP/1.1\r\nHost: x\r\n" + wish + b"\r\n"
        b"POST /d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nend"
    )
    seen = told(*(requests[at : at + size] for at in range(0, len(requests), size)))
    assert seen.urls == [b"/a", b"/b", b"/c", b"/d"]
    assert seen.bodies == [b"first", b"second", b"", b"end"]
    assert (seen.heads, seen.whole) == (4, 4)
    assert seen.fields[0][b"Upgrade"] == protocol


def test_fields_behind_a_body_never_become_fields_of_the_head() -> None:
    seen = told(
        b"POST / HTTP/1.1\r\nHost: x\r\n" + CHUNKED + b"\r\n2\r\n{}\r\n0\r\nX-API-Key: a\r\nX-Forwarded-For: b\r\n\r\n"
    )
    assert seen.fields == [{b"Host": b"x", b"Transfer-Encoding": b"chunked"}]
    assert seen.whole == 1


def test_a_parser_that_was_let_go_holds_nothing() -> None:
    parser = RequestParser(Told())
    parser.close()
    assert not hasattr(parser, "_parser")
