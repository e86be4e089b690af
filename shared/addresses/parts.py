"""The parts of a server's URL (RFC 3986, section 3), or a sentence about the fault that repeats no secret.

``urllib.parse`` reads everything that it gets: an unescaped ``#`` in a password makes the rest of an address a
fragment, and the library that gets it connects to ``localhost``. Here every ambiguous address is refused.
"""

import re
import ssl
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import parse_qsl, unquote

MAX_PORT = 65535
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,31}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # a blank in a password is one, as SQLAlchemy writes it
QUOTED = re.compile(r"(['\"]).*\1", re.DOTALL)
IN_BRACKETS = re.compile(r"\[(?P<host>[^\[\]]*)\](?P<port>:.*)?")
NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.\-]*[A-Za-z0-9_.])?")
PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
ESCAPES = "in a user name or password write % as %25, # as %23, / as %2F, ? as %3F, @ as %40"


class AddressError(ValueError):
    """The fault of an address: a sentence that follows the name of its variable, without any secret."""


@dataclass(frozen=True, slots=True)
class Host:
    """One server: a name, an IPv4 address, an IPv6 address without brackets, or the path of a folder with a socket."""

    name: str
    port: int | None = None

    @property
    def text(self) -> str:
        """Write it as in a URL."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port is None else f"{name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an address. User, password, hosts, path and query are decoded; empty ones are ``None`` or ``()``."""

    scheme: str
    username: str | None
    password: str | None
    hosts: tuple[Host, ...]
    path: str
    query: tuple[tuple[str, str], ...]


def split(text: str, *, example: str, schemes: Collection[str]) -> Parts:
    """Split an address that begins with one of ``schemes`` into its parts.

    Args:
        text: the address; blanks at its ends are removed, because a file ends with a new line.
        example: a valid address, for the sentence.
        schemes: in lower case.

    Raises:
        AddressError: it is invalid or ambiguous.
    """
    text = text.strip()
    if QUOTED.fullmatch(text):
        raise AddressError("has quotation marks around it; take them away")
    scheme, rest = _scheme(text, example, schemes)
    _check_characters(text)
    if "#" in rest:
        raise AddressError(f"has a # in it, where nobody can tell what is meant; {ESCAPES}")
    before, _, query = rest.partition("?")
    authority, slash, path = before.partition("/")
    if "@" in path or ("@" in query and not _is_hosts(authority.rpartition("@")[2])):
        raise AddressError(f"has an @ behind its first / or ?; {ESCAPES}")
    user, _, hosts = authority.rpartition("@")
    username, _, password = user.partition(":")
    return Parts(
        scheme=scheme,
        username=_decoded(username) or None,
        password=_decoded(password) or None,
        hosts=tuple(_host(host, example) for host in hosts.split(",")) if hosts else (),
        path=_decoded(slash + path),
        query=tuple(_parameter(name, value) for name, value in parse_qsl(query, keep_blank_values=True)),
    )


def check_authorities(name: str, path: str) -> None:
    """Check that a file holds certificates of authorities; ``name`` is the parameter with its path.

    Raises:
        AddressError: it cannot be read, or holds no certificate.
    """
    with _reading(name, path, "a certificate in PEM"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)


def check_certificate(name: str, certificate: str, key: str | None) -> None:
    """Check that two files hold a certificate and its key, or that one file holds both.

    Raises:
        AddressError: they cannot be read, do not belong together, or the key has a password.
    """
    with _reading(name, certificate, "a certificate in PEM and the key that belongs to it, without a password"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=b"")


@contextmanager
def _reading(name: str, path: str, content: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError:
        raise AddressError(f"has {name}={path}, which does not hold {content}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path"
        raise AddressError(f"has {name}={path}, which cannot be read here ({reason})") from None


def unknown(name: str, query: Iterable[tuple[str, str]], taken: Collection[str]) -> AddressError:
    """Make the error for an unknown parameter. It is named unless it may be half of a password."""
    named = "a parameter" if any("@" in value for _, value in query) else f"the parameter {name}"
    return AddressError(f"has {named}, which is not taken here; leave it out. Taken are {', '.join(sorted(taken))}")


def _check_characters(text: str) -> None:
    if not text:
        raise AddressError("is empty")
    if CONTROL.search(text):
        raise AddressError("has a line break, a tab or another control character in it")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise AddressError("is no text in UTF-8") from None


def _scheme(text: str, example: str, schemes: Collection[str]) -> tuple[str, str]:
    scheme, sep, rest = text.partition("://")
    if not sep or not SCHEME.fullmatch(scheme.removeprefix("jdbc:")):
        raise AddressError(f"does not begin with {_one_of(schemes)}; write it as {example}")
    if scheme.lower() not in schemes:
        raise AddressError(f"begins with {scheme}://, and not with {_one_of(schemes)}; write it as {example}")
    return scheme.lower(), rest


def _one_of(schemes: Collection[str]) -> str:
    return " or ".join(f"{scheme}://" for scheme in schemes if "+" not in scheme)


def _is_hosts(authority: str) -> bool:
    try:
        return all(_host(host, "") for host in authority.split(",") if authority)
    except AddressError:
        return False


def _host(text: str, example: str) -> Host:
    """Read one host. Errors never repeat it: it may be half of a password."""
    bracketed = IN_BRACKETS.fullmatch(text)
    if bracketed:
        return Host(_ipv6(bracketed["host"]), port_number((bracketed["port"] or "")[1:]))
    name, _, port = text.partition(":")
    if ":" in port:
        raise AddressError("has a host with several colons; write an IPv6 address in brackets, as [2001:db8::1]")
    name = _decoded(name)
    if not (NAME.fullmatch(name) or name.startswith("/")):
        raise AddressError(f"has no host that could be one; write it as {example}, and {ESCAPES}")
    return Host(name, port_number(port))


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(unquote(text)))
    except AddressValueError:
        raise AddressError("has brackets around something that is no IPv6 address") from None


def port_number(text: str) -> int | None:
    """Read a port; ``None`` for an empty text.

    Raises:
        AddressError: it is not a port.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MAX_PORT):
        raise AddressError(f"has a port that is no number from 1 to {MAX_PORT}; {ESCAPES}")
    return int(text)


def _decoded(text: str) -> str:
    try:
        return _checked(unquote(text, errors="strict"))
    except UnicodeDecodeError:
        raise AddressError(f"has a % that is followed by something else than UTF-8; {ESCAPES}") from None


def _parameter(name: str, value: str) -> tuple[str, str]:
    if not PARAMETER.fullmatch(name):
        raise AddressError(f"has something behind its ? that is no NAME=VALUE; {ESCAPES}")
    return name, _checked(value)


def _checked(text: str) -> str:
    if "\x00" in text:
        raise AddressError("has a %00 in it, which no server takes")
    return text
