"""The addresses on which programs listen. `::` is every address of this machine, those of IPv4 too."""

import socket

EVERY_ADDRESS = "::"
EVERY_IPV4_ADDRESS = "0.0.0.0"  # noqa: S104  # the operator's word for it; nothing listens there by default


def reachable_host(host: str) -> str:
    """Return the host itself; for `::` on a machine whose kernel has no IPv6, every IPv4 address."""
    return EVERY_IPV4_ADDRESS if host == EVERY_ADDRESS and not socket.has_dualstack_ipv6() else host


def own_address(host: str) -> str:
    """Return the first address of a host that belongs to this machine; the host itself if none does.

    In Docker, a name that several replicas share leads to all of them, and each can listen at its own address alone.

    Raises:
        OSError: the host has no address.
    """
    host = reachable_host(host)
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        with socket.socket(family, kind, protocol) as tried:
            try:
                tried.bind(address)
            except OSError:
                continue
            return str(address[0])
    return host


def bound_sockets(host: str, port: int) -> list[socket.socket]:
    """Bind a TCP socket for each address of a host, all on one port; none listens yet.

    `::` makes two, one for each family: over a single one a client of IPv4 would seem to come from `::ffff:192.0.2.1`,
    which is in no network of an operator's list.

    Args:
        host: an address or a name, which may have several addresses.
        port: 0 takes a free one.

    Raises:
        OSError: the host has no address, or one that is not of this machine, or the port is taken.
    """
    host = reachable_host(host)
    hosts = (EVERY_IPV4_ADDRESS, EVERY_ADDRESS) if host == EVERY_ADDRESS else (host,)
    bound: list[socket.socket] = []
    try:
        for name in hosts:
            for family, kind, protocol, _, address in socket.getaddrinfo(
                name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                bound.append(socket.socket(family, kind, protocol))
                bound[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    bound[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                bound[-1].bind((address[0], port, *address[2:]))
                port = bound[-1].getsockname()[1]
    except OSError:
        for one_socket in bound:
            one_socket.close()
        raise
    return bound
