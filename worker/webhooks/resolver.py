"""The resolver of receivers' names: connections go to checked addresses only.

A name may have other addresses a moment later (DNS rebinding), so connections are made to the checked addresses, not to
the name, and each address is checked once more before its socket is made.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, ip_address

from shared.webhooks.addresses import Address
from shared.webhooks.urls import Policy

Resolve = Callable[[str], Sequence[Address]]
AddrInfo = tuple[
    int | socket.AddressFamily,
    int | socket.SocketKind,
    int,
    str,
    tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes],
]
MAX_LOOKUPS = 256


class AddressRefused(OSError):
    """A name with an address that webhooks may not go to. An OSError, as every fault of a connection."""


def system_lookup(name: str) -> list[Address]:
    """Return the addresses of a name, by the operating system; it may block for a minute.

    Raises:
        socket.gaierror: the name has none.
    """
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


class NameLookups:
    """Look-ups of names in threads of their own, at most ``MAX_LOOKUPS`` at a time.

    ``getaddrinfo`` cannot be interrupted, and a name server that does not answer holds it for longer than an attempt
    lasts. So an attempt waits for a pending look-up of the same name instead of starting another: a dead name holds one
    thread, however many deliveries it has. Answers are not cached. The threads are daemons: they do not keep the
    process from ending, as those of the executor of the event loop would.
    """

    def __init__(self, resolve: Resolve = system_lookup) -> None:
        self._resolve = resolve
        self._free = asyncio.Semaphore(MAX_LOOKUPS)
        self._pending: dict[str, asyncio.Future[Sequence[Address]]] = {}

    async def find(self, name: str) -> Sequence[Address]:
        """Return the addresses of a name.

        Raises:
            OSError: the look-up failed, mostly a ``socket.gaierror``.
        """
        if name not in self._pending:
            await self._free.acquire()
            if name in self._pending:  # another attempt started it while this one waited
                self._free.release()
            else:
                self._begin(name)
        # Shielded: other attempts may wait for the same answer.
        return await asyncio.shield(self._pending[name])

    def _begin(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[Address]] = loop.create_future()
        self._pending[name] = answer
        answer.add_done_callback(lambda _: self._ended(name, answer))

        def look_up() -> None:
            try:
                found, error = self._resolve(name), None
            except Exception as raised:  # noqa: BLE001  # it is raised again in the attempts that wait
                found, error = (), raised
            # The loop is closed when the program ended meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, answer, found, error)

        try:
            threading.Thread(target=look_up, name=f"look-up {name}", daemon=True).start()
        except RuntimeError:  # the system gives no more threads
            answer.set_exception(OSError("no thread for the look-up"))

    def _ended(self, name: str, answer: asyncio.Future[Sequence[Address]]) -> None:
        del self._pending[name]
        self._free.release()
        if not answer.cancelled():
            answer.exception()  # marks it as retrieved: every attempt that waited may be gone


class CheckedResolver:
    """A resolver that checks all addresses of a name, and refuses the name if one of them is refused."""

    def __init__(self, lookups: NameLookups, policy: Policy, *, scheme: str) -> None:
        self._lookups = lookups
        self._policy = policy
        self._scheme = scheme

    async def resolve(self, host: str, port: int) -> list[AddrInfo]:
        """Return the checked addresses of a name.

        Raises:
            AddressRefused: one of them is not allowed.
            OSError: the name has none.
        """
        addresses = await self._lookups.find(host)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
        for address in addresses:
            if not self._policy.allows(address, port, scheme=self._scheme):
                raise AddressRefused(f"{host} leads to {address}")
        return [addr_info(address, port) for address in addresses]

    def make_socket(self, info: AddrInfo, *, places: list[tuple[Address, int]]) -> socket.socket:
        """Make the socket for one address, which is checked here even if it did not come from a name.

        Args:
            info: the result of ``addr_info``.
            places: the address and the port are appended here.

        Raises:
            AddressRefused: webhooks may not go to this address.
        """
        family, kind, protocol, _, where = info
        address, port = ip_address(where[0]), int(where[1])
        if not self._policy.allows(address, port, scheme=self._scheme):
            raise AddressRefused(f"no connection to {where[0]!r}")
        places.append((address, port))
        return socket.socket(family, kind, protocol)


def _settle(answer: asyncio.Future[Sequence[Address]], found: Sequence[Address], error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(found)
    else:
        answer.set_exception(error)


def addr_info(address: Address, port: int) -> AddrInfo:
    """Return an address and a port in the form of ``socket.getaddrinfo``."""
    if isinstance(address, IPv4Address):
        return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port)
    return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port, 0, 0)
