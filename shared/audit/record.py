"""The one way into the audit log."""

import uuid
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import event
from sqlalchemy.orm import Session

from shared.contracts import stored
from shared.contracts.audit import Action, ActorKind
from shared.db.models import AuditEntry

log = structlog.get_logger()

MAX_ADDRESS = 128


@dataclass(frozen=True, slots=True)
class Actor:
    """The actor: a key by its prefix, an operator as ``person@host``; with the address and the request."""

    kind: ActorKind
    name: str
    address: str | None = None
    request_id: str | None = None


def record(
    session: Session,
    actor: Actor,
    action: Action,
    subject: object,
    *,
    tenant_id: uuid.UUID | None = None,
    **details: Any,  # noqa: ANN401  # JSON: counts, names of fields
) -> None:
    """Note a change in the transaction that makes it: both are stored, or neither.

    Actions of clients are also logged, after the commit; those of commands are not, because their operator sees the
    answer.

    Args:
        session: the transaction of the change.
        actor: requested it.
        action: the change.
        subject: the id of the changed thing.
        tenant_id: its tenant.
        details: more about the change; never a secret, and no text of people.
    """
    entry = {
        "actor_kind": actor.kind.value,
        "actor": stored.words(actor.name),
        "action": action.value,
        "subject": stored.words(str(subject)),
        "address": None if actor.address is None else stored.words(actor.address, MAX_ADDRESS),
        "request_id": actor.request_id,
    }
    session.add(AuditEntry(**entry, tenant_id=tenant_id, details=details))
    if actor.kind is ActorKind.OPERATOR:
        return
    owner = None if tenant_id is None else str(tenant_id)

    def log_entry(_: Session) -> None:
        log.info("audit", **entry, tenant_id=owner, details=details)

    event.listen(session, "after_commit", log_entry, once=True)
