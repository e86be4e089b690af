"""Statements that PostgreSQL gets, and the plans by which it answers them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.sql import quote
from sqlalchemy import Connection, Engine, event

from shared.db.session import BEGIN

DISABLED_COST = 1e10  # disable_cost of costsize.c, up to PostgreSQL 17


@dataclass(frozen=True, slots=True)
class Statement:
    """As it went to psycopg."""

    sql: str
    parameters: dict[str, Any]


@contextmanager
def statements(engine: Engine | type[Engine]) -> Iterator[list[Statement]]:
    """Every statement of the block but the beginnings of transactions, of one engine or of all."""
    seen: list[Statement] = []

    def note(_connection: object, _cursor: object, sql: str, parameters: Any, *_: object) -> None:  # noqa: ANN401
        if not sql.startswith(BEGIN):
            seen.append(Statement(sql, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a statement was answered: ``walked`` are its nodes with the index that they used, if any.

    ``disabled`` are the nodes that it has although they are switched off.
    """

    walked: set[tuple[str, str | None]]
    buffers: int
    rows: int
    disabled: set[str]

    @property
    def kinds(self) -> set[str]:
        """The kinds of its nodes."""
        return {kind for kind, _ in self.walked}


def explain(engine: Engine, *asked: Statement, generic: bool = False) -> Plan:
    """Run statements, and see how the last one is; ``generic``: as psycopg's prepared ones from the tenth time on."""
    how = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)"
    *before, last = asked
    with engine.begin() as connection:
        for one in before:
            connection.exec_driver_sql(one.sql, one.parameters)
        sql = _prepare(connection, last) if generic else last.sql
        top = connection.exec_driver_sql(f"{how} {sql}", last.parameters).scalar_one()[0]["Plan"]
    walked = {(node["Node Type"], node.get("Index Name")) for node in _nodes(top)}
    return Plan(
        walked,
        top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        int(top["Actual Rows"]),
        {node["Node Type"] for node in _nodes(top) if _is_disabled(node)},
    )


def _prepare(connection: Connection, asked: Statement) -> str:
    """Prepare a statement for this connection; the one that runs it, with the same values."""
    name = f"explained_{secrets.token_hex(4)}"
    numbered = asked.sql % {parameter: f"${number}" for number, parameter in enumerate(asked.parameters, 1)}
    connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
    connection.exec_driver_sql(f"PREPARE {name} AS {numbered}")
    return f"EXECUTE {name} ({', '.join(quote(value) for value in asked.parameters.values())})".replace("%", "%%")


def _is_disabled(node: dict[str, Any]) -> bool:
    """PostgreSQL 18 says it; older ones add to the cost of the node, and so to those above it."""
    below = sum(inner["Total Cost"] for inner in node.get("Plans", []))
    return bool(node.get("Disabled")) or node["Total Cost"] - below > DISABLED_COST / 2


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", []):
        yield from _nodes(inner)
