"""What PostgreSQL does for an export is a walk along primary keys, whatever its statistics say."""

import uuid
from typing import Any

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.dialects import postgresql

from shared.db.models import Image, Result
from shared.db.plans import walk_in_order
from shared.db.session import Database
from shared.exports.columns import selected
from shared.exports.rows import of_job
from shared.exports.sheet import _facts
from shared.jobs.results import ResultFilter

pytestmark = pytest.mark.plans


def plan_of(database: Database, query: Select[Any]) -> str:
    """The plan for a job that is in no statistics: here, because there is none."""
    sql = str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    with database.begin() as session:
        walk_in_order(session)
        return "\n".join(session.execute(text(f"EXPLAIN {sql.replace(':', chr(92) + ':')}")).scalars())


def assert_walks_keys(plan: str) -> None:
    assert plan.count("Merge") >= 2, plan
    assert "Nested Loop" not in plan, plan
    assert "pk_results" in plan, plan
    assert "pk_images" in plan, plan


def test_a_page_walks_the_primary_keys(database: Database) -> None:
    page = of_job(select(*selected()), uuid.uuid4(), upto=10, only=ResultFilter(label="rust"))
    behind = page.where(Result.seq > 5, Image.seq > 5).order_by(Result.seq).limit(2000)
    assert_walks_keys(plan_of(database, behind))


def test_the_facts_of_an_export_walk_them_too(database: Database) -> None:
    assert_walks_keys(plan_of(database, of_job(_facts(), uuid.uuid4(), upto=10, only=ResultFilter())))
