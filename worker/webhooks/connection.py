"""A connection for one attempt, to an address that was checked, and the request on it."""

import asyncio
import ssl
from functools import partial
from urllib.parse import urlsplit

from aiohappyeyeballs import start_connection

from shared.webhooks.addresses import Address
from shared.webhooks.urls import DEFAULT_PORTS, Target
from worker.webhooks.resolver import CheckedResolver, addr_info

# RFC 8305, "Happy Eyeballs": how long one address is waited for before the next is tried beside it.
NEXT_ADDRESS_SECONDS = 0.25
# A receiver that does not say goodbye is left.
GOODBYE_SECONDS = 1.0

Place = tuple[Address, int]


async def connect(
    resolver: CheckedResolver, target: Target, trusted: ssl.SSLContext, places: list[Place]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, and shake hands where the scheme is ``https``.

    Args:
        resolver: finds and checks the addresses.
        target: a URL that was checked; its name is that of SNI and of the certificate.
        trusted: the authorities that may have signed the certificate.
        places: gets each address and port to which a connection was begun.

    Raises:
        AddressRefused: the name leads to an address that webhooks may not go to.
        socket.gaierror: it leads nowhere.
        ssl.SSLError: there is no TLS with that server, or its certificate is not good.
        OSError: no address answers.
    """
    address = target.address
    if address is None:
        infos = await resolver.resolve(target.host, target.port)
    else:
        infos = [addr_info(address, target.port)]
    made = await start_connection(
        infos,
        happy_eyeballs_delay=NEXT_ADDRESS_SECONDS,
        interleave=1,
        socket_factory=partial(resolver.make_socket, places=places),
    )
    try:
        if target.scheme == "http":
            return await asyncio.open_connection(sock=made)
        return await asyncio.open_connection(
            sock=made, ssl=trusted, server_hostname=target.host, ssl_shutdown_timeout=GOODBYE_SECONDS
        )
    except BaseException:
        made.close()
        raise


def request(target: Target, headers: dict[str, str], body: bytes) -> bytes:
    """A POST as it stands on the wire (RFC 9112). Every value is ours or was checked: none has a line end."""
    parts = urlsplit(target.url)
    place = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fields = {"Host": _host(target), **headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"POST {place} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii") + b"\r\n" + body


def _host(target: Target) -> str:
    """RFC 9110, 7.2: without the port that everybody knows."""
    name = f"[{target.host}]" if ":" in target.host else target.host
    return name if target.port == DEFAULT_PORTS[target.scheme] else f"{name}:{target.port}"
