"""Encryption: what the address of each server promises, and whether the connection keeps it."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from api.admin.doctor.finding import Check, Finding, ok, warn
from api.admin.doctor.subject import Subject
from shared.addresses.postgres import libpq_parameters
from shared.addresses.redis import RedisAddress
from shared.redis_connection import redis_address

# Names inside of one cluster or on this machine; a name without a dot is one of a container network.
NEAR = ("localhost", ".localhost", ".svc", ".cluster.local")
LOOPBACK = ("127.", "::1", "/")
NO_TLS = "without TLS: who is between may read everything, and the password"
VERIFIED = "TLS; certificate and name are verified"
INSIDE = "no TLS; the server is on this machine, or in its own network"


def is_near(host: str) -> bool:
    """Return whether traffic to a host stays on this machine, or in a network of containers."""
    return host.startswith(LOOPBACK) or host.endswith(NEAR) or not ("." in host or ":" in host)


def database(subject: Subject) -> Iterator[Finding]:
    """Check what ``sslmode`` promises, and the connection itself."""
    parameters = libpq_parameters(subject.settings.database_url.get_secret_value())
    mode = parameters.get("sslmode", "prefer")
    try:
        with subject.database.engine.connect() as connection:
            raw = connection.connection.driver_connection
            encrypted = raw is not None and bool(raw.pgconn.ssl_in_use)
    except SQLAlchemyError:
        return  # Another line says so.
    do = "end PHYTOBATCH_DATABASE_URL with ?sslmode=verify-full, and sslrootcert=FILE for an authority of your own"
    if encrypted and mode == "verify-full":
        yield ok("database encryption", VERIFIED)
    elif encrypted and mode == "verify-ca":
        yield warn("database encryption", "TLS; the certificate is verified, the name is not (sslmode=verify-ca)", do)
    elif all(is_near(host) for host in parameters.get("host", "/").split(",")):
        yield ok("database encryption", INSIDE)
    elif encrypted:
        yield warn("database encryption", f"TLS, and any server is believed: sslmode={mode} verifies nothing", do)
    else:
        yield warn("database encryption", NO_TLS, do)


def redis(subject: Subject) -> Iterator[Finding]:
    """Check what the address promises; connections are made from it and from nothing else."""
    address = redis_address(subject.settings)
    do = "begin PHYTOBATCH_REDIS_URL with rediss:// (sentinels://)"
    if address.tls is None:
        yield ok("redis encryption", INSIDE) if _is_near(address) else warn("redis encryption", NO_TLS, do)
    elif not address.tls.verify:
        yield warn(
            "redis encryption",
            "ssl_cert_reqs=none: any server in its place is believed, and gets the password",
            "take it out of PHYTOBATCH_REDIS_URL; ssl_ca_certs=FILE names an authority of your own",
        )
    elif not address.tls.check_name:
        yield warn(
            "redis encryption",
            "ssl_check_hostname=false: any server with a certificate of these authorities is believed",
            "take it out of PHYTOBATCH_REDIS_URL, and use the name that the certificate has",
        )
    else:
        yield ok("redis encryption", VERIFIED)


def by_http(subject: Subject) -> Iterator[Finding]:
    """Check the object store and the collector of traces. By ``https`` both are verified, always."""
    settings = subject.settings
    addresses: Mapping[str, str | None] = {
        "PHYTOBATCH_S3_ENDPOINT_URL": settings.s3_endpoint_url or "https://s3.amazonaws.com",
        "PHYTOBATCH_TRACES_ENDPOINT": settings.traces_endpoint,
    }
    for variable, url in addresses.items():
        parts = urlsplit(url or "")
        if parts.scheme == "http" and not is_near(parts.hostname or ""):
            yield warn(variable, "without TLS: who is between may read and change what is sent", "use https")
        elif url:
            yield ok(variable, VERIFIED if parts.scheme == "https" else INSIDE)


def _is_near(address: RedisAddress) -> bool:
    return all(is_near(host.name) for host in address.hosts)


CHECKS: tuple[Check, ...] = (database, redis, by_http)
