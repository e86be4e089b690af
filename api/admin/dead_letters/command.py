"""The command ``dead-letters`` and its three actions."""

import argparse
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from api.admin.audit import by_operator
from api.admin.command import Command
from api.admin.connect import open_database, wake_workers
from api.admin.dead_letters.letters import FAULTS, KINDS, LetterFilter, find
from api.admin.table import table
from api.admin.times import moment
from shared.access.keys import tenant_named
from shared.contracts.audit import Action
from shared.contracts.states import ImageErrorCode
from shared.db.session import Database
from shared.errors import PhytobatchError, Unavailable
from shared.jobs import exports, lifecycle, progress
from shared.jobs.cut import ChunkSizes
from shared.settings import get_settings
from shared.webhooks import redelivery

HEADINGS = ("KIND", "TENANT", "AT", "CODE", "JOB", "WHAT", "DETAIL")
NONE = "There are no dead letters."
SINCE = timedelta(days=7)


def run(arguments: argparse.Namespace) -> str:
    """Show failed images whose file is not to blame, failed jobs, lost exports, and failed webhook deliveries.

    `list` for people, `export` as one JSON object a line, `retry` runs them again: the jobs of the images (with all
    their failed images, as `retry-job` does), each export, and each delivery whose endpoint is enabled.

    Raises:
        NotFound: there is no such tenant.
    """
    with open_database() as database:
        with database.begin() as session:
            tenant_id = tenant_named(session, arguments.tenant).id if arguments.tenant else None
            since = arguments.since or datetime.now(UTC) - SINCE
            letters = find(session, LetterFilter(arguments.kind or tuple(KINDS), arguments.code, tenant_id, since))
        return ACTIONS[arguments.action](database, letters)


def _list(_: Database, letters: Sequence[Row[Any]]) -> str:
    rows = [(r.kind, r.tenant, f"{r.at:%Y-%m-%d %H:%M}", r.code, r.job_id, r.name, r.detail) for r in letters]
    return table(HEADINGS, rows) if rows else NONE


def _export(_: Database, letters: Sequence[Row[Any]]) -> str:
    return "\n".join(json.dumps(row._asdict(), default=_plain, ensure_ascii=False) for row in letters)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _retry(database: Database, letters: Sequence[Row[Any]]) -> str:
    jobs = dict.fromkeys(row.job_id for row in letters if row.kind in {"image", "job"})
    lines = [_retry_job(database, job_id) for job_id in jobs]
    lines += [_make_again(database, row) for row in letters if row.kind == "export"]
    lines += [_redeliver(database, row) for row in letters if row.kind == "delivery"]
    wake_workers()
    return "\n".join(lines) or NONE


def _retry_job(database: Database, job_id: uuid.UUID) -> str:
    def retry(session: Session) -> str:
        job = lifecycle.retry(session, job_id, sizes=ChunkSizes.of(get_settings()))
        by_operator(session, Action.JOB_RETRY, job_id, tenant_id=job.tenant_id)
        return f"{job.state}, {progress.counts(job)['pending']} images run again"

    return f"job {job_id}: {_tried(database, retry)}"


def _make_again(database: Database, row: Row[Any]) -> str:
    def make_again(session: Session) -> str:
        exports.start_over(session, row.export_id)
        by_operator(session, Action.CHUNK_REQUEUE, row.export_id, job_id=str(row.job_id))
        return f"queued, {row.name} of job {row.job_id}"

    return f"export {row.export_id}: {_tried(database, make_again)}"


def _redeliver(database: Database, row: Row[Any]) -> str:
    def redeliver(session: Session) -> str:
        redelivery.redeliver(session, row.tenant_id, row.delivery_id)
        by_operator(session, Action.DELIVERY_REDELIVER, row.delivery_id, tenant_id=row.tenant_id)
        return f"due now at {row.name}"

    return f"delivery {row.delivery_id}: {_tried(database, redeliver)}"


def _tried(database: Database, work: Callable[[Session], str]) -> str:
    """Run one dead letter again and say what came of it: a refusal (disabled endpoint, running job) ends itself."""
    try:
        with database.begin() as session:
            return work(session)
    except Unavailable:
        raise
    except PhytobatchError as refusal:
        return f"left alone: {refusal}"


ACTIONS = {"list": _list, "export": _export, "retry": _retry}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, nargs="?", default="list")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only these; may be repeated")
    parser.add_argument("--tenant", metavar="NAME", help="only those of this tenant")
    parser.add_argument("--since", type=moment, metavar="7d", help="2026-11-26T07:00:00Z, or a span (default 7d)")
    parser.add_argument(
        "--code",
        choices=[code.value for code in ImageErrorCode],
        nargs="+",
        metavar="CODE",
        default=list(FAULTS),
        help=f"codes of failed images (default: {' '.join(FAULTS)})",
    )


COMMANDS = (Command("dead-letters", "list, export or run again work that failed", run, _arguments),)
