import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from shared.metrics.definition import Program, Sampled, Table
from shared.metrics.definitions import TABLE
from shared.metrics.exposition import Exposition, Zeros
from shared.metrics.readings import Readings, number
from shared.settings import Settings

NONE_KNOWN: Zeros = {line.counts: () for line in TABLE if line.counts is not None}
DEPTH = Sampled("pond_depth_metres", "How deep it is.", ())
FISH = Sampled("pond_fish", "Who lives in it.", ("kind",))


def shown(readings: Readings) -> dict[tuple[str, str], float]:
    registry = CollectorRegistry()
    registry.register(readings)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(s.name, s.labels.get("kind", "")): s.value for family in families for s in family.samples}


def test_numbers_are_read_at_every_scrape() -> None:
    depths = iter([1.0, 2.0])
    readings = Readings({DEPTH: number(lambda: next(depths)), FISH: lambda: [(("carp",), 3), (("pike",), 1)]})
    assert shown(readings) == {("pond_depth_metres", ""): 1.0, ("pond_fish", "carp"): 3.0, ("pond_fish", "pike"): 1.0}
    assert shown(readings)["pond_depth_metres", ""] == 2.0


def test_a_number_that_cannot_be_read_hides_no_other() -> None:
    def fail() -> float:
        raise OSError("no water")

    assert shown(Readings({DEPTH: number(fail), FISH: lambda: [(("carp",), 3)]})) == {("pond_fish", "carp"): 3.0}


def test_a_name_stands_once() -> None:
    table = Table()
    table.sampled("pond_fish", (Program.API,), "Who lives in it.")
    with pytest.raises(ValueError, match="pond_fish"):
        table.counter("pond_fish", (Program.API,), "Who was caught.")


@pytest.mark.parametrize("program", Program)
def test_without_a_port_nothing_listens(program: Program) -> None:
    exposition = Exposition(program, NONE_KNOWN)
    exposition.serve(Settings(database_url="postgresql://x/x", redis_url="redis://x", s3_bucket="x", metrics_port=0))
    exposition.close()
