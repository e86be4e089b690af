"""``audit`` and ``audit-forget``: the log of who did what; and the functions by which every other command writes it."""

import argparse
import getpass
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from api.admin.command import Command
from api.admin.connect import transaction
from api.admin.table import table
from api.admin.times import moment, short, span
from shared.access.keys import checked_name, tenant_named
from shared.audit import Actor, queries, record
from shared.contracts.audit import Action, ActorKind
from shared.db.models import AuditEntry
from shared.errors import InvalidRequest
from shared.settings import get_settings

HEADINGS = ("AT", "WHO", "FROM", "WHAT", "ON", "TENANT", "DETAILS", "REQUEST")
DEFAULT_LINES = 100
LEAST = timedelta(days=queries.MIN_DAYS)
PERSON: ContextVar[str | None] = ContextVar("person", default=None)


@contextmanager
def acting_as(person: str | None) -> Iterator[None]:
    """Note under this name what commands change in the block; ``None`` leaves it to the settings.

    Raises:
        InvalidRequest: the name cannot be stored, or is empty.
    """
    if person is not None and not checked_name(person).strip():
        raise InvalidRequest("`--as` needs a name")
    token = PERSON.set(person)
    try:
        yield
    finally:
        PERSON.reset(token)


def operator() -> Actor:
    """Return the person who runs this command, as ``person@host``; in a container neither tells who it is."""
    person = PERSON.get() or get_settings().operator or _user()
    return Actor(ActorKind.OPERATOR, f"{person}@{socket.gethostname()}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A container whose user has no line in /etc/passwd.
        return "unknown"


def by_operator(
    session: Session,
    action: Action,
    subject: object,
    *,
    tenant_id: uuid.UUID | None = None,
    **details: Any,  # noqa: ANN401  # JSON, as `record` takes it
) -> None:
    """Note what a command changes, in its transaction."""
    record(session, operator(), action, subject, tenant_id=tenant_id, **details)


def show(arguments: argparse.Namespace) -> str:
    """Show who did what to what, and from where: the newest entries that fit, oldest first. Times are UTC.

    `WHO` is the first part of a key and its name, or an operator as person@host; `--as` of a command names the person.

    Raises:
        NotFound: there is no such tenant.
    """
    with transaction() as session:
        entry_filter = queries.AuditFilter(
            tenant_id=tenant_named(session, arguments.tenant).id if arguments.tenant else None,
            actor=arguments.by,
            action=arguments.action,
            subject=arguments.on,
            since=arguments.since,
            limit=arguments.limit,
        )
        entries = queries.find(session, entry_filter)
    return table(HEADINGS, [_row(*one) for one in entries]) if entries else "There are no such entries."


def _row(entry: AuditEntry, tenant: str | None, key: str | None) -> tuple[object, ...]:
    details = ", ".join(f"{name}={value}" for name, value in entry.details.items())
    owner = tenant or entry.tenant_id
    at = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    who = f"{entry.actor_kind} {entry.actor}" + (f" ({key})" if key else "")
    return (at, who, entry.address, entry.action, entry.subject, owner, details, entry.request_id)


def forget(arguments: argparse.Namespace) -> str:
    """Remove old entries. The removal is an entry itself; entries younger than 30 days always stay.

    Raises:
        InvalidRequest: the span is too short.
    """
    if arguments.older_than < LEAST:
        raise InvalidRequest(f"entries stay for {short(LEAST)} at least; got {short(arguments.older_than)}")
    with transaction() as session:
        gone = queries.forget(session, older_than=arguments.older_than)
        by_operator(session, Action.AUDIT_FORGET, short(arguments.older_than), entries=gone)
    return f"{gone} entries older than {short(arguments.older_than)} are removed."


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", metavar="NAME", help="only what belongs to this tenant")
    parser.add_argument(
        "--by", metavar="KEY", help="only what this key (the 12 characters after pb_) or person@host did"
    )
    parser.add_argument("--action", metavar="job.delete", help="only this; its first word alone, as `job`, takes all")
    parser.add_argument("--on", metavar="ID", help="only what was done to this job, webhook, key, ...")
    parser.add_argument("--since", type=moment, metavar="7d", help="2026-11-26T07:00:00Z, or a span")
    parser.add_argument("--limit", type=int, default=DEFAULT_LINES, help=f"most entries (default: {DEFAULT_LINES})")


def _forget_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("older_than", type=span, metavar="400d", help="30d at least")


COMMANDS = (
    Command("audit", "show who did what, when and from where", show, _show_arguments),
    Command("audit-forget", "remove old entries of the audit log", forget, _forget_arguments),
)
