"""`None` and `not scraped` look different: every series that is known is there, at zero, before its first event."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, Counter, Histogram

from api.main import ROUTERS
from api.metrics.requests import WAITING_BY_QUERY, WAITING_ROUTES
from api.metrics.zeros import api_zeros
from shared.metrics.definition import Definition, Program
from shared.metrics.definitions import TABLE
from shared.metrics.exposition import Exposition, Zeros
from worker.beat import BEAT_ZEROS
from worker.metrics import WORKER_ZEROS
from worker.webhooks.metrics import DELIVERER_ZEROS

ZEROS: dict[Program, Callable[[], Zeros]] = {
    Program.API: lambda: api_zeros(ROUTERS),
    Program.WORKER: lambda: WORKER_ZEROS,
    Program.DELIVERER: lambda: DELIVERER_ZEROS,
    Program.BEAT: lambda: BEAT_ZEROS,
}
LABELLED = [
    (program, line) for line in TABLE if line.labels and line.counts is not None for program in sorted(line.programs)
]
# A scrape every 15 seconds carries all of them, from each process.
MAX_SERIES = {Program.API: 2500, Program.WORKER: 1200, Program.DELIVERER: 100, Program.BEAT: 20}
# Bounds of histograms below the first minutes; what takes longer is not waited for on purpose.
WIDEST_STEP, WIDEST_STEP_OF_WAITS = 2.5, 1.5
HALF_A_MINUTE, THREE_MINUTES = 30.0, 180.0


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics as they are in a process that has just started: this one has counted already."""
    for line in TABLE:
        if line.labels and line.counts is not None:
            monkeypatch.setattr(line.counts, "_metrics", {})


def series(counts: Counter | Histogram) -> dict[tuple[str, ...], float]:
    """The values of the labels of each series, and how much was counted in it."""
    return {
        tuple(value for name, value in sample.labels.items() if name != "le"): sample.value
        for family in counts.collect()
        for sample in family.samples
        if sample.name.endswith(("_total", "_count"))
    }


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("program", "line"), LABELLED, ids=lambda value: getattr(value, "name", str(value)))
def test_each_counter_and_histogram_with_labels_begins_at_zero(program: Program, line: Definition) -> None:
    Exposition(program, ZEROS[program]())
    assert line.counts is not None
    found = series(line.counts)
    assert found
    assert set(found.values()) == {0}
    # Where every label takes few values, each of them is there.
    assert all(len(values) == len(line.labels) for values in found)


@pytest.mark.parametrize("program", Program)
def test_a_metric_that_nobody_says_the_beginning_of_stops_the_program(program: Program) -> None:
    labelled = [line for line in TABLE if program in line.programs and line.labels and line.counts is not None]
    for forgotten in labelled:
        zeros = {counts: values for counts, values in ZEROS[program]().items() if counts is not forgotten.counts}
        with pytest.raises(ValueError, match=f"{forgotten.name} has labels"):
            Exposition(program, zeros)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("program", Program)
def test_a_scrape_of_a_program_that_has_just_started_stays_small(program: Program) -> None:
    registry = CollectorRegistry()
    Exposition(program, ZEROS[program]())
    for line in TABLE:
        if line.counts is not None and program in line.programs:
            registry.register(line.counts)
    assert sum(len(family.samples) for family in registry.collect()) < MAX_SERIES[program]


def test_every_route_that_can_wait_is_known_as_one() -> None:
    takes_wait = {
        route.path
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "wait" in {parameter.name for parameter in route.dependant.query_params}
    }
    assert takes_wait == WAITING_BY_QUERY
    assert not WAITING_BY_QUERY & WAITING_ROUTES


def bounds(counts: Histogram) -> list[float]:
    return [bound for bound in counts._upper_bounds if bound != float("inf")]


@pytest.mark.parametrize(
    "line", [line for line in TABLE if isinstance(line.counts, Histogram)], ids=lambda line: line.name
)
def test_a_quantile_is_not_far_from_what_was_measured(line: Definition) -> None:
    """Prometheus knows the bucket alone, so that what it says may be wrong by as much as the next bound is larger."""
    assert isinstance(line.counts, Histogram)
    steps = list(pairwise(bounds(line.counts)))
    assert all(upper / lower <= (3.0 if lower >= 1200 else WIDEST_STEP) for lower, upper in steps)
    if "wait" in line.name:
        waits = [upper / lower for lower, upper in steps if HALF_A_MINUTE <= lower < THREE_MINUTES]
        assert waits
        assert max(waits) <= WIDEST_STEP_OF_WAITS
