"""From a name to addresses that were checked, once for each attempt, and never to one that was not.

A name may lead elsewhere a moment later (DNS rebinding), so what was checked is what is connected to: connections are
made to the addresses, not to the name, and each socket is checked once more before it is made.
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
    """The name has an address that webhooks may not go to. An OSError, as every fault of a connection."""


def system(name: str) -> list[Address]:
    """The addresses of a name, as the operating system finds them; it may block for a minute.

    Raises:
        socket.gaierror: there are none.
    """
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


class Names:
    """Looks names up in threads of its own, at most ``MAX_LOOKUPS`` at a time.

    ``getaddrinfo`` cannot be interrupted, and a name server that does not answer holds it for longer than an attempt
    lasts. So attempts that ask for a name that is being looked up wait for that look-up instead of starting another:
    a dead name holds one thread, however many deliveries it has. Answers are not kept. The threads are daemons: they
    do not keep the process from ending, as those of the executor of the event loop would.
    """

    def __init__(self, resolve: Resolve = system) -> None:
        self._resolve = resolve
        self._free = asyncio.Semaphore(MAX_LOOKUPS)
        self._asked: dict[str, asyncio.Future[Sequence[Address]]] = {}

    async def find(self, name: str) -> Sequence[Address]:
        """The addresses of a name.

        Raises:
            OSError: it has none; of a ``socket.gaierror`` mostly.
        """
        if name not in self._asked:
            await self._free.acquire()
            if name in self._asked:  # another attempt began while this one waited for its turn
                self._free.release()
            else:
                self._begin(name)
        # Shielded: other attempts may wait for the same answer.
        return await asyncio.shield(self._asked[name])

    def _begin(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[Address]] = loop.create_future()
        self._asked[name] = answer
        answer.add_done_callback(lambda _: self._ended(name, answer))

        def look_up() -> None:
            try:
                found, error = self._resolve(name), None
            except Exception as raised:  # noqa: BLE001  # it is raised again where it is waited for
                found, error = (), raised
            # The loop is closed when the program ended meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, answer, found, error)

        try:
            threading.Thread(target=look_up, name=f"look-up {name}", daemon=True).start()
        except RuntimeError:  # the system gives no more threads
            answer.set_exception(OSError("no thread for the look-up"))

    def _ended(self, name: str, answer: asyncio.Future[Sequence[Address]]) -> None:
        del self._asked[name]
        self._free.release()
        if not answer.cancelled():
            answer.exception()  # seen: every attempt that waited may be gone


class CheckedResolver:
    """Gives addresses for connections: all of a name's are checked, and one that is refused refuses all."""

    def __init__(self, names: Names, policy: Policy, *, scheme: str) -> None:
        self._names = names
        self._policy = policy
        self._scheme = scheme

    async def resolve(self, host: str, port: int) -> list[AddrInfo]:
        """The checked addresses of a name.

        Raises:
            AddressRefused: one of them is not allowed.
            OSError: there are none.
        """
        addresses = await self._names.find(host)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
        for address in addresses:
            if not self._policy.allows(address, port, scheme=self._scheme):
                raise AddressRefused(f"{host} leads to {address}")
        return [addr_info(address, port) for address in addresses]

    def make_socket(self, info: AddrInfo, *, places: list[tuple[Address, int]]) -> socket.socket:
        """A socket for one address, which is checked here in any case, also where no name was looked up.

        Args:
            info: as ``addr_info`` makes it.
            places: gets the address and the port.

        Raises:
            AddressRefused: webhooks may not go there.
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
    """An address and a port as ``socket.getaddrinfo`` gives them."""
    if isinstance(address, IPv4Address):
        return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port)
    return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port, 0, 0)
