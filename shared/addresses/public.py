"""The public side of the API, by its settings: path, hosts, origins of browsers, proxies before it."""

import re
from ipaddress import ip_network
from urllib.parse import urlsplit

from shared.errors import ConfigurationError

EVERY_PROXY = "*"
HOST = re.compile(r"(\*\.)?[A-Za-z0-9_.-]+")
SEGMENTS = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
# These would collide with the addresses of the API itself.
OWN = frozenset({"v1", "predict", "docs", "openapi.json", "healthz", "readyz"})


def prefix_of(public_url: str | None) -> str:
    """Return the path of the public address, without a slash at its end; empty if it has none.

    Raises:
        ConfigurationError: its path is not valid.
    """
    path = urlsplit(public_url or "").path.rstrip("/")
    if not SEGMENTS.fullmatch(path) or {".", ".."} & {*path.split("/")}:
        raise ConfigurationError(
            f"PHYTOBATCH_PUBLIC_URL: the path {path!r} may have letters, digits and . _ ~ - between its slashes"
        )
    if path[1:].partition("/")[0] in OWN:
        raise ConfigurationError(f"PHYTOBATCH_PUBLIC_URL: the path {path!r} is one of the API itself; take another")
    return path


def trusted_hosts(listed: str) -> list[str]:
    """Read ``PHYTOBATCH_TRUSTED_HOSTS``.

    Raises:
        ConfigurationError: a word is not the name of a host.
    """
    return [_host(word) for word in _words(listed)]


def cors_origins(listed: str) -> list[str]:
    """Read ``PHYTOBATCH_CORS_ORIGINS``.

    Raises:
        ConfigurationError: a word is not an origin.
    """
    return [_origin(word) for word in _words(listed)]


def trusted_proxies(listed: str) -> list[str]:
    """Read ``PHYTOBATCH_TRUSTED_PROXIES``.

    Raises:
        ConfigurationError: a word is neither an address nor a network.
    """
    return [_proxy(word) for word in _words(listed)]


def _words(listed: str) -> list[str]:
    return [word.strip() for word in listed.split(",") if word.strip()]


def _host(word: str) -> str:
    if not HOST.fullmatch(word):
        raise ConfigurationError(
            f"PHYTOBATCH_TRUSTED_HOSTS: {word!r} is no name of a host; write it without a port, as "
            "phytobatch.example.org or *.example.org"
        )
    return word.lower()


def _proxy(word: str) -> str:
    """Check a proxy: uvicorn would silently take an invalid address for a name that no client ever has."""
    try:
        return word if word == EVERY_PROXY else str(ip_network(word))
    except ValueError as error:
        raise ConfigurationError(
            f"PHYTOBATCH_TRUSTED_PROXIES: {word!r} is no address and no network ({error}); write each as 10.1.2.3 or "
            "10.1.0.0/16"
        ) from None


def _origin(word: str) -> str:
    parts = urlsplit(word)
    if parts.scheme not in {"http", "https"} or not parts.hostname or word != f"{parts.scheme}://{parts.netloc}":
        raise ConfigurationError(
            f"PHYTOBATCH_CORS_ORIGINS: {word!r} is no origin; write each whole and without a path, as "
            "https://farm.example.org"
        )
    return word
