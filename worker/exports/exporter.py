"""One thread of each worker that makes exports, beside the slots of the chunks, so that neither waits for the other."""

import threading

import structlog

from shared.errors import Conflict, DatabaseUnavailable, InvalidRequest, LeaseLost, StoreUnavailable
from shared.exports import claims
from shared.exports.claims import ExportClaim
from shared.metrics.definitions import EXPORT_SECONDS, EXPORTS_ENDED
from worker.context import Context
from worker.exports.held import HeldExport, StopAsked
from worker.exports.make import make
from worker.exports.outcome import ExportOutcome

log = structlog.get_logger()


class Exporter:
    """Looks for exports every few seconds, and makes one at a time."""

    def __init__(self, context: Context, stopping: threading.Event) -> None:
        self._context = context
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run, name="exporter", daemon=True)

    def start(self) -> None:
        """Begin looking."""
        self._thread.start()

    def join(self) -> None:
        """Wait until its export is handed back, after the process was told to stop."""
        if self._thread.is_alive():
            self._thread.join()

    def work_once(self) -> bool:
        """Claim an export and make it; whether there was one. Whatever happens, it is ended, handed back, or left."""
        claim = self._claim()
        if claim is None:
            return False
        with structlog.contextvars.bound_contextvars(
            export_id=str(claim.id), job_id=str(claim.job_id), tenant_id=str(claim.tenant_id), format=claim.format.value
        ):
            self._make(claim)
        return True

    def _run(self) -> None:
        while not self._stopping.wait(self._context.settings.idle_look_seconds):
            try:
                while not self._stopping.is_set() and self.work_once():
                    pass
            except Exception:
                log.exception("exporter_fault")  # This thread must not end before the process does.

    def _claim(self) -> ExportClaim | None:
        try:
            with self._context.database.begin() as session:
                return claims.claim(
                    session, worker=self._context.name, lease_seconds=self._context.settings.lease_seconds
                )
        except DatabaseUnavailable:
            log.warning("export_claim_failed")  # The next look tries again.
            return None

    def _make(self, claim: ExportClaim) -> None:
        settings = self._context.settings
        held = HeldExport(
            claim,
            self._context.database,
            self._stopping,
            lease_seconds=settings.lease_seconds,
            renew_seconds=settings.lease_renew_seconds,
        )
        with EXPORT_SECONDS.labels(claim.format).time():
            outcome = self._outcome(claim, held)
        EXPORTS_ENDED.labels(claim.format, outcome).inc()

    def _outcome(self, claim: ExportClaim, held: HeldExport) -> ExportOutcome:
        pause = self._context.settings.release_backoff_seconds
        try:
            made = make(self._context, held)
        except LeaseLost:
            log.warning("export_lease_lost", attempt=claim.attempt)
            outcome = ExportOutcome.LEASE_LOST
        except StopAsked:
            self._release(claim, pause_seconds=0)
            outcome = ExportOutcome.HANDED_BACK
        except (StoreUnavailable, DatabaseUnavailable) as error:
            log.warning("export_handed_back", reason=str(error))
            self._release(claim, pause_seconds=pause)
            outcome = ExportOutcome.HANDED_BACK
        except InvalidRequest as error:
            self._fail(claim, str(error))
            outcome = ExportOutcome.FAILED
        except Conflict:
            # The job was retried: the next attempt has all of it.
            log.warning("export_outdated", attempt=claim.attempt)
            self._abandon(claim)
            outcome = ExportOutcome.OUTDATED
        except Exception:
            log.exception("export_fault", attempt=claim.attempt)
            self._abandon(claim)
            outcome = ExportOutcome.FAULT
        else:
            log.info("export_made", rows=made.rows, bytes=made.size, attempt=claim.attempt)
            outcome = ExportOutcome.MADE
        return outcome

    def _release(self, claim: ExportClaim, *, pause_seconds: float) -> None:
        try:
            self._context.database.run(lambda session: claims.release(session, claim, pause_seconds=pause_seconds))
        except (LeaseLost, DatabaseUnavailable):
            log.warning("export_left_to_its_lease")

    def _fail(self, claim: ExportClaim, error: str) -> None:
        log.warning("export_failed", reason=error)
        keep = self._context.settings.export_hours
        try:
            self._context.database.run(lambda session: claims.fail(session, claim, error, keep_hours=keep))
        except (LeaseLost, DatabaseUnavailable):
            log.warning("export_left_to_its_lease")

    def _abandon(self, claim: ExportClaim) -> None:
        try:
            self._context.database.run(lambda session: claims.abandon(session, claim))
        except DatabaseUnavailable:
            log.warning("export_left_to_its_lease")
