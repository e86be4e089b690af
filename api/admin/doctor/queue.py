"""Redis or Valkey: reachable, keeps its wake-ups over a restart, throws none away."""

from collections.abc import Iterator

import redis

from api.admin.doctor.finding import Check, Finding, fail, ok, warn
from api.admin.doctor.subject import Subject
from shared.queue import SOCKET_CONNECT_TIMEOUT_SECONDS
from shared.redis_connection import connect

OLDEST = (6, 2)
FULL = 0.8


def _info(subject: Subject) -> dict[str, object]:
    with connect(
        subject.settings,
        socket_connect_timeout=SOCKET_CONNECT_TIMEOUT_SECONDS,
        socket_timeout=SOCKET_CONNECT_TIMEOUT_SECONDS,
    ) as server:
        return dict(server.info("everything"))


def answers(subject: Subject) -> Iterator[Finding]:
    """Check that it answers. Nothing is lost without it: workers poll, a few seconds later."""
    try:
        info = _info(subject)
    except (redis.RedisError, OSError, ValueError) as error:
        yield fail(
            "redis",
            f"does not answer ({error}); work goes on some seconds slower, and interactive answers are late",
            "check PHYTOBATCH_REDIS_URL, the server and the network",
        )
        return
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version") or info.get("redis_version"))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        yield fail("redis", f"is {name} {version}", "use Redis 6.2 or newer, or Valkey")
    else:
        yield ok("redis", f"{name} {version} answers")


def persistence(subject: Subject) -> Iterator[Finding]:
    """Check that wake-ups survive a restart."""
    info = _info(subject)
    if not info.get("aof_enabled"):
        yield warn(
            "redis persistence",
            "appendonly is no: after a restart its wake-ups are gone, which costs seconds and no image",
            "set `appendonly yes` and `appendfsync everysec`",
        )
    elif info.get("aof_last_write_status", "ok") != "ok":
        yield fail("redis persistence", "its last write to the append-only file failed", "is its disk full?")
    else:
        yield ok("redis persistence", "appendonly is yes")


def memory(subject: Subject) -> Iterator[Finding]:
    """Check how full it is, and that it throws no wake-ups away."""
    info = _info(subject)
    policy = str(info.get("maxmemory_policy", "unknown"))
    used, limit = int(str(info.get("used_memory", 0))), int(str(info.get("maxmemory", 0)))
    if policy != "noeviction":
        yield warn(
            "redis memory", f"maxmemory-policy is {policy}: it may evict the queue", "set `maxmemory-policy noeviction`"
        )
    elif limit and used > FULL * limit:
        yield warn("redis memory", f"{used / limit:.0%} of maxmemory is in use", "raise maxmemory; what else is in it?")
    else:
        yield ok("redis memory", f"maxmemory-policy is {policy}, {used / 1024**2:.1f} MiB are in use")


CHECKS: tuple[Check, ...] = (answers, persistence, memory)
