"""Connections: one pool per way out, with TLS verification, time limits and the proxies of the environment."""

from __future__ import annotations

import ipaddress
import urllib.request
from functools import partial
from urllib.parse import urlsplit

import urllib3

CONNECT_SECONDS = 10.0
READ_SECONDS = 90.0  # POST /predict may wait for up to 60 seconds before it answers.
BLOCK_BYTES = 256 * 1024  # Read from disk and handed to the socket at a time.


class Pools:
    """A pool of direct connections, and one for each proxy that the environment names. Thread-safe like urllib3's."""

    def __init__(self, *, connections: int = 16) -> None:
        self._connections = connections
        self._direct = self._pool(None)
        self._proxied: dict[str, urllib3.PoolManager] = {}

    def of(self, url: str) -> urllib3.PoolManager:
        """Return the pool for an address: by the proxy of the environment, unless ``NO_PROXY`` or loopback says no."""
        proxy = _proxy_of(url)
        if proxy is None:
            return self._direct
        if proxy not in self._proxied:
            self._proxied[proxy] = self._pool(proxy)
        return self._proxied[proxy]

    def close(self) -> None:
        """Close every idle connection."""
        for pool in (self._direct, *self._proxied.values()):
            pool.clear()

    def _pool(self, proxy: str | None) -> urllib3.PoolManager:
        # Repeats are ours: urllib3 knows neither idempotency keys nor a total time. Redirects are never followed,
        # because urllib3 would carry X-API-Key to another host.
        kind = urllib3.PoolManager if proxy is None else partial(urllib3.ProxyManager, proxy)
        return kind(
            maxsize=self._connections,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            retries=False,
            cert_reqs="CERT_REQUIRED",
            blocksize=BLOCK_BYTES,
        )


def is_loopback(url: str) -> bool:
    """Return whether an address is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _proxy_of(url: str) -> str | None:
    parts = urlsplit(url)
    if is_loopback(url) or urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.request.getproxies().get(parts.scheme)
