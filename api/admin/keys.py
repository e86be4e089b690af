"""Commands about API keys: make, list, revoke."""

import argparse

from sqlalchemy import func, select, update

from api.admin.audit import by_operator
from api.admin.command import Command
from api.admin.connect import transaction
from api.admin.table import table
from shared.access import keys
from shared.contracts.audit import Action
from shared.contracts.stored import MAX_DAYS
from shared.db.models import ApiKey, Tenant
from shared.errors import InvalidRequest, NotFound

HEADINGS = ("KEY", "TENANT", "NAME", "SCOPES", "STATE", "LAST USED", "EXPIRES")


def generate(_: argparse.Namespace) -> str:
    """Print a random key that is stored nowhere: for PHYTOBATCH_BOOTSTRAP_API_KEY."""
    return keys.generate().text


def create(arguments: argparse.Namespace) -> str:
    """Make a key and show it, this once.

    Raises:
        NotFound: there is no such tenant.
        InvalidRequest: a scope or the number of days is wrong.
    """
    scopes = keys.parse_scopes(arguments.scopes)
    name = keys.checked_name(arguments.name)
    days = arguments.expires_days
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise InvalidRequest(f"a key expires after 1 to {MAX_DAYS} whole days, not {days}; leave it out for never")
    key = keys.generate()
    with transaction() as session:
        tenant = keys.tenant_named(session, arguments.tenant)
        keys.store(session, tenant.id, key, name=name, scopes=scopes, days=days)
        by_operator(session, Action.KEY_CREATE, key.prefix, tenant_id=tenant.id, scopes=[str(one) for one in scopes])
    return key.text


def show(_: argparse.Namespace) -> str:
    """List every key, without its secret. `LAST USED` is right to the minute (UTC)."""
    with transaction() as session:
        rows = session.execute(
            select(ApiKey, Tenant.name, (ApiKey.expires_at <= func.now()).label("expired"))
            .join(Tenant, Tenant.id == ApiKey.tenant_id)
            .order_by(Tenant.name, ApiKey.created_at)
        ).all()
    if not rows:
        return "There are no keys; `create-key` makes one."
    return table(HEADINGS, [_row(*row) for row in rows])


def _row(key: ApiKey, tenant: str, expired: bool | None) -> tuple[object, ...]:  # noqa: FBT001  # a column
    state = "revoked" if key.revoked_at else "expired" if expired else "good"
    used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
    ends = f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "never"
    return (key.prefix, tenant, key.name, ",".join(key.scopes), state, used, ends)


def revoke(arguments: argparse.Namespace) -> str:
    """Revoke a key: it stops working at once. Repeating it is harmless.

    Raises:
        NotFound: there is no such key.
    """
    with transaction() as session:
        revoked = session.execute(
            update(ApiKey)
            .where(ApiKey.prefix == arguments.prefix)
            .values(revoked_at=func.coalesce(ApiKey.revoked_at, func.now()))
            .returning(ApiKey.name, ApiKey.tenant_id)
        ).one_or_none()
        if revoked is not None:
            by_operator(session, Action.KEY_REVOKE, arguments.prefix, tenant_id=revoked.tenant_id)
    if revoked is None:
        raise NotFound(f"there is no key {arguments.prefix!r}; `list-keys` shows the first parts of all")
    return f"The key {arguments.prefix} ({revoked.name}) is revoked."


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--name", required=True, help="the person or program that uses it")
    parser.add_argument("--scopes", required=True, metavar="submit,read", help="submit, read, admin")
    parser.add_argument("--expires-days", type=int, metavar="N", help="default: never")


def _revoke_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prefix", help="the 12 characters after pb_")


COMMANDS = (
    Command("generate-key", "print a random key for PHYTOBATCH_BOOTSTRAP_API_KEY", generate),
    Command("create-key", "make an API key and print it once", create, _create_arguments),
    Command("list-keys", "list every key, without secrets", show),
    Command("revoke-key", "make a key invalid at once", revoke, _revoke_arguments),
)
