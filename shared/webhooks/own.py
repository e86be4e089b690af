"""The servers that our own programs use: no webhook goes to one of them, whatever networks an operator lists."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from shared.settings import Settings
from shared.webhooks.addresses import Address, unmapped

PORTS = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379}
POSTGRESQL = 5432
LOCALHOST = "localhost"


@dataclass(frozen=True, slots=True)
class OwnServers:
    """Hosts and ports as the settings name them.

    A server that the settings name by an address is known by every form of that address, and one on this machine by
    every loopback address. One that they name by a name is known by that name; its addresses are the operator's to
    leave out of the networks that he lists.
    """

    servers: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> "OwnServers":
        """Database, queue, object store, collector of traces, the API, and this program's metrics."""
        urls = (
            settings.database_url.get_secret_value(),
            settings.redis_url.get_secret_value(),
            settings.s3_endpoint_url,
            settings.traces_endpoint,
        )
        named = {server for url in urls if url for server in _server(url)}
        here = {(settings.metrics_host, settings.metrics_port), (settings.api_host, settings.api_port)}
        return cls(frozenset(named | here))

    def named(self, host: str, port: int) -> bool:
        """Whether the settings name this very host and port."""
        return (host, port) in self.servers

    def at(self, address: Address, port: int) -> bool:
        """Whether one of them is at this address."""
        wire = unmapped(address)
        return any(port == known and _same(host, wire) for host, known in self.servers)


def _server(url: str) -> list[tuple[str, int]]:
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:  # what is wrong with it is said by whoever connects to it
        return []
    return [(host, port or PORTS.get(parts.scheme, POSTGRESQL))] if host else []


def _same(host: str, address: Address) -> bool:
    if host == LOCALHOST:
        return address.is_loopback
    try:
        known = unmapped(ip_address(host))
    except ValueError:
        return False
    # What listens at every address listens at loopback.
    return known == address or (address.is_loopback and (known.is_loopback or known.is_unspecified))


NONE = OwnServers()
