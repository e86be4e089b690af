"""Rules and dashboards ask for metrics and labels that the programs have."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, ProcessCollector

from shared.metrics.definitions import TABLE
from tests.contract.observe.exported import EXPORTED
from tests.contract.observe.files import DASHBOARDS, panels, queries, rules

FOREIGN = re.compile(
    r"(?<![:\w])((?:node|pg|redis|SeaweedFS|caddy|alertmanager|prometheus|scrape)_\w+)(?:\{([^}]*)\})?"
)
METRIC = re.compile(r"(?<![:\w])((?:phytobatch|process)_\w+)(?:\{([^}]*)\})?")
RECORD = re.compile(r"phytobatch:[\w:]+")
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
# Of a histogram Prometheus stores three.
PARTS = {"histogram": ("_bucket", "_sum", "_count")}
# Columns of a dashboard.
WIDTH = 24
# Prometheus puts these on every series.
TARGET = {"job", "instance"}
KNOWN = {line.name + part: set(line.labels) for line in TABLE for part in PARTS.get(line.kind, ("",))}
PROCESS = {
    sample.name for family in ProcessCollector(registry=CollectorRegistry()).collect() for sample in family.samples
}


@pytest.mark.parametrize(("place", "query"), list(queries()))
def test_a_query_asks_for_what_the_programs_have(place: str, query: str) -> None:
    for name, selector in METRIC.findall(query):
        if name.startswith("process_"):
            assert name in PROCESS, f"{place}: no process has {name}"
            continue
        assert name in KNOWN, f"{place}: {name} is not in shared/metrics/definitions.py"
        unknown = set(LABEL.findall(selector)) - KNOWN[name] - TARGET
        assert unknown == set(), f"{place}: {name} has no label {unknown}"


@pytest.mark.parametrize(("place", "query"), list(queries()))
def test_a_query_asks_for_what_the_exporters_show(place: str, query: str) -> None:
    for name, selector in FOREIGN.findall(query):
        assert name in EXPORTED, f"{place}: no exporter of ours shows {name}; is it in exported.py?"
        unknown = set(LABEL.findall(selector)) - EXPORTED[name] - TARGET
        assert unknown == set(), f"{place}: {name} has no label {unknown}"


def test_whatever_the_exporters_are_said_to_show_is_asked_for() -> None:
    asked = {name for _, query in queries() for name, _ in FOREIGN.findall(query)}
    assert set(EXPORTED) - asked == set()


@pytest.mark.parametrize(("place", "query"), list(queries()))
def test_a_query_asks_for_records_that_are_made(place: str, query: str) -> None:
    made = {rule["record"] for rule in rules() if "record" in rule}
    assert set(RECORD.findall(query)) - made == set(), place


def test_every_metric_of_the_manual_is_shown_or_watched() -> None:
    asked = {name for _, query in queries() for name, _ in METRIC.findall(query)}
    unseen = [line.name for line in TABLE if not asked & {line.name + part for part in PARTS.get(line.kind, ("",))}]
    assert unseen == [], "give them a panel in deploy/observe/grafana/dashboards"


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_a_panel_without_data_does_not_look_like_one_with_nothing_to_show(dashboard: Path) -> None:
    """A number there would say that all is well where nobody was asked. Alerts come from Prometheus itself."""
    said = {
        panel["title"]: str(panel["fieldConfig"]["defaults"].get("noValue"))
        for panel in panels(dashboard)
        if panel.get("targets")
    }
    assert said
    assert {title for title, text in said.items() if re.match(r"[0-9]|None", text)} <= {"Alerts"}
