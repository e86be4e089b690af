"""The arguments of every connection to Redis: ours, those of rate limits, and Celery's.

With TLS the certificate and the name of the server are verified before anything is sent, unless the address says
otherwise. kombu by itself accepts any certificate of a ``rediss://`` address and sends it user and password.
"""

import os
import ssl
from collections.abc import Mapping
from typing import Any

import redis
import redis.asyncio
import redis.asyncio.retry
import redis.asyncio.sentinel
import redis.backoff
import redis.retry
import redis.sentinel

from shared.addresses.redis import RedisAddress, Tls, read_redis
from shared.settings import Settings

# redis-py would ask a sentinel that is away four times, with pauses.
AT_ONCE = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
AT_ONCE_ASYNC = redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0)
# Celery prefers them over its settings: they would lead past everything that stands here.
CELERY_VARIABLES = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL")
# Options of a connection to sentinels and servers alike.
TIMES = ("socket_timeout", "socket_connect_timeout", "socket_keepalive")


def redis_address(settings: Settings) -> RedisAddress:
    """Read the address of Redis from the settings."""
    return read_redis(settings.redis_url.get_secret_value())


def connect(settings: Settings, **options: Any) -> redis.Redis:  # noqa: ANN401  # what redis-py's connections take
    """Make a client for threads; it connects at its first use. ``options`` are those of redis-py's connections."""
    return redis.Redis.from_pool(pool(settings, **options))


def pool(settings: Settings, **options: Any) -> redis.ConnectionPool:  # noqa: ANN401  # as above
    """Make the connection pool of such a client, for libraries that make the client by themselves."""
    address = redis_address(settings)
    if address.sentinels is None:
        kind = redis.Connection if address.tls is None else redis.SSLConnection
        return redis.ConnectionPool(connection_class=kind, **_of_server(address, options))
    arguments = _of_sentinels(address, options, AT_ONCE)
    manager = redis.sentinel.Sentinel(_nodes(address), sentinel_kwargs=arguments)  # type: ignore[no-untyped-call]
    return redis.sentinel.SentinelConnectionPool(  # type: ignore[no-untyped-call]
        address.sentinels.master, manager, **_of_server(address, options)
    )


def connect_async(settings: Settings, **options: Any) -> redis.asyncio.Redis:  # noqa: ANN401  # as above
    """Make a client for an event loop, to be closed by ``close_async``."""
    address = redis_address(settings)
    if address.sentinels is None:
        kind = redis.asyncio.Connection if address.tls is None else redis.asyncio.SSLConnection
        plain = redis.asyncio.ConnectionPool(connection_class=kind, **_of_server(address, options))
        return redis.asyncio.Redis.from_pool(plain)
    arguments = _of_sentinels(address, options, AT_ONCE_ASYNC)
    manager = redis.asyncio.sentinel.Sentinel(_nodes(address), sentinel_kwargs=arguments)  # type: ignore[no-untyped-call]
    pool = redis.asyncio.sentinel.SentinelConnectionPool(  # type: ignore[no-untyped-call]
        address.sentinels.master, manager, **_of_server(address, options)
    )
    return redis.asyncio.Redis.from_pool(pool)


async def close_async(client: redis.asyncio.Redis) -> None:
    """Close a client and its connections to sentinels, if there are any."""
    await client.aclose()
    manager = getattr(client.connection_pool, "sentinel_manager", None)
    for sentinel in getattr(manager, "sentinels", ()):
        await sentinel.aclose()


def celery_broker(settings: Settings, **options: Any) -> dict[str, Any]:  # noqa: ANN401  # as above
    """Return address, TLS and transport options under Celery's names; the query of the address is empty."""
    for name in CELERY_VARIABLES:
        os.environ.pop(name, None)
    address = redis_address(settings)
    scheme = "sentinel" if address.sentinels else "redis" if address.tls is None else "rediss"
    if address.sentinels is not None:
        arguments = _of_sentinels(address, options, AT_ONCE)
        options = {**options, "master_name": address.sentinels.master, "sentinel_kwargs": arguments}
    return {
        "broker_url": ";".join(f"{scheme}://{address.login}{host.text}/{address.database}" for host in address.hosts),
        "broker_use_ssl": tls_arguments(address.tls) or None,
        "broker_transport_options": options,
    }


def tls_arguments(tls: Tls | None) -> dict[str, Any]:
    """Return the options of TLS under the names of redis-py and kombu; empty without TLS."""
    if tls is None:
        return {}
    return {
        "ssl_cert_reqs": ssl.CERT_REQUIRED if tls.verify else ssl.CERT_NONE,
        "ssl_check_hostname": tls.check_name,
        "ssl_ca_certs": tls.authorities,
        "ssl_certfile": tls.certificate,
        "ssl_keyfile": tls.key,
    }


def _of_server(address: RedisAddress, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of connections to the server itself; sentinels give its address."""
    login = {"username": address.username, "password": address.password, "db": address.database}
    if address.sentinels is not None:
        return {**login, **options, "ssl": address.tls is not None, **tls_arguments(address.tls)}
    host = address.hosts[0]
    return {"host": host.name, "port": host.port, **login, **options, **tls_arguments(address.tls)}


def _nodes(address: RedisAddress) -> list[tuple[str, int | None]]:
    return [(host.name, host.port) for host in address.hosts]


def _of_sentinels(address: RedisAddress, options: Mapping[str, Any], retry: object) -> dict[str, Any]:
    """Return the options of connections to sentinels: own password, the same TLS. One that is away is skipped."""
    sentinels = address.sentinels
    login = {} if sentinels is None else {"username": sentinels.username, "password": sentinels.password}
    times = {name: options[name] for name in TIMES if name in options}
    return {**login, **times, "retry": retry, "ssl": address.tls is not None, **tls_arguments(address.tls)}
