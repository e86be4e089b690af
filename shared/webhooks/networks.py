"""The operator's own networks, where webhooks may go although the addresses are not public."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from shared.errors import ConfigurationError
from shared.webhooks.addresses import Address, Network, unmapped
from shared.webhooks.ports import Ports, port_range

VARIABLE = "PHYTOBATCH_WEBHOOK_NETWORKS"
# As a host and a port are written in a URL (RFC 3986, section 3.2.2): an IPv6 network needs brackets before a port.
WITH_PORTS = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<v4>[0-9./]+)):(?P<ports>[^:\]]*)")


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry. ``ports`` are its own; ``None``: those of every webhook (``PHYTOBATCH_WEBHOOK_PORTS``)."""

    network: Network
    ports: range | None = None


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks that webhooks may go to although they are not public."""

    entries: tuple[Listed, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Networks":
        """Read networks separated by commas, with or without ports of their own; nothing means none.

        ``10.1.0.0/16,fd00::/8`` are open at the ports of every webhook, ``10.1.2.3:8080`` and ``[fd00::/8]:8000-8099``
        at those ports and at no others.

        Raises:
            ConfigurationError: a part is no network, has bits set behind its length, or its ports make no sense.
        """
        return cls(tuple(_listed(part.strip()) for part in text.split(",") if part.strip()))

    def __bool__(self) -> bool:
        return bool(self.entries)

    def allow(self, address: Address, port: int, ports: Ports) -> bool:
        """Tell whether a webhook may go there. ``ports``: those of every webhook.

        An IPv4-mapped address counts as what it is on the wire: IPv4.
        """
        return any(port in (ports if entry.ports is None else entry.ports) for entry in self._with(address))

    def name(self, address: Address, port: int) -> bool:
        """Tell whether an entry names this port: then somebody said that a receiver is there, and nothing else."""
        return any(entry.ports is not None and port in entry.ports for entry in self._with(address))

    def open(self, port: int) -> bool:
        """Tell whether some entry names this port as its own."""
        return any(entry.ports is not None and port in entry.ports for entry in self.entries)

    def _with(self, address: Address) -> Iterator[Listed]:
        wire = unmapped(address)
        return (entry for entry in self.entries if wire in entry.network)


def _listed(text: str) -> Listed:
    parts = WITH_PORTS.fullmatch(text)
    if parts is None:
        return Listed(_network(text, text))
    return Listed(_network(parts["v6"] or parts["v4"] or "", text), port_range(parts["ports"], VARIABLE))


def _network(network: str, text: str) -> Network:
    try:
        return ip_network(network)
    except ValueError as error:
        raise ConfigurationError(
            f"{VARIABLE}: {text!r} is no network ({error}); write it as 10.1.0.0/16 or fd00::/8, "
            "with ports of its own as 10.1.2.3:8080 or [fd00::/8]:8000-8099"
        ) from None
