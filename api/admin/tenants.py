"""Commands about tenants: make one, weigh it, let it import, list them."""

import argparse

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from api.admin.audit import by_operator
from api.admin.command import Command
from api.admin.connect import transaction
from api.admin.table import table
from shared.access import keys
from shared.access.keys import tenant_named
from shared.access.sources import SCHEME, parse_allowed
from shared.contracts.audit import Action
from shared.contracts.states import JobState
from shared.db.base import new_id
from shared.db.models import ApiKey, Job, Pause, Tenant
from shared.db.models.job import ACTIVE
from shared.errors import Conflict, InvalidRequest, NotFound

MAX_WEIGHT = 1_000_000
HEADINGS = ("TENANT", "WEIGHT", "KEYS", "JOBS AT WORK", "JOBS", "PAUSED", "SOURCES")


def _normalised(uris: list[str]) -> list[str]:
    return [f"{SCHEME}{bucket}/{folder}" for bucket, folder in map(parse_allowed, uris)]


def _check_weight(weight: int) -> None:
    if not 1 <= weight <= MAX_WEIGHT:
        raise InvalidRequest(f"a weight is a whole number from 1 to {MAX_WEIGHT}, not {weight}")


def create(arguments: argparse.Namespace) -> str:
    """Make a tenant.

    Raises:
        Conflict: there is one of this name.
        InvalidRequest: the weight or a source is wrong.
    """
    _check_weight(arguments.weight)
    keys.checked_name(arguments.name)
    sources = _normalised(arguments.allow_s3)
    with transaction() as session:
        created = session.execute(
            insert(Tenant)
            .values(id=new_id(), name=arguments.name, weight=arguments.weight, s3_sources=sources)
            .on_conflict_do_nothing(index_elements=[Tenant.name])
            .returning(Tenant.id)
        ).one_or_none()
        if created is not None:
            by_operator(session, Action.TENANT_CREATE, arguments.name, tenant_id=created.id, weight=arguments.weight)
    if created is None:
        raise Conflict(f"there is a tenant {arguments.name!r} already")
    return f"Tenant {arguments.name} is made. Give it a key: create-key --tenant {arguments.name} --name …"


def weigh(arguments: argparse.Namespace) -> str:
    """Change a tenant's share of the workers; the next claim goes by it.

    Raises:
        NotFound: there is no such tenant.
        InvalidRequest: the weight is wrong.
    """
    _check_weight(arguments.weight)
    with transaction() as session:
        tenant = tenant_named(session, arguments.tenant)
        before, tenant.weight = tenant.weight, arguments.weight
        by_operator(session, Action.TENANT_CHANGE, tenant.name, tenant_id=tenant.id, weight=arguments.weight)
    return f"Tenant {arguments.tenant} has the weight {arguments.weight} now (before: {before})."


def allow_s3(arguments: argparse.Namespace) -> str:
    """Let a tenant import from more places."""
    sources = _normalised(arguments.uri)
    with transaction() as session:
        tenant = tenant_named(session, arguments.tenant)
        tenant.s3_sources = list(dict.fromkeys([*tenant.s3_sources, *sources]))
        allowed = list(tenant.s3_sources)
        by_operator(session, Action.TENANT_CHANGE, tenant.name, tenant_id=tenant.id, allowed=sources)
    return f"Tenant {arguments.tenant} may import from: {', '.join(allowed)}"


def deny_s3(arguments: argparse.Namespace) -> str:
    """Let a tenant no longer import from places; jobs that were created before go on.

    Raises:
        NotFound: there is no such tenant, or a place is not on its list.
    """
    sources = _normalised(arguments.uri)
    with transaction() as session:
        tenant = tenant_named(session, arguments.tenant)
        if unknown := [source for source in sources if source not in tenant.s3_sources]:
            raise NotFound(
                f"{', '.join(unknown)} is not on the list of {arguments.tenant}; on it: "
                f"{', '.join(tenant.s3_sources) or 'nothing'}"
            )
        tenant.s3_sources = [source for source in tenant.s3_sources if source not in sources]
        allowed = list(tenant.s3_sources)
        by_operator(session, Action.TENANT_CHANGE, tenant.name, tenant_id=tenant.id, denied=sources)
    return f"Tenant {arguments.tenant} may import from: {', '.join(allowed) or 'nowhere'}"


def show(_: argparse.Namespace) -> str:
    """List every tenant: weight, valid keys, running jobs and all, its pause, and its sources for imports."""
    keys = (
        select(func.count())
        .where(ApiKey.tenant_id == Tenant.id, ApiKey.revoked_at.is_(None))
        .where(func.coalesce(ApiKey.expires_at > func.now(), True))
        .scalar_subquery()
    )
    jobs = select(func.count()).select_from(Job).where(Job.tenant_id == Tenant.id)
    running = jobs.where(ACTIVE).scalar_subquery()
    created = jobs.where(Job.state != JobState.DRAFT, Job.deleted_at.is_(None)).scalar_subquery()
    paused = select(func.to_char(Pause.created_at, "MM-DD HH24:MI")).where(Pause.tenant_id == Tenant.id)
    with transaction() as session:
        rows = session.execute(
            select(
                Tenant.name, Tenant.weight, keys, running, created, paused.scalar_subquery(), Tenant.s3_sources
            ).order_by(Tenant.name)
        ).all()
    if not rows:
        return "There are no tenants; `create-tenant NAME` makes one."
    return table(HEADINGS, [(*row[:-1], ", ".join(row[-1])) for row in rows])


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--weight", type=int, default=1, help="share of the workers, relative to other tenants")
    parser.add_argument("--allow-s3", nargs="+", default=[], metavar="URI", help="sources, as s3://bucket/prefix")


def _weigh_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tenant")
    parser.add_argument("weight", type=int, help="share of the workers, relative to other tenants")


def _source_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tenant")
    parser.add_argument("uri", nargs="+", help="s3://bucket/prefix")


COMMANDS = (
    Command("create-tenant", "make a tenant", create, _create_arguments),
    Command("set-weight", "change a tenant's share of the workers", weigh, _weigh_arguments),
    Command("allow-s3", "let a tenant import from a bucket or prefix", allow_s3, _source_arguments),
    Command("deny-s3", "let a tenant no longer import from a bucket or prefix", deny_s3, _source_arguments),
    Command("list-tenants", "list every tenant", show),
)
