"""Retention at every sweep; the part of it that lists the whole bucket, once an hour."""

import time
from dataclasses import asdict
from datetime import timedelta

import structlog

from shared.errors import StoreUnavailable
from shared.retention.sweep import sweep_retention
from worker.context import Context

log = structlog.get_logger()

UNFINISHED_EVERY_SECONDS = 3600.0


class RetentionKeeper:
    """The retention of one process. Several processes may run it at the same time; each finds less to remove."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._unfinished_at = time.monotonic() - UNFINISHED_EVERY_SECONDS

    def sweep(self) -> None:
        """Remove a part of the data whose retention is over.

        Raises:
            DatabaseUnavailable: Postgres is away.
        """
        try:
            done = sweep_retention(self._context.database, self._context.store, self._context.settings)
            self._end_unfinished()
        except StoreUnavailable as error:
            log.warning("retention_waits", reason=str(error))  # The next sweep tries again.
            return
        if done.changed:
            log.info("retention_swept", **asdict(done))

    def _end_unfinished(self) -> None:
        if time.monotonic() - self._unfinished_at < UNFINISHED_EVERY_SECONDS:
            return
        self._unfinished_at = time.monotonic()
        age = timedelta(hours=self._context.settings.unfinished_upload_hours)
        if ended := self._context.store.end_unfinished(older_than=age):
            log.info("unfinished_uploads_removed", uploads=ended)
