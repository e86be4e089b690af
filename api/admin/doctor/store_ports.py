"""Ports of the object store beside S3: one that asks for no key gives away what the keys of S3 protect.

SeaweedFS' master, filer, volume and admin servers listen on ports of their own, by HTTP and, 10,000 above, by gRPC.
"""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

import urllib3

from api.admin.doctor.finding import Check, Finding, fail, ok
from api.admin.doctor.subject import Subject
from shared.webhooks.addresses import is_global

GRPC_OFFSET = 10_000
# Where SeaweedFS puts its parts by itself, and, as `weed mini` of the local stack does, in a row behind S3.
USUAL = (9333, 8080, 9340, 8888, 23646, 7333, 8111, 8181, 9101, 9327, 17777, 16777)
ROW = range(1, 5)
# What tells a part of SeaweedFS in the JSON, or the measurements, that it shows to everybody.
SHOWN = {
    "/dir/status": ('"Topology"', "the master: where every object lies, and whole buckets can be removed"),
    "/status": ('"DiskStatuses"', "the volume server: every object can be read, written and removed"),
    "/?limit=1": ('"ShouldDisplayLoadMore"', "the filer: every object can be read, written and removed"),
    "/metrics": ("\nSeaweedFS_", "measurements of the store"),
}
# The beginning of every HTTP/2 connection (RFC 9113, section 3.4), and an empty SETTINGS frame. A server that speaks
# it without TLS answers with a frame of the same type.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
SETTINGS_FRAME = 4
SECONDS = 2.0


def open_ports(subject: Subject) -> Iterator[Finding]:
    """Ask each of them, without a key. A store on the public internet is not ours to probe."""
    host, port = _store(subject)
    if host is None:
        yield ok("store ports", "the store is a service of others: not looked at")
        return
    ports = sorted({*USUAL, *(port + step for step in ROW)})
    both = [*ports, *(number + GRPC_OFFSET for number in (port, *ports) if number + GRPC_OFFSET < 2**16)]
    with ThreadPoolExecutor(len(both)) as pool:
        shown = dict(zip(both, pool.map(lambda number: _shown(host, number), both), strict=True))
    answering = {number: meaning for number, meaning in shown.items() if meaning}
    for number, meaning in answering.items():
        yield fail(
            "store ports",
            f"{host}:{number} answers without a key: {meaning}",
            "close it to everybody but the store itself: bind it to loopback, or give it certificates "
            "(`weed scaffold -config=security`; deploy/mutual_tls.py makes them)",
        )
    if not answering:
        yield ok("store ports", f"of {len(both)} ports of {host} beside S3, none answers without a key")


def _store(subject: Subject) -> tuple[str | None, int]:
    """Return host and port of a store in a network of our own; no host for one on the internet."""
    parts = urlsplit(subject.settings.s3_endpoint_url or "")
    if not parts.hostname:
        return None, 0
    entries = socket.getaddrinfo(parts.hostname, None, type=socket.SOCK_STREAM)
    public = any(is_global(ip_address(entry[4][0])) for entry in entries)
    return (None if public else parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)


def _shown(host: str, port: int) -> str | None:
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError:
        return None  # nobody listens, which is best
    return _by_http(host, port) or _by_grpc(host, port)


def _by_http(host: str, port: int) -> str | None:
    with urllib3.PoolManager(retries=False, timeout=SECONDS, headers={"Accept": "application/json"}) as http:
        for path, (word, meaning) in SHOWN.items():
            try:
                answer = http.request("GET", f"http://{host}:{port}{path}")
            except urllib3.exceptions.HTTPError:
                return None  # it speaks something else
            if answer.status == HTTPStatus.OK and word.encode() in answer.data:
                return meaning
    return None


def _by_grpc(host: str, port: int) -> str | None:
    try:
        with socket.create_connection((host, port), timeout=SECONDS) as connection:
            connection.sendall(PREFACE)
            answer = connection.recv(9)
    except OSError:
        return None
    frame = len(answer) == 9 and answer[3] == SETTINGS_FRAME  # noqa: PLR2004  # a header has nine bytes
    return "gRPC without TLS: what the other ports can do, it can" if frame else None


CHECKS: tuple[Check, ...] = (open_ports,)
