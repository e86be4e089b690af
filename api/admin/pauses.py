"""Commands that hold work back and let it go on: all of it, of a tenant, of a classifier, of a worker."""

import argparse
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from api.admin.audit import by_operator, operator
from api.admin.command import Command
from api.admin.connect import open_database, transaction, wake_workers
from api.admin.table import table
from api.admin.times import short, span
from shared.access.keys import checked_name, tenant_named
from shared.classifiers import registry
from shared.contracts.audit import Action
from shared.db.session import Database
from shared.errors import Conflict
from shared.jobs import pauses
from shared.jobs.pauses import EVERYTHING_THERE_IS, Subject

HEADINGS = ("PAUSED", "NAME", "SINCE", "FOR", "BY", "BECAUSE")
POLL_SECONDS = 0.5
HELD = text(
    """
    SELECT count(*) FROM chunks WHERE state = 'running' AND lease_until > now()
        AND :worker IN (worker, split_part(worker, ':', 1))
    """
)
# From a transaction and the arguments: what is paused, as which word, and whose tenant it is.
Find = Callable[[Session, argparse.Namespace], tuple[Subject, str]]


def _everything(_: Session, __: argparse.Namespace) -> tuple[Subject, str]:
    return EVERYTHING_THERE_IS, "all work"


def _tenant(session: Session, arguments: argparse.Namespace) -> tuple[Subject, str]:
    tenant = tenant_named(session, arguments.tenant)
    return Subject(tenant_id=tenant.id), f"tenant {tenant.name}"


def _pool(session: Session, arguments: argparse.Namespace) -> tuple[Subject, str]:
    found = registry.resolve(session, arguments.name, arguments.version)
    return Subject(classifier_id=found.id), f"the pool of {found.name}@{found.version}"


def _worker(_: Session, arguments: argparse.Namespace) -> tuple[Subject, str]:
    return Subject(worker=checked_name(arguments.worker)), f"worker {arguments.worker}"


def _begin(arguments: argparse.Namespace, find: Find) -> str:
    with transaction() as session:
        subject, word = find(session, arguments)
        because = None if arguments.because is None else checked_name(arguments.because)
        if not pauses.pause(session, subject, actor=operator().name, reason=because):
            raise Conflict(f"{word} is paused already; `list-pauses` says since when, and by whom")
        by_operator(session, Action.PAUSE_BEGIN, word, tenant_id=subject.tenant_id)
    return word


def _end(arguments: argparse.Namespace, find: Find) -> str:
    with transaction() as session:
        subject, word = find(session, arguments)
        if not pauses.resume(session, subject):
            raise Conflict(f"{word} is not paused; `list-pauses` shows what is")
        by_operator(session, Action.PAUSE_END, word, tenant_id=subject.tenant_id)
    wake_workers()
    return f"{word[:1].upper()}{word[1:]} goes on."


def pause(arguments: argparse.Namespace) -> str:
    """Hold back all work: no worker begins a chunk or an export. Jobs are accepted and stay queued.

    Chunks that run are finished. Webhooks of finished jobs go on.

    Raises:
        Conflict: it is paused already.
    """
    _begin(arguments, _everything)
    return "All work is paused. What is under way is finished; `resume` lets the rest go on."


def pause_tenant(arguments: argparse.Namespace) -> str:
    """Hold back the work of a tenant: its jobs are accepted, stay queued, and tell its clients that they are paused.

    Chunks that run are finished. Removal of what it deletes goes on.

    Raises:
        NotFound: there is no such tenant.
        Conflict: it is paused already.
    """
    word = _begin(arguments, _tenant)
    return f"{word[:1].upper()}{word[1:]} is paused. `resume-tenant {arguments.tenant}` lets its jobs go on."


def pause_pool(arguments: argparse.Namespace) -> str:
    """Hold back classification with one classifier, for example while its workers are replaced.

    Jobs of it are validated and stay queued; those of other classifiers go on.

    Raises:
        NotFound: there is no such classifier.
        Conflict: it is paused already.
    """
    word = _begin(arguments, _pool)
    end = f"resume-pool {arguments.name} {arguments.version}"
    return f"{word[:1].upper()}{word[1:]} is paused. `{end}` lets its jobs go on."


def drain_worker(arguments: argparse.Namespace) -> str:
    """Let a worker finish what it has begun and begin nothing more; it stays idle until `undrain-worker`.

    A name is host:pid, as `list-workers` shows it, or the host alone: every worker there, also one that starts later.
    With `--wait` the command ends when it holds no chunk any more.

    Raises:
        Conflict: it is drained already, or still holds chunks when the time is over.
    """
    with open_database() as database:
        _begin(arguments, _worker)
        left = _left(database, arguments.worker, arguments.wait)
    if left and arguments.wait:
        raise Conflict(f"worker {arguments.worker} is drained, and still holds {left} chunks after this time")
    holds = f"it still holds {left} chunks" if left else "it holds no chunk"
    return f"Worker {arguments.worker} takes nothing more; {holds}. `undrain-worker {arguments.worker}` ends that."


def _left(database: Database, worker: str, wait: timedelta) -> int:
    """Count the chunks that a worker holds, when there are none any more or the time is over."""
    until = time.monotonic() + wait.total_seconds()
    while True:
        with database.begin() as session:
            left = int(session.execute(HELD, {"worker": worker}).scalar_one())
        if not left or time.monotonic() >= until:
            return left
        time.sleep(POLL_SECONDS)


def resume(arguments: argparse.Namespace) -> str:
    """Let work go on after `pause`; tenants, pools and workers that are paused by themselves stay so.

    Raises:
        Conflict: it is not paused.
    """
    return _end(arguments, _everything)


def resume_tenant(arguments: argparse.Namespace) -> str:
    """Let the jobs of a tenant go on.

    Raises:
        NotFound: there is no such tenant.
        Conflict: it is not paused.
    """
    return _end(arguments, _tenant)


def resume_pool(arguments: argparse.Namespace) -> str:
    """Let classification with this classifier go on.

    Raises:
        NotFound: there is no such classifier.
        Conflict: it is not paused.
    """
    return _end(arguments, _pool)


def undrain_worker(arguments: argparse.Namespace) -> str:
    """Let a drained worker take work again.

    Raises:
        Conflict: it is not drained.
    """
    return _end(arguments, _worker)


def show(_: argparse.Namespace) -> str:
    """List everything that is paused: since when, by whom and why. A scope `worker` is a drained worker."""
    with transaction() as session:
        found = pauses.pauses(session)
    if not found:
        return "Nothing is paused."
    return table(
        HEADINGS,
        [
            (one.scope, one.name, f"{one.since:%Y-%m-%d %H:%M}", short(one.age), one.actor, one.reason or "")
            for one in found
        ],
    )


def _because(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--because", metavar="WORDS", help="the reason, for `list-pauses`")


def _tenant_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tenant")


def _pool_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="of the classifier, as `list-classifiers` shows it")
    parser.add_argument("version")


def _worker_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("worker", help="host:pid, as `list-workers` shows it, or the host alone")


def _pausing(arguments: Callable[[argparse.ArgumentParser], None]) -> Callable[[argparse.ArgumentParser], None]:
    def add(parser: argparse.ArgumentParser) -> None:
        arguments(parser)
        _because(parser)

    return add


def _drain_arguments(parser: argparse.ArgumentParser) -> None:
    _pausing(_worker_arguments)(parser)
    parser.add_argument(
        "--wait", type=span, default=timedelta(0), metavar="10m", help="wait so long until it holds no chunk"
    )


COMMANDS = (
    Command("list-pauses", "list what is paused, and by whom", show),
    Command("pause", "hold back all work", pause, _because),
    Command("resume", "let work go on", resume),
    Command("pause-tenant", "hold back the work of a tenant", pause_tenant, _pausing(_tenant_arguments)),
    Command("resume-tenant", "let the jobs of a tenant go on", resume_tenant, _tenant_arguments),
    Command("pause-pool", "hold back the work of a classifier", pause_pool, _pausing(_pool_arguments)),
    Command("resume-pool", "let the jobs of a classifier go on", resume_pool, _pool_arguments),
    Command("drain-worker", "let a worker finish its chunks and begin no more", drain_worker, _drain_arguments),
    Command("undrain-worker", "let a drained worker take work again", undrain_worker, _worker_arguments),
)
