"""The servers that our own programs use: no webhook goes to one of them, whatever networks an operator lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from shared.addresses.http import parts_of
from shared.addresses.postgres import libpq_parameters
from shared.addresses.redis import PORT as REDIS
from shared.addresses.redis import read_redis
from shared.settings import Settings
from shared.webhooks.addresses import Address, unmapped

PORTS = {"http": 80, "https": 443}
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
        """List database, queue, object store, collector of traces, the API, and this program's metrics."""
        by_http = (url for url in (settings.s3_endpoint_url, settings.traces_endpoint) if url)
        named = {
            *_databases(settings.database_url.get_secret_value()),
            *((host.name, host.port or REDIS) for host in read_redis(settings.redis_url.get_secret_value()).hosts),
            *(
                (host.name, host.port or PORTS[parts.scheme])
                for parts in map(parts_of, by_http)
                for host in parts.hosts
            ),
        }
        here = {(settings.metrics_host, settings.metrics_port), (settings.api_host, settings.api_port)}
        return cls(frozenset(named | here))

    def named(self, host: str, port: int) -> bool:
        """Tell whether the settings name this very host and port."""
        return (host, port) in self.servers

    def at(self, address: Address, port: int) -> bool:
        """Tell whether one of them is at this address."""
        wire = unmapped(address)
        return any(port == known and _same(host, wire) for host, known in self.servers)


def _databases(url: str) -> Iterator[tuple[str, int]]:
    """List each server of PostgreSQL that the address names; no webhook could reach a folder with a socket."""
    known = libpq_parameters(url)
    ports = known.get("port", "").split(",")
    for number, host in enumerate(known.get("host", "").split(",")):
        yield host, int(ports[min(number, len(ports) - 1)] or POSTGRESQL)


def _same(host: str, address: Address) -> bool:
    if host == LOCALHOST:
        return address.is_loopback or address.is_unspecified
    try:
        known = unmapped(ip_address(host))
    except ValueError:
        return False
    # What listens at every address listens at loopback, and a connection to 0.0.0.0 or :: goes there, too.
    if address.is_loopback or address.is_unspecified:
        return known.is_loopback or known.is_unspecified
    return known == address


NONE = OwnServers()
