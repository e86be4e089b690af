"""URLs that webhooks may go to: the form is checked when a URL is stored, the addresses at every delivery.

Whatever two parsers could read in two ways is refused: a URL that passes means the same to everybody.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from shared.contracts.webhook_url import MAX_URL_LENGTH
from shared.errors import InvalidRequest
from shared.settings import Settings
from shared.webhooks.addresses import Address, is_global
from shared.webhooks.networks import Networks
from shared.webhooks.own import NONE, OwnServers
from shared.webhooks.ports import Ports

MAX_HOST_LENGTH = 253
DEFAULT_PORTS = {"https": 443, "http": 80}
# The characters of RFC 3986: no space, no control character, no backslash, nothing outside of ASCII.
ALLOWED = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._]+)(?::(?P<port>[1-9][0-9]{0,4}))?")
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_\-]{0,61}[a-z0-9_])?")
# Names that a resolver may read as a number, as 127.1 and 0x7f.1 (https://url.spec.whatwg.org/#ends-in-a-number-checker).
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Names that mean something inside of a network alone (RFC 6761, 6762, 8375, and the reserved ``internal``).
LOCAL_SUFFIXES = ("localhost", "local", "internal", "home.arpa")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was checked. ``host`` is in lower case and without brackets; ``port`` is always there."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def address(self) -> Address | None:
        """The address, if the host is one and not a name."""
        return _literal(self.host)


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of where webhooks may go."""

    ports: Ports
    networks: Networks
    own: OwnServers = NONE

    @classmethod
    def of(cls, settings: Settings) -> "Policy":
        """Read the operator's settings. Make it when the program starts, which is when wrong settings are noticed.

        Raises:
            ConfigurationError: the settings make no sense; the message names the variable.
        """
        return cls(
            ports=Ports.parse(settings.webhook_ports),
            networks=Networks.parse(settings.webhook_networks),
            own=OwnServers.of(settings),
        )

    def check(self, url: str) -> Target:
        """Check what can be known without looking up a name: form, scheme, port, and an address written as such.

        Plain ``http`` and names of a local network pass only where the operator lists networks at all; to which
        addresses they lead is checked at the delivery.

        Raises:
            InvalidRequest: ``webhook-url-refused``.
        """
        target = _parse(url)
        if target.port not in self.ports and not self.networks.open(target.port):
            raise _refused(f"port {target.port} is not allowed for webhooks; ask the operator which ports are")
        if target.scheme == "http" and not self.networks:
            raise _refused("webhooks go to https URLs only; use https")
        address = target.address
        if address is not None and not self.allows(address, target.port, scheme=target.scheme):
            raise _refused(
                f"webhooks may not go to {target.host} by {target.scheme} on port {target.port}; use https and a "
                "public address, or ask the operator to list its network and port"
            )
        if address is None and (self.own.named(target.host, target.port) or self._local(target.host)):
            raise _refused(f"{target.host} is a name of a local network; use a name that is public")
        return target

    def allows(self, address: Address, port: int, *, scheme: str) -> bool:
        """Tell whether a connection may be made: to what is listed, by ``https`` to public addresses, never to ours."""
        listed = self.networks.allow(address, port, self.ports)
        public = scheme == "https" and port in self.ports and is_global(address)
        return (listed or public) and not self.own.at(address, port)

    def shows(self, address: Address, port: int) -> bool:
        """Tell whether a tenant may read the beginning of the answer.

        Not where a network is listed as a whole: whatever listens there answers, and not to a receiver's owner alone.
        """
        return is_global(address) or self.networks.name(address, port)

    def _local(self, host: str) -> bool:
        return not self.networks and _is_local(host)


def _parse(url: str) -> Target:
    if len(url) > MAX_URL_LENGTH:
        raise _refused(f"a webhook URL has at most {MAX_URL_LENGTH:,} characters; use a shorter one")
    if not ALLOWED.fullmatch(url):
        raise _refused(
            "a webhook URL is written in the ASCII characters of RFC 3986, without spaces and backslashes; "
            "write a name with other letters as xn--… and other characters of the path as %XX"
        )
    if "#" in url:
        raise _refused("a webhook URL has no fragment; leave out the # and what follows")
    scheme, authority = _split(url)
    if scheme not in DEFAULT_PORTS:
        raise _refused("a webhook URL begins with https://")
    if "@" in authority:
        raise _refused("a webhook URL has no user name and no password; deliveries are signed instead")
    parts = AUTHORITY.fullmatch(authority)
    if parts is None:
        raise _refused("the host or the port of this webhook URL makes no sense; write it as https://host:port/path")
    port = int(parts["port"] or DEFAULT_PORTS[scheme])
    return Target(url=url, scheme=scheme, host=_host(parts["host"].lower()), port=port)


def _split(url: str) -> tuple[str, str]:
    """Split off scheme and authority, by RFC 3986."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that do not match, or with something else than an address between them
        raise _refused("the host of this webhook URL makes no sense; write it as https://host:port/path") from None
    return parts.scheme, parts.netloc


def _host(host: str) -> str:
    """Return a name, or an address in its one canonical form."""
    if host.startswith("["):
        try:
            return str(IPv6Address(host[1:-1]))
        except AddressValueError:
            raise _refused(f"{host} is no IPv6 address") from None
    labels = host.split(".")
    if NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except AddressValueError:
            raise _refused(f"{host} is no IPv4 address; write it as four decimal numbers") from None
    if len(host) > MAX_HOST_LENGTH or not all(LABEL.fullmatch(label) for label in labels):
        raise _refused(f"{host} is no host name; write it without a dot at the end")
    return host


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_local(host: str) -> bool:
    return "." not in host or host.endswith(tuple(f".{suffix}" for suffix in LOCAL_SUFFIXES))


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest(message, code="webhook-url-refused")
