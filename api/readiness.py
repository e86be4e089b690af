"""Readiness of this process: all dependencies are checked at the same time, and none for long."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import anyio
from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from shared.db.schema import Schema
from shared.db.session import Database
from shared.errors import PhytobatchError
from shared.queue import Wakeups
from shared.storage.store import ObjectStore

CHECK_SECONDS = 2.0
# Checks that hang keep their thread until their own timeouts; no request thread is used for them.
THREADS = 9


@dataclass(frozen=True, slots=True)
class Check:
    """One dependency: ``ask`` returns ``None`` when it works, otherwise a sentence."""

    name: str
    required: bool
    probe: Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The finding of a check, with its milliseconds."""

    ok: bool
    required: bool
    milliseconds: float
    detail: str | None


class Readiness:
    """Checks of Postgres, the object store and Redis."""

    def __init__(self, database: Database, store: ObjectStore, wakeups: Wakeups) -> None:
        self._limiter = CapacityLimiter(THREADS)
        schema = Schema()
        self._checks = (
            Check("database", required=True, probe=lambda: schema.fault(database)),
            Check("object_store", required=True, probe=lambda: _store_fault(store)),
            Check(
                "redis",
                required=False,
                probe=lambda: None if wakeups.is_reachable() else "Redis does not answer; workers poll by themselves",
            ),
        )

    async def check(self) -> dict[str, CheckResult]:
        """Run every check, for at most ``CHECK_SECONDS``, and return the findings by name."""
        findings: dict[str, CheckResult] = {}

        async def run(check: Check) -> None:
            findings[check.name] = await self._run(check)

        async with anyio.create_task_group() as group:
            for check in self._checks:
                group.start_soon(run, check)
        return {check.name: findings[check.name] for check in self._checks}

    async def _run(self, check: Check) -> CheckResult:
        began = time.perf_counter()
        fault: str | None = f"no answer within {CHECK_SECONDS:g} s"
        with anyio.move_on_after(CHECK_SECONDS):
            fault = await run_sync(check.probe, abandon_on_cancel=True, limiter=self._limiter)
        return CheckResult(fault is None, check.required, round((time.perf_counter() - began) * 1000, 1), fault)


def _store_fault(store: ObjectStore) -> str | None:
    try:
        store.check()
    except PhytobatchError as error:
        return str(error)
    return None
