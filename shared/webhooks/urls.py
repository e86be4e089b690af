"""Which URLs webhooks may go to: the form is checked when a URL is stored, the addresses at every delivery.

Whatever two parsers could read in two ways is refused: a URL that passes means the same to everybody.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from shared.errors import ConfigurationError, InvalidRequest
from shared.settings import Settings
from shared.webhooks.addresses import Address, Networks, is_global

MAX_URL_LENGTH = 2000
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
PORT_RANGE = re.compile(r"(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?")
MAX_PORT = 65535


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
class Ports:
    """The ports that webhooks may go to."""

    ranges: tuple[range, ...]

    @classmethod
    def parse(cls, text: str) -> "Ports":
        """Ports and ranges separated by commas, as ``443,8000-8999``.

        Raises:
            ConfigurationError: a part is no port or range, or there is none.
        """
        ranges = tuple(_port_range(part.strip()) for part in text.split(",") if part.strip())
        if not ranges:
            raise ConfigurationError("PHYTOBATCH_WEBHOOK_PORTS names no port; write it as 443,8000-8999")
        return cls(ranges)

    def __contains__(self, port: int) -> bool:
        return any(port in ports for ports in self.ranges)


@dataclass(frozen=True, slots=True)
class Policy:
    """Where webhooks may go."""

    ports: Ports
    networks: Networks

    @classmethod
    def of(cls, settings: Settings) -> "Policy":
        """The operator's settings. Make it when the program starts: that is when wrong settings are noticed.

        Raises:
            ConfigurationError: the settings make no sense; the message names the variable.
        """
        return cls(ports=Ports.parse(settings.webhook_ports), networks=Networks.parse(settings.webhook_networks))

    def check(self, url: str) -> Target:
        """Check what can be known without looking up a name: form, scheme, port, and an address written as such.

        Plain ``http`` and names of a local network pass only where the operator lists networks at all; to which
        addresses they lead is checked at the delivery.

        Raises:
            InvalidRequest: ``webhook-url-refused``.
        """
        target = _parse(url)
        if target.port not in self.ports:
            raise _refused(f"port {target.port} is not allowed for webhooks; ask the operator which ports are")
        if target.scheme == "http" and not self.networks:
            raise _refused("webhooks go to https URLs only; use https")
        address = target.address
        if address is not None and not self.allows(address, scheme=target.scheme):
            raise _refused(
                f"webhooks may not go to {target.host} by {target.scheme}; "
                "use https and a public address, or ask the operator to list its network"
            )
        if address is None and _is_local(target.host) and not self.networks:
            raise _refused(f"{target.host} is a name of a local network; use a name that is public")
        return target

    def allows(self, address: Address, *, scheme: str) -> bool:
        """Whether a connection to this address may be made: listed ones always, public ones by ``https``."""
        return self.networks.contains(address) or (scheme == "https" and is_global(address))


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
    """Scheme and authority, by RFC 3986."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that do not match, or with something else than an address between them
        raise _refused("the host of this webhook URL makes no sense; write it as https://host:port/path") from None
    return parts.scheme, parts.netloc


def _host(host: str) -> str:
    """A name, or an address in its one canonical form."""
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


def _port_range(text: str) -> range:
    parts = PORT_RANGE.fullmatch(text)
    first = int(parts["first"]) if parts else 0
    last = int(parts["last"] or first) if parts else 0
    if not 1 <= first <= last <= MAX_PORT:
        raise ConfigurationError(
            f"PHYTOBATCH_WEBHOOK_PORTS: {text!r} is no port and no range of ports; write it as 443,8000-8999"
        )
    return range(first, last + 1)


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest(message, code="webhook-url-refused")
