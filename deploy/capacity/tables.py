"""The tables that the command prints, in Markdown: ``docs/scaling.md`` has them word for word."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from deploy.capacity.arrivals import HOUR
from deploy.capacity.ends import ends_of
from deploy.capacity.inputs import SOURCES_OF_GPU, Inputs, WorkerClass
from deploy.capacity.money import money_per_1000
from deploy.capacity.needs import Needs, needs_of
from deploy.capacity.outcome import percentile
from deploy.capacity.plan import Plan, plan

SECTIONS = ("load", "target", "work", "scaling", "measured", "prices", "connections", "limits")


def scaling_tables(inputs: Inputs, scales: Sequence[int]) -> str:
    """Workers, servers and money for each number of images a day."""
    plans = [plan(inputs, kind, images) for kind in inputs.workers for images in scales]
    needs = [needs_of(inputs, made) for made in plans]
    return "\n\n".join([_workers(plans, inputs), _servers(plans, needs), _money(inputs, plans, needs), _ends(inputs)])


def input_table(inputs: Inputs) -> str:
    """Every input with its unit and where it comes from."""
    rows: list[tuple[str, ...]] = [
        (f"{section}.{one.name}", _value(getattr(of, one.name)), one.metadata["unit"], one.metadata["source"])
        for section in SECTIONS
        for of in [getattr(inputs, section)]
        for one in fields(of)
    ]
    rows += [row for kind in inputs.workers for row in _rows_of_kind(kind)]
    return _table(("input", "value", "unit", "from"), rows)


def _rows_of_kind(kind: WorkerClass) -> Iterable[tuple[str, ...]]:
    for one in fields(kind):
        if one.name != "name":
            source = SOURCES_OF_GPU[one.name] if kind.name.startswith("gpu") else one.metadata["source"]
            yield f"workers: {kind.name}.{one.name}", _value(getattr(kind, one.name)), one.metadata["unit"], source


def _workers(plans: Sequence[Plan], inputs: Inputs) -> str:
    share = inputs.target.share
    heads = ("images a day", "workers", "worker hours a day", f"wait p50, p{share * 100:.0f}", "slowest job",
             "interactive p95", "images/s at the peak")  # fmt: skip
    return _table(heads, [_worker_row(made, share) for made in plans])


def _worker_row(made: Plan, share: float) -> tuple[str, ...]:
    day = made.outcome
    return (
        f"{made.images:,}",
        f"{made.workers} x {made.kind.name}",
        f"{day.worker_seconds / HOUR:.1f}",
        f"{percentile(day.waits, 0.5):.0f} s, {percentile(day.waits, share):.0f} s",
        f"{max(day.job_seconds.values()):.0f} s",
        f"{percentile(day.urgent_waits, 0.95):.1f} s",
        f"{day.peak_images_per_second:.0f}",
    )


def _servers(plans: Sequence[Plan], needs: Sequence[Needs]) -> str:
    heads = ("", *(f"{made.images:,}, {made.kind.name}" for made in plans))
    return _table(heads, [(what, *(shown(need) for need in needs)) for what, shown in SERVER_ROWS])


SERVER_ROWS: tuple[tuple[str, Any], ...] = (
    ("PostgreSQL: rows a day", lambda need: f"{need.postgres.rows_a_day / 1e6:.1f} million"),
    ("PostgreSQL: growth a month", lambda need: f"{need.postgres.gb_a_month:.0f} GB"),
    ("PostgreSQL: write-ahead log a day", lambda need: f"{need.postgres.wal_gb_a_day:.0f} GB"),
    ("PostgreSQL: transactions/s at the peak", lambda need: f"{need.postgres.transactions_peak:.0f}"),
    ("PostgreSQL: processors", lambda need: f"{need.postgres.processors}"),
    ("PostgreSQL: connections", lambda need: f"{need.postgres.connections}"),
    ("Redis: commands/s at the peak", lambda need: f"{need.redis_commands_peak:.0f}"),
    ("API: processors", lambda need: f"{need.api_processors}"),
    ("S3: requests a day", lambda need: f"{need.objects.requests / 1e6:.1f} million"),
    ("S3: reads/s at the peak", lambda need: f"{need.objects.gets_peak:.0f}"),
    ("S3: photographs a day", lambda need: f"{need.objects.gb_a_day:,.0f} GB"),
    ("S3: photographs kept", lambda need: f"{need.objects.gb_kept / 1000:.1f} TB"),
)


def _money(inputs: Inputs, plans: Sequence[Plan], needs: Sequence[Needs]) -> str:
    columns = [money_per_1000(inputs, made, need) for made, need in zip(plans, needs, strict=True)]
    heads = ("$ per 1,000 images", *(f"{made.images:,}, {made.kind.name}" for made in plans))
    rows = [(part, *(f"{column[part]:.4f}" for column in columns)) for part in columns[0]]
    rows.append(("**together**", *(f"**{sum(column.values()):.4f}**" for column in columns)))
    return _table(heads, rows)


def _ends(inputs: Inputs) -> str:
    hours = inputs.load.arrive_until - inputs.load.arrive_from
    rows = [
        (
            end.part,
            end.what,
            f"{end.images_per_second:,.0f}",
            f"{end.images_per_second * hours * HOUR / 1e6:,.0f} million",
        )
        for end in ends_of(inputs)
    ]
    return _table(("part", "ends at", "images/s", f"images in the {hours:g} hours"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _value(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value}"
