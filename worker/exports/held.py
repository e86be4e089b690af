"""Holding on to an export: its lease is renewed between pages, by the one who makes it."""

import threading
import time

from shared.db.session import Database
from shared.exports import claims
from shared.exports.claims import ExportClaim


class StopAsked(Exception):
    """The process is to stop: hand the export back."""


class HeldExport:
    """One export in the hands of this process. ``beat()`` is called at each page and each piece."""

    def __init__(
        self,
        claim: ExportClaim,
        database: Database,
        stopping: threading.Event,
        *,
        lease_seconds: float,
        renew_seconds: float,
    ) -> None:
        self.claim = claim
        self._database = database
        self._stopping = stopping
        self._lease_seconds = lease_seconds
        self._renew_seconds = renew_seconds
        self._renewed_at = time.monotonic()

    def beat(self) -> None:
        """Renew the lease when it is time, and say when the work must not go on.

        Raises:
            LeaseLost: the export belongs to another worker, or was deleted.
            StopAsked: this process is to stop.
            DatabaseUnavailable: Postgres stayed away.
        """
        if self._stopping.is_set():
            raise StopAsked
        if time.monotonic() - self._renewed_at < self._renew_seconds:
            return
        self._database.run(lambda session: claims.renew(session, self.claim, lease_seconds=self._lease_seconds))
        self._renewed_at = time.monotonic()
