"""The address of Redis, Valkey or of their sentinels.

Every user of Redis gets its connections from ``shared.redis_connection``, which builds them from this result: when two
libraries read the same text, one of them accepted any certificate.

Source: redis-py, ``redis.connection.parse_url``; kombu, ``kombu.transport.redis``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from shared.addresses.parts import AddressError, Host, Parts, check_authorities, check_certificate, split, unknown

EXAMPLE = "redis://:password@host:6379/0"
SENTINEL_EXAMPLE = "sentinel://:password@host:26379,host:26379/0?master_name=mymaster"
PORT = 6379
SENTINEL_PORT = 26379
# (with TLS, of sentinels)
SCHEMES = {
    "redis": (False, False),
    "rediss": (True, False),
    "valkey": (False, False),
    "valkeys": (True, False),
    "sentinel": (False, True),
    "redis+sentinel": (False, True),
    "sentinels": (True, True),
    "rediss+sentinel": (True, True),
}
NAMES = {(False, False): "redis", (True, False): "rediss", (False, True): "sentinel", (True, True): "sentinels"}
# kombu's form of several sentinels: an address for each.
NEXT = re.compile(r";(?=[a-z+]{5,20}://)", re.IGNORECASE)
CERT_REQS = {
    "required": True, "cert_required": True,
    "optional": True, "cert_optional": True,  # to a client it is the same (ssl.VerifyMode)
    "none": False, "cert_none": False,
}  # fmt: skip
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
TLS_PARAMETERS = frozenset({"ssl_cert_reqs", "ssl_check_hostname", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
SENTINEL_PARAMETERS = frozenset({"master_name", "sentinel_username", "sentinel_password"})
TAKEN = TLS_PARAMETERS | SENTINEL_PARAMETERS | {"db"}
# It tells libraries of Node which addresses to look up.
OF_OTHERS = frozenset({"family"})
DATABASE = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Tls:
    """The verification of a server. The system's authorities are trusted, and those in the file ``authorities``.

    ``certificate`` and ``key`` are the files of this program's own certificate, for servers that require one.
    """

    verify: bool = True
    check_name: bool = True
    authorities: str | None = None
    certificate: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Sentinels:
    """The name of the master that sentinels are asked for. They may have a password of their own."""

    master: str
    username: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A parsed address. ``hosts`` are the sentinels if there are ``sentinels``, otherwise the one server."""

    hosts: tuple[Host, ...]
    username: str | None
    password: str | None
    database: int
    tls: Tls | None
    sentinels: Sentinels | None

    @property
    def login(self) -> str:
        """User and password as in front of a host, with ``@``; empty without a password."""
        if self.password is None:
            return ""
        return f"{quote(self.username or '', safe='')}:{quote(self.password, safe='')}@"

    @property
    def text(self) -> str:
        """The address in one form; ``read_redis`` reads it back as the same."""
        scheme = NAMES[self.tls is not None, self.sentinels is not None]
        query = {**_tls_query(self.tls), **_sentinels_query(self.sentinels)}
        hosts = ",".join(host.text for host in self.hosts)
        return f"{scheme}://{self.login}{hosts}/{self.database}{'?' if query else ''}{urlencode(query)}"


def read_redis(text: str) -> RedisAddress:
    """Read the address of Redis, in any form that clouds and libraries write.

    Raises:
        AddressError: it is invalid or ambiguous.
    """
    first, *others = (split(part, example=EXAMPLE, schemes=SCHEMES) for part in NEXT.split(text))
    is_tls, is_sentinel = SCHEMES[first.scheme]
    if others and not (is_sentinel and all(SCHEMES[parts.scheme] == (is_tls, True) for parts in others)):
        raise AddressError(f"has several addresses in it; only sentinels have, as {SENTINEL_EXAMPLE}")
    parts = _joined([first, *others])
    query = _query(parts, is_tls=is_tls, is_sentinel=is_sentinel)
    if not parts.hosts or any(host.name.startswith("/") for host in parts.hosts):
        raise AddressError(f"names no host; write it as {EXAMPLE}. Sockets are not taken")
    if len(parts.hosts) > 1 and not is_sentinel:
        raise AddressError(f"names several hosts; sentinels are written as {SENTINEL_EXAMPLE}, a cluster is not taken")
    if parts.username and not parts.password:
        raise AddressError("has a user and no password; a password alone has a colon before it, as :password@")
    master, database = _path(parts, query)
    port = SENTINEL_PORT if is_sentinel else PORT
    return RedisAddress(
        hosts=tuple(Host(host.name, host.port or port) for host in parts.hosts),
        username=parts.username,
        password=parts.password,
        database=database,
        tls=_tls(query) if is_tls else None,
        sentinels=_sentinels(master, query) if is_sentinel else None,
    )


def _joined(all_parts: list[Parts]) -> Parts:
    """Join several addresses to one: kombu repeats the password in each, and needs the rest once."""
    logins = {(parts.username, parts.password) for parts in all_parts if parts.password}
    if len(logins) > 1:
        raise AddressError("has several passwords; all sentinels have the same, and it stands in sentinel_password")
    username, password = logins.pop() if logins else (None, None)
    return Parts(
        scheme=all_parts[0].scheme,
        username=username or all_parts[0].username,
        password=password,
        hosts=tuple(host for parts in all_parts for host in parts.hosts),
        path=next((parts.path for parts in all_parts if parts.path.strip("/")), ""),
        query=tuple(pair for parts in all_parts for pair in parts.query),
    )


def _query(parts: Parts, *, is_tls: bool, is_sentinel: bool) -> dict[str, str]:
    query = {name: value for name, value in parts.query if name not in OF_OTHERS}
    for name in query:
        if name in TLS_PARAMETERS and not is_tls:
            raise AddressError(
                f"has {name}, which is of TLS, and begins with {parts.scheme}://, which is without TLS; begin it with "
                f"{NAMES[True, is_sentinel]}://, or leave {name} out"
            )
        if name in SENTINEL_PARAMETERS and not is_sentinel:
            raise AddressError(f"has {name}, which is of sentinels; write it as {SENTINEL_EXAMPLE}")
        if name not in TAKEN:
            raise unknown(name, parts.query, TAKEN)
    return query


def _path(parts: Parts, query: Mapping[str, str]) -> tuple[str | None, int]:
    """Find the name of the master, for sentinels alone, and the number of the database."""
    words = [word for word in parts.path.split("/") if word]
    master = words.pop(0) if words and SCHEMES[parts.scheme][1] and not DATABASE.fullmatch(words[0]) else None
    numbers = {*words, *([query["db"]] if "db" in query else ())}
    if len(numbers) > 1 or not all(DATABASE.fullmatch(number) for number in numbers):
        raise AddressError(f"has more at its end than one number of a database; write it as {EXAMPLE}")
    return master, int(next(iter(numbers), "0"))


def _tls(query: Mapping[str, str]) -> Tls:
    verify = _word(query, "ssl_cert_reqs", CERT_REQS, "required or none")
    certificate, key = query.get("ssl_certfile"), query.get("ssl_keyfile")
    if key and not certificate:
        raise AddressError("has ssl_keyfile and no ssl_certfile; they belong together")
    if query.get("ssl_ca_certs"):
        check_authorities("ssl_ca_certs", query["ssl_ca_certs"])
    if certificate:
        check_certificate("ssl_certfile", certificate, key or None)
    return Tls(
        verify=verify,
        check_name=verify and _word(query, "ssl_check_hostname", BOOLEANS, "true or false"),
        authorities=query.get("ssl_ca_certs") or None,
        certificate=certificate or None,
        key=key or None,
    )


def _word(query: Mapping[str, str], name: str, words: Mapping[str, bool], choices: str) -> bool:
    value = words.get(query.get(name, "true" if words is BOOLEANS else "required").lower())
    if value is None:
        raise AddressError(f"has a value of {name} that is none; write {choices}")
    return value


def _sentinels(master: str | None, query: Mapping[str, str]) -> Sentinels:
    named = query.get("master_name") or master
    if not named:
        raise AddressError(f"does not say which master to ask the sentinels for; write it as {SENTINEL_EXAMPLE}")
    password = query.get("sentinel_password") or None
    username = query.get("sentinel_username") or None
    if username and not password:
        raise AddressError("has sentinel_username and no sentinel_password; they belong together")
    return Sentinels(named, username, password)


def _tls_query(tls: Tls | None) -> dict[str, str]:
    if tls is None:
        return {}
    parameters = {
        "ssl_cert_reqs": "" if tls.verify else "none",
        "ssl_check_hostname": "" if tls.check_name or not tls.verify else "false",
        "ssl_ca_certs": tls.authorities,
        "ssl_certfile": tls.certificate,
        "ssl_keyfile": tls.key,
    }
    return {name: value for name, value in parameters.items() if value}


def _sentinels_query(sentinels: Sentinels | None) -> dict[str, str]:
    if sentinels is None:
        return {}
    parameters = {
        "master_name": sentinels.master,
        "sentinel_username": sentinels.username,
        "sentinel_password": sentinels.password,
    }
    return {name: value for name, value in parameters.items() if value}
