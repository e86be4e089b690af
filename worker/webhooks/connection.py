"""The connection of one attempt, to a checked address, and the bytes of its request."""

import asyncio
import ssl
from functools import partial
from urllib.parse import urlsplit

from aiohappyeyeballs import start_connection

from shared.webhooks.addresses import Address
from shared.webhooks.urls import DEFAULT_PORTS, Target
from worker.webhooks.resolver import CheckedResolver, addr_info

# RFC 8305, "Happy Eyeballs": the delay before the next address is tried in parallel.
NEXT_ADDRESS_SECONDS = 0.25
# How long the TLS shutdown of a receiver is awaited.
GOODBYE_SECONDS = 1.0

Place = tuple[Address, int]


async def connect(
    resolver: CheckedResolver, target: Target, trusted: ssl.SSLContext, places: list[Place]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, with a TLS handshake if the scheme is ``https``.

    Args:
        resolver: finds and checks the addresses.
        target: a checked URL; its host is the name for SNI and the certificate.
        trusted: the authorities that may have signed the certificate.
        places: each address and port to which a connection was begun is appended here.

    Raises:
        AddressRefused: the name has an address that webhooks may not go to.
        socket.gaierror: the name has no address.
        ssl.SSLError: the TLS handshake failed, or the certificate is not valid.
        OSError: no address answers.
    """
    address = target.address
    if address is None:
        infos = await resolver.resolve(target.host, target.port)
    else:
        infos = [addr_info(address, target.port)]
    connected = await start_connection(
        infos,
        happy_eyeballs_delay=NEXT_ADDRESS_SECONDS,
        interleave=1,
        socket_factory=partial(resolver.make_socket, places=places),
    )
    try:
        if target.scheme == "http":
            return await asyncio.open_connection(sock=connected)
        return await asyncio.open_connection(
            sock=connected, ssl=trusted, server_hostname=target.host, ssl_shutdown_timeout=GOODBYE_SECONDS
        )
    except BaseException:
        connected.close()
        raise


def request(target: Target, headers: dict[str, str], body: bytes) -> bytes:
    """Return the bytes of a POST (RFC 9112). Every value is ours or was checked, so none has a line end."""
    parts = urlsplit(target.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fields = {"Host": _host(target), **headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii") + b"\r\n" + body


def _host(target: Target) -> str:
    """Return the Host field (RFC 9110, 7.2), without the default port of the scheme."""
    name = f"[{target.host}]" if ":" in target.host else target.host
    return name if target.port == DEFAULT_PORTS[target.scheme] else f"{name}:{target.port}"
