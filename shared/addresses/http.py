"""Addresses of HTTP servers: the object store, our own API, a collector of traces."""

from shared.addresses.parts import AddressError, Parts, split

SCHEMES = ("https", "http")


def read_http(text: str, *, example: str) -> str:
    """Read an address by ``http`` or ``https``, without a slash at its end.

    Raises:
        AddressError: it is not an address, or has a user, a query or several hosts in it.
    """
    parts = split(text, example=example, schemes=SCHEMES)
    if len(parts.hosts) != 1 or parts.hosts[0].name.startswith("/"):
        raise AddressError(f"names no host, or several; write it as {example}")
    if parts.username or parts.password:
        raise AddressError("has a user or a password in it, which does not belong there")
    if parts.query or "?" in text:
        raise AddressError("has a ? in it; leave it out and what follows")
    return f"{parts.scheme}://{parts.hosts[0].text}{_path(text)}"


def parts_of(address: str) -> Parts:
    """Split an address that ``read_http`` has read."""
    return split(address, example="", schemes=SCHEMES)


def _path(text: str) -> str:
    """Return the path as it was written, with its escapes."""
    _, slash, path = text.strip().partition("://")[2].partition("/")
    return f"{slash}{path}".rstrip("/")
