"""Commands about limits: give a tenant limits of its own, and show limits and use."""

import argparse
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.admin.audit import by_operator
from api.admin.command import Command
from api.admin.connect import transaction
from api.admin.table import table
from shared.access.keys import tenant_named
from shared.contracts.audit import Action
from shared.contracts.stored import MAX_DAYS
from shared.db.models import Tenant
from shared.db.models.access import LIMITS_OF_TENANTS
from shared.errors import InvalidRequest
from shared.limits.quotas import usage
from shared.limits.tenant import effective
from shared.settings import Settings, get_settings

HEADINGS = ("TENANT", "LIMIT", "HOLDS", "FROM", "USED")
DEFAULT = "default"
MAX_DIGITS = 10
FOR_EVER = {"keep_days_results": "for ever", "keep_days_originals": "as long as the job"}


def set_limits(arguments: argparse.Namespace) -> str:
    """Give a tenant limits of its own; the next request, claim and sweep go by them.

    A number, 0 for no limit (of days: for ever), or `default` for the setting of the same name. What is not named stays
    as it is. What a tenant has open above a new limit goes on.

    Raises:
        NotFound: there is no such tenant.
        InvalidRequest: no limit is named, or a value is no number.
    """
    options = {name: getattr(arguments, name) for name in LIMITS_OF_TENANTS if getattr(arguments, name) is not None}
    if not options:
        names = ", ".join(_option(name) for name in LIMITS_OF_TENANTS)
        raise InvalidRequest(f"name at least one limit: {names}")
    values = {name: _value(name, text) for name, text in options.items()}
    with transaction() as session:
        tenant = tenant_named(session, arguments.tenant)
        for name, value in values.items():
            setattr(tenant, name, value)
        session.flush()
        by_operator(session, Action.TENANT_CHANGE, tenant.name, tenant_id=tenant.id, **values)
        return table(HEADINGS, _rows(session, tenant, get_settings()))


def show(arguments: argparse.Namespace) -> str:
    """Show the limits of each tenant, where each comes from, and what the tenant uses now.

    Raises:
        NotFound: there is no such tenant.
    """
    settings = get_settings()
    with transaction() as session:
        if arguments.tenant is not None:
            tenants: Sequence[Tenant] = [tenant_named(session, arguments.tenant)]
        else:
            tenants = session.scalars(select(Tenant).order_by(Tenant.name)).all()
        rows = [row for tenant in tenants for row in _rows(session, tenant, settings)]
    return table(HEADINGS, rows) if rows else "There are no tenants; `create-tenant NAME` makes one."


def _rows(session: Session, tenant: Tenant, settings: Settings) -> list[tuple[object, ...]]:
    used = usage(session, tenant.id)
    uses = {"max_open_jobs": used.jobs, "max_pending_images": used.images, "max_pending_tiles": used.tiles}
    return [
        (tenant.name, name, _holds(tenant, settings, name), _from(tenant, name), uses.get(name, ""))
        for name in LIMITS_OF_TENANTS
    ]


def _holds(tenant: Tenant, settings: Settings, name: str) -> object:
    return effective(getattr(tenant, name), getattr(settings, name)) or FOR_EVER.get(name, "no limit")


def _from(tenant: Tenant, name: str) -> str:
    return "setting" if getattr(tenant, name) is None else "tenant"


def _value(name: str, text: str) -> int | None:
    if text == DEFAULT:
        return None
    highest = MAX_DAYS if name in FOR_EVER else 2**31 - 1
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS) or int(text) > highest:
        raise InvalidRequest(
            f"{_option(name)} takes a whole number up to {highest}, 0 for no limit, or `default`; not {text[:40]!r}"
        )
    return int(text)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _set_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tenant")
    for name in LIMITS_OF_TENANTS:
        meaning = Settings.model_fields[name].description or ""
        parser.add_argument(_option(name), metavar="N", help=meaning.replace("%", "%%"))


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tenant", nargs="?", help="default: all")


COMMANDS = (
    Command("set-limits", "give a tenant limits and days of its own", set_limits, _set_arguments),
    Command("show-limits", "show the limits of tenants, and what they use", show, _show_arguments),
)
