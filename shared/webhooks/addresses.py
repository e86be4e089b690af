"""Public addresses. A webhook goes to no other, unless the operator lists the network.

Two kinds are not: the blocks of the IANA special-purpose address registries (RFC 6890 and what came later), and
addresses that look public but are served by a cloud itself, to the machines inside of it and to nobody else. The tables
stand here because ``is_global`` of the standard library changes between patch versions of Python; both have to agree.
(https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry)
"""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Network and reason.
SPECIAL: Mapping[Network, str] = {
    ip_network(network): reason
    for network, reason in {
        "0.0.0.0/8": "this network",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "shared by the customers of a carrier; metadata of Alibaba (100.100.100.200) and Volcengine",
        "127.0.0.0/8": "loopback",
        "169.254.0.0/16": "link-local: metadata and credentials of AWS, Azure, Google, Oracle, IBM, Tencent and others",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "protocol assignments; metadata of Oracle Cloud Classic (192.0.0.192)",
        "192.0.2.0/24": "documentation",
        "192.31.196.0/24": "AS112: anycast, answered by whoever is nearest",
        "192.52.193.0/24": "relays of multicast (AMT): anycast",
        "192.88.99.0/24": "relays of 6to4, given up",
        "192.168.0.0/16": "private",
        "192.175.48.0/24": "AS112: anycast",
        "198.18.0.0/15": "benchmarks",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved, and the broadcast address",
        "2001::/23": "protocol assignments, Teredo among them",
        "2001:db8::/32": "documentation",
        "2620:4f:8000::/48": "AS112: anycast",
        "3fff::/20": "documentation",
    }.items()
}
# Global unicast by their number, and yet another service in each cloud: never on the internet. Their IPv6 counterparts
# (fd00:ec2::254 of AWS, fd20:ce::254 of Google, fd00:c1::a9fe:a9fe of Oracle) are unique local, and refused as such.
CLOUD: Mapping[Network, str] = {
    ip_network(network): reason
    for network, reason in {
        "168.63.129.16/32": "Azure: the wire server, with the settings and certificates of the machine; DNS, DHCP",
        "161.26.0.0/16": "IBM Cloud: services for machines inside (DNS, mirrors, endpoints)",
        "166.8.0.0/14": "IBM Cloud: service endpoints for machines inside",
        "183.60.82.98/32": "Tencent Cloud: name server for machines inside",
        "183.60.83.19/32": "Tencent Cloud: name server for machines inside",
        "192.80.8.124/32": "Equinix Metal: metadata",
        "199.36.153.4/30": "Google Cloud: restricted.googleapis.com, inside of a VPC",
        "199.36.153.8/30": "Google Cloud: private.googleapis.com, inside of a VPC",
        "2600:2d00:2:1000::/64": "Google Cloud: restricted.googleapis.com, inside of a VPC",
        "2600:2d00:2:2000::/64": "Google Cloud: private.googleapis.com, inside of a VPC",
    }.items()
}
NOT_PUBLIC: Mapping[Network, str] = {**SPECIAL, **CLOUD}
# Everything else of IPv6 is no global unicast: loopback, link-local, site-local, unique local, multicast, …
GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")
LAST_32_BITS = 0xFFFF_FFFF


def is_global(address: Address) -> bool:
    """Tell whether packets to the address leave for the public internet.

    Addresses that carry an IPv4 address (IPv4-mapped, 6to4, NAT64) are judged by that. Teredo is refused as a whole.
    """
    inner = _carried(address)
    if inner is not None:
        return is_global(inner)
    unicast = isinstance(address, IPv4Address) or address in GLOBAL_UNICAST_V6
    return unicast and not _in_any(address, NOT_PUBLIC) and address.is_global


def _carried(address: Address) -> IPv4Address | None:
    """Extract the IPv4 address inside an IPv6 address."""
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64:
        return IPv4Address(int(address) & LAST_32_BITS)
    return address.ipv4_mapped or address.sixtofour


def unmapped(address: Address) -> Address:
    """Give the address as it is on the wire: IPv4, where it is an IPv4-mapped one (RFC 4291, section 2.5.5.2)."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _in_any(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
