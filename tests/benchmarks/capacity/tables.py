"""The tables that the command prints, in Markdown: ``docs/scaling.md`` has them word for word."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from tests.benchmarks.capacity.arrivals import HOUR
from tests.benchmarks.capacity.ends import ends_of
from tests.benchmarks.capacity.flights import flights_of
from tests.benchmarks.capacity.inputs import GPU, SOURCES_OF_GPU, Inputs, WorkerClass
from tests.benchmarks.capacity.money import money_per_1000
from tests.benchmarks.capacity.needs import Needs, needs_of
from tests.benchmarks.capacity.outcome import percentile
from tests.benchmarks.capacity.plan import Plan, plan

CAMERAS = ((4000, 3000), (5472, 3648), (8064, 6048))  # 12, 20 and 48 megapixels, as drones and telephones have them
SECTIONS = ("load", "target", "work", "scaling", "measured", "prices", "connections", "flights", "limits")


def scaling_tables(inputs: Inputs, scales: Sequence[int]) -> str:
    """Workers, servers and money for each number of images a day, and the flights of a processor."""
    plans = [plan(inputs, kind, images) for kind in inputs.workers for images in scales]
    needs = [needs_of(inputs, made) for made in plans]
    tables = [_workers(plans, inputs), _servers(plans, needs), _money(inputs, plans, needs), _ends(inputs)]
    return "\n\n".join([*tables, _flights(inputs)])


def input_table(inputs: Inputs) -> str:
    """Every input with its unit and where it comes from."""
    rows = [
        row for section in SECTIONS for row in _rows(section, getattr(inputs, section), getattr(Inputs(), section), {})
    ]
    for kind in inputs.workers:
        default, sources = (GPU, SOURCES_OF_GPU) if kind.name == GPU.name else (WorkerClass(), {})
        rows += _rows(f"workers: {kind.name}", kind, default, sources)
    return _table(("input", "value", "unit", "from"), rows)


def _rows(section: str, given: Any, default: Any, sources: Mapping[str, str]) -> Iterable[tuple[str, ...]]:  # noqa: ANN401  # sections
    for one in fields(given):
        value = getattr(given, one.name)
        if isinstance(value, str):
            continue
        source = sources.get(one.name, one.metadata["source"])
        came_from = source if value == getattr(default, one.name) else "yours"
        yield f"{section}.{one.name}", _value(value), one.metadata["unit"], came_from


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
    waiting = ("PostgreSQL: open chunks at most", *(f"{made.outcome.most_open_chunks:,}" for made in plans))
    return _table(heads, [waiting, *((what, *(shown(need) for need in needs)) for what, shown in SERVER_ROWS)])


SERVER_ROWS: tuple[tuple[str, Any], ...] = (
    ("PostgreSQL: rows a day", lambda need: f"{need.postgres.rows_a_day / 1e6:.1f} million"),
    ("PostgreSQL: growth a month", lambda need: f"{need.postgres.gb_a_month:.0f} GB"),
    ("PostgreSQL: results kept", lambda need: f"{need.postgres.results_kept / 1e6:,.0f} million"),
    ("PostgreSQL: all that is kept", lambda need: f"{need.postgres.gb_kept:,.0f} GB"),
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


def _flights(inputs: Inputs) -> str:
    heads = (f"{inputs.flights.photographs:,} photographs of", "tiles each", "tiles", "one processor needs",
             "flights a day per core")  # fmt: skip
    rows = [
        (
            f"{flight.width:,} x {flight.height:,} ({flight.width * flight.height / 1e6:.0f} megapixels)",
            f"{flight.tiles_each:,}",
            f"{flight.tiles:,}",
            f"{flight.seconds / 60:.0f} minutes",
            f"{flight.a_day:.0f}",
        )
        for flight in flights_of(inputs.flights, CAMERAS)
    ]
    return _table(heads, rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _value(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value}"
