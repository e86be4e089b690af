"""What somebody without a key gets at a port, in every way in which our servers speak. Standard library alone.

``python unkeyed.py HOST PORT[-LAST] ...`` prints it as JSON: so it is asked from inside of containers, too.
"""

import http.client
import json
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

SECONDS = 3.0
# Reading, listing, writing and removing, as SeaweedFS' master, filer and volume servers and S3 understand it; consoles
# and measurements of whoever has some.
REQUESTS = (
    *(
        ("GET", path)
        for path in ("/", "/?limit=1", "/metrics", "/dir/status", "/dir/assign", "/status", "/ui/index.html")
    ),
    *(("GET", path) for path in ("/buckets/", "/cluster/status", "/debug/pprof/", "/api/v1/status/config", "/login")),
    ("POST", "/col/delete?collection=nothing-of-this-name"),
    ("POST", "/buckets/probes/unkeyed?cp.from=/buckets/probes/none"),
    ("PUT", "/buckets/probes/unkeyed"),
    ("DELETE", "/buckets/probes/unkeyed"),
    ("PUT", "/1,01637037d6"),
    ("DELETE", "/1,01637037d6"),
)
REFUSED = {400, 401, 403, 405, 501}
# RFC 9113, section 3.4, and an empty SETTINGS frame: gRPC without TLS answers with a frame of the same type.
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
POSTGRESQL = b"user\0phytobatch\0database\0phytobatch\0\0"


def shown(host: str, port: int) -> list[str]:
    """What is to be had there without a key; nothing where nobody listens or everything is refused."""
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError:
        return []
    with ThreadPoolExecutor(len(WAYS)) as pool:
        return [said for found in pool.map(lambda way: list(way(host, port)), WAYS) for said in found]


def listens(host: str, port: int) -> bool:
    """Return True if a connection is taken at all."""
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError:
        return False
    return True


def _http(host: str, port: int) -> Iterator[str]:
    yield from _requests("http", lambda: http.client.HTTPConnection(host, port, timeout=SECONDS))


def _https(host: str, port: int) -> Iterator[str]:
    """By TLS without a certificate of our own, and whatever certificate the server has."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    yield from _requests("https", lambda: http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context))


def _requests(scheme: str, connect: Callable[[], http.client.HTTPConnection]) -> Iterator[str]:
    for method, path in REQUESTS:
        connection = connect()
        try:
            connection.request(method, path, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            body = answer.read(200)
        except (OSError, http.client.HTTPException):
            if method == "GET" and path == "/":
                return  # it speaks something else
            continue
        finally:
            connection.close()
        # An empty answer says that it lives, and no more.
        if answer.status not in REFUSED and (body or method != "GET"):
            yield f"{scheme} {method} {path}: {answer.status} {body[:60]!r}"


def _http2(host: str, port: int) -> Iterator[str]:
    answer = _said(host, port, HTTP2)
    if len(answer) > 3 and answer[3] == 4 and answer[:1] == b"\0":  # the type of the frame
        yield "gRPC without TLS"


def _redis(host: str, port: int) -> Iterator[str]:
    answer = _said(host, port, b"*1\r\n$4\r\nPING\r\n")
    if answer.startswith(b"+PONG"):
        yield "redis PING"


def _postgresql(host: str, port: int) -> Iterator[str]:
    """Authentication that is over before it began is ``R`` with the code 0 (PostgreSQL, Message Formats)."""
    body = (3 << 16).to_bytes(4) + POSTGRESQL
    answer = _said(host, port, (len(body) + 4).to_bytes(4) + body)
    if answer[:1] == b"R" and answer[5:9] == bytes(4):
        yield "postgresql without a password"


def _said(host: str, port: int, words: bytes) -> bytes:
    try:
        with socket.create_connection((host, port), timeout=SECONDS) as connection:
            connection.sendall(words)
            return connection.recv(64)
    except OSError:
        return b""


WAYS = (_http, _https, _http2, _redis, _postgresql)


def main(host: str, *ranges: str) -> None:
    """Print what each port shows, and which listen."""
    ends = [[int(end) for end in text.split("-")] for text in ranges]
    ports = [port for first, *last in ends for port in range(first, (last or [first])[0] + 1)]
    with ThreadPoolExecutor(32) as pool:
        listening = [
            port for port, heard in zip(ports, pool.map(lambda p: listens(host, p), ports), strict=True) if heard
        ]
        answers = dict(zip(listening, pool.map(lambda p: shown(host, p), listening), strict=True))
    json.dump(
        {"listening": listening, "shown": {str(port): said for port, said in answers.items() if said}}, sys.stdout
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
