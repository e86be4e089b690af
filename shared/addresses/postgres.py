"""The address of PostgreSQL: as clouds write it, read once into the one form that SQLAlchemy, psycopg and libpq share.

Source: PostgreSQL manual, "Connection URIs" and "Parameter Key Words" (libpq); SQLAlchemy, "PostgreSQL: psycopg".
"""

import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path

from psycopg.pq import Conninfo
from sqlalchemy.engine import URL, make_url

from shared.addresses.parts import (
    AddressError,
    Host,
    Parts,
    check_authorities,
    check_certificate,
    port_number,
    split,
    unknown,
)

EXAMPLE = "postgresql://user:password@host:5432/name"
DRIVER = "postgresql+psycopg"
# Drivers of other programs: what they mean is the server.
SCHEMES = (
    "postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+psycopg_async",
    "postgresql+asyncpg", "postgresql+pg8000", "postgresql+psycopg2cffi",
)  # fmt: skip
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# What other libraries call it. `no-verify` is node-postgres', `true` is JDBC's, asyncpg's and Heroku's, `sslaccept`
# is Prisma's: each promises as much as the mode of libpq beside it.
SSL_WORDS = {
    ("sslmode", "no-verify"): "require",
    ("ssl", "true"): "require",
    ("ssl", "1"): "require",
    ("ssl", "on"): "require",
    ("ssl", "false"): "disable",
    ("ssl", "0"): "disable",
    ("sslaccept", "strict"): "verify-full",
    ("sslaccept", "accept_invalid_certs"): "require",
} | {("ssl", mode): mode for mode in SSL_MODES}
# They tell another program how to use its connections, and say nothing of the server.
OF_OTHERS = frozenset(
    {"pgbouncer", "connection_limit", "pool_timeout", "pool_size", "max_overflow", "socket_timeout", "schema", "supa"}
    | {"statement_cache_size", "prepared_statement_cache_size", "preparethreshold", "uselibpqcompat", "workaround"}
)
# libpq checks these when it connects, and then fails as if the server were away.
NUMBERS = ("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
           "tcp_user_timeout")  # fmt: skip
WORDS = {
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "sslnegotiation": ("postgres", "direct"),
    "load_balance_hosts": ("disable", "random"),
    "ssl_min_protocol_version": ("TLSv1.2", "TLSv1.3"),
    "ssl_max_protocol_version": ("TLSv1.2", "TLSv1.3"),
    # Names of images are text in any script.
    "client_encoding": ("utf8", "utf-8", "UTF8", "UTF-8"),
}
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,9}")
SYSTEM = "system"
ROOTS = "sslrootcert"
# They name another place where the address stands, or ask for another kind of connection.
NOT_TAKEN = frozenset({"service", "servicefile", "replication"})
OF_LIBPQ = frozenset(option.keyword.decode() for option in Conninfo.get_defaults()) - NOT_TAKEN
# The best known of dozens, for the error sentence.
SHOWN = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey", "host", "port", "options", "target_session_attrs"})
# In front of the path of a folder, libpq takes it for a socket.
SOCKET = "/"


def read_postgres(text: str) -> URL:
    """Convert the address of a database to the driver of this program, with only libpq's own parameters.

    ``sslmode`` is that of PostgreSQL: ``require`` encrypts and accepts any certificate. ``verify-full`` without
    ``sslrootcert`` uses the authorities of the system, as every other connection of this program does.

    Raises:
        AddressError: it is invalid or ambiguous.
    """
    parts = split(text, example=EXAMPLE, schemes=SCHEMES)
    query = _query(parts)
    hosts = _hosts(parts, query)
    if not hosts:
        raise AddressError(f"names no host; write it as {EXAMPLE}")
    name = parts.path.removeprefix("/") or query.pop("dbname", "")
    if not name or "/" in name:
        raise AddressError(f"has no name of a database at its end, or more than one; write it as {EXAMPLE}")
    if len(hosts) > 1 or hosts[0].name.startswith(SOCKET):
        query["host"] = ",".join(host.name for host in hosts)
        query |= _ports(hosts)
    host = hosts[0] if "host" not in query else Host("")
    return URL.create(
        DRIVER,
        username=query.pop("user", None) or parts.username,
        password=query.pop("password", None) or parts.password,
        host=host.name or None,
        port=host.port,
        database=name,
        query=dict(sorted(query.items())),
    )


def libpq_parameters(url: str) -> dict[str, str]:
    """Return the parameters of libpq, password included, of an address that ``read_postgres`` returned."""
    parsed = make_url(url)
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in parsed.query.items()}
    known = {
        "host": parsed.host,
        "port": None if parsed.port is None else str(parsed.port),
        "user": parsed.username,
        "password": None if parsed.password is None else str(parsed.password),
        "dbname": parsed.database,
    }
    return {name: value for name, value in {**known, **query}.items() if value is not None}


def _query(parts: Parts) -> dict[str, str]:
    query: dict[str, str] = {}
    for written, value in parts.query:
        name = written.lower()
        mode = SSL_WORDS.get((name, value.lower()))
        if mode is not None:
            query["sslmode"] = mode
        elif name == "host" and name in query:
            query[name] += f",{value}"  # as SQLAlchemy writes several hosts
        elif name in OF_LIBPQ:
            query[name] = value
        elif name not in OF_OTHERS or (name == "schema" and value != "public"):
            raise unknown(written, parts.query, OF_LIBPQ & SHOWN)
    for check in CHECKS:
        check(query)
    return query


def _check_mode(query: dict[str, str]) -> None:
    if query.get("sslmode", "prefer") not in SSL_MODES:
        raise AddressError(f"has an sslmode that is none of {', '.join(SSL_MODES)}")


def _check_roots(query: dict[str, str]) -> None:
    mode, roots = query.get("sslmode"), query.get(ROOTS)
    if mode == "verify-full" and roots is None and not _has_roots_of_its_own():
        roots = SYSTEM
    if mode == "verify-ca" and roots is None and not _has_roots_of_its_own():
        raise AddressError("has sslmode=verify-ca and no sslrootcert; name the file of the authority, or verify-full")
    if roots == SYSTEM:
        if mode not in {None, "verify-full"}:
            raise AddressError("has sslrootcert=system, which needs sslmode=verify-full, as libpq says")
        # psycopg's own build of libpq looks for them in a folder that no system has.
        query |= {"sslmode": "verify-full", ROOTS: _roots_of_the_system()}


def _check_files(query: dict[str, str]) -> None:
    if query.get(ROOTS):
        check_authorities(ROOTS, query[ROOTS])
    if query.get("sslcert"):
        check_certificate("sslcert", query["sslcert"], query.get("sslkey"))


def _check_values(query: dict[str, str]) -> None:
    for name in NUMBERS:
        if name in query and not WHOLE_NUMBER.fullmatch(query[name].strip()):
            raise AddressError(f"has {name}, whose value is no whole number")
    for name, words in WORDS.items():
        if query.get(name, words[0]) not in words:
            raise AddressError(f"has {name}, whose value is none of {', '.join(words)}")


CHECKS: tuple[Callable[[dict[str, str]], None], ...] = (_check_mode, _check_values, _check_roots, _check_files)


def _has_roots_of_its_own() -> bool:
    """Return True if libpq finds a file by itself ("Client Verification of Server Certificates")."""
    return bool(os.environ.get("PGSSLROOTCERT")) or Path("~/.postgresql/root.crt").expanduser().is_file()


def _roots_of_the_system() -> str:
    path = ssl.get_default_verify_paths().cafile
    if path is None:
        raise AddressError("asks for the authorities of the system, which has no file of them; name one as sslrootcert")
    return path


def _hosts(parts: Parts, query: dict[str, str]) -> tuple[Host, ...]:
    """Find the hosts; those behind the ``?`` win, as in libpq: a folder with a socket, several, another port."""
    names, ports = query.pop("host", ""), query.pop("port", "").split(",")
    if not names:
        return tuple(Host(host.name, port_number(ports[0]) or host.port) for host in parts.hosts)
    found = []
    for number, name in enumerate(names.split(",")):
        host, _, port = name.partition(":") if not name.startswith(SOCKET) and name.count(":") == 1 else (name, "", "")
        found.append(Host(host, port_number(port or ports[min(number, len(ports) - 1)])))
    return tuple(found)


def _ports(hosts: tuple[Host, ...]) -> dict[str, str]:
    if all(host.port is None for host in hosts):
        return {}
    return {"port": ",".join("" if host.port is None else str(host.port) for host in hosts)}
