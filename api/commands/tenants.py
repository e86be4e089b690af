"""Commands about tenants: make one, let it import, list them."""

import argparse

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from api.commands.command import Command
from api.commands.connect import transaction
from api.jobs.sources import SCHEME, parse_allowed
from api.keys import tenant_named
from shared.db.base import new_id
from shared.db.models import ApiKey, Tenant
from shared.errors import Conflict, InvalidRequest


def _normalised(uris: list[str]) -> list[str]:
    return [f"{SCHEME}{bucket}/{folder}" for bucket, folder in map(parse_allowed, uris)]


def create(arguments: argparse.Namespace) -> str:
    """Make a tenant.

    Raises:
        Conflict: there is one of this name.
        InvalidRequest: the weight or a source is wrong.
    """
    if arguments.weight < 1:
        raise InvalidRequest(f"a weight is a whole number from 1 on, not {arguments.weight}")
    sources = _normalised(arguments.allow_s3)
    with transaction() as session:
        made = session.execute(
            insert(Tenant)
            .values(id=new_id(), name=arguments.name, weight=arguments.weight, s3_sources=sources)
            .on_conflict_do_nothing(index_elements=[Tenant.name])
            .returning(Tenant.id)
        ).one_or_none()
    if made is None:
        raise Conflict(f"there is a tenant {arguments.name!r} already")
    return f"Tenant {arguments.name} is made. Give it a key: create-key --tenant {arguments.name} --name …"


def allow_s3(arguments: argparse.Namespace) -> str:
    """Let a tenant import from more places."""
    sources = _normalised(arguments.uri)
    with transaction() as session:
        tenant = tenant_named(session, arguments.tenant)
        tenant.s3_sources = list(dict.fromkeys([*tenant.s3_sources, *sources]))
        allowed = list(tenant.s3_sources)
    return f"Tenant {arguments.tenant} may import from: {', '.join(allowed)}"


def show(_: argparse.Namespace) -> str:
    """Every tenant, one a line."""
    with transaction() as session:
        rows = session.execute(
            select(Tenant.name, Tenant.weight, Tenant.s3_sources, func.count(ApiKey.id))
            .outerjoin(ApiKey, (ApiKey.tenant_id == Tenant.id) & ApiKey.revoked_at.is_(None))
            .group_by(Tenant.id)
            .order_by(Tenant.name)
        ).all()
    lines = [
        f"{name}\tweight {weight}\t{keys} keys\t{', '.join(sources) or 'no sources'}"
        for name, weight, sources, keys in rows
    ]
    return "\n".join(lines) or "There are no tenants; `create-tenant NAME` makes one."


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--weight", type=int, default=1, help="share of the workers against other tenants")
    parser.add_argument("--allow-s3", nargs="+", default=[], metavar="URI", help="sources, as s3://bucket/prefix")


def _allow_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tenant")
    parser.add_argument("uri", nargs="+", help="s3://bucket/prefix")


COMMANDS = (
    Command("create-tenant", "make a tenant", create, _create_arguments),
    Command("allow-s3", "let a tenant import from a bucket or prefix", allow_s3, _allow_arguments),
    Command("list-tenants", "list every tenant", show),
)
