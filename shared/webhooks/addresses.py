"""Which addresses are public. A webhook goes to no other, unless the operator lists the network.

The tables are those of the IANA special-purpose address registries (RFC 6890 and what came later). They stand here
because ``is_global`` of the standard library changes between patch versions of Python; both have to agree.
(https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from shared.errors import ConfigurationError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by the customers of a carrier
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; clouds keep their metadata and credentials here
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, given up
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
    )
)
# Everything else of IPv6 is no global unicast: loopback, link-local, site-local, unique local, multicast, …
GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
SPECIAL_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
NAT64 = IPv6Network("64:ff9b::/96")
LAST_32_BITS = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks that webhooks may go to although they are not public."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Networks":
        """Networks separated by commas, as ``10.1.0.0/16,fd00::/8``; nothing means none.

        Raises:
            ConfigurationError: a part is no network, or has bits set behind its length.
        """
        return cls(tuple(_network(part.strip()) for part in text.split(",") if part.strip()))

    def __bool__(self) -> bool:
        return bool(self.networks)

    def contains(self, address: Address) -> bool:
        """Whether the address is in one of them. An IPv4-mapped address counts as what it is on the wire: IPv4."""
        return _in_any(_unmapped(address), self.networks)


def is_global(address: Address) -> bool:
    """Whether packets to the address leave for the public internet.

    Addresses that carry an IPv4 address (IPv4-mapped, 6to4, NAT64) are judged by that. Teredo is refused as a whole.
    """
    inner = _carried(address)
    if inner is not None:
        return is_global(inner)
    if isinstance(address, IPv4Address):
        special = _in_any(address, SPECIAL_V4)
    else:
        special = address not in GLOBAL_UNICAST_V6 or _in_any(address, SPECIAL_V6)
    return not special and address.is_global


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address inside an IPv6 address."""
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64:
        return IPv4Address(int(address) & LAST_32_BITS)
    return address.ipv4_mapped or address.sixtofour


def _unmapped(address: Address) -> Address:
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _in_any(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigurationError(
            f"PHYTOBATCH_WEBHOOK_NETWORKS: {text!r} is no network ({error}); write it as 10.1.0.0/16 or fd00::/8"
        ) from None
