"""The files of monitoring: the rules, their tests, the dashboard, the runbook, as data."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[3]
OBSERVE = ROOT / "deploy" / "observe"
RULES = OBSERVE / "rules.yml"
PROMETHEUS = OBSERVE / "prometheus.yml"
RUNBOOK = ROOT / "docs" / "runbook.md"
ALERT_TESTS = sorted((Path(__file__).parent / "alerts").glob("*.yml"))
DASHBOARDS = sorted((OBSERVE / "grafana" / "dashboards").glob("*.json"))

Rule = dict[str, Any]


@cache
def read(path: Path) -> dict[str, Any]:
    """A YAML file."""
    return cast("dict[str, Any]", yaml.safe_load(path.read_text(encoding="utf-8")))


def rules() -> list[Rule]:
    return [rule for group in read(RULES)["groups"] for rule in group["rules"]]


def alerts() -> list[Rule]:
    return [rule for rule in rules() if "alert" in rule]


def panels(dashboard: Path) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", json.loads(dashboard.read_text(encoding="utf-8"))["panels"])


def queries() -> Iterator[tuple[str, str]]:
    """Every expression with the name of the place where it stands."""
    for rule in rules():
        yield rule.get("alert") or rule["record"], rule["expr"]
    for dashboard in DASHBOARDS:
        for panel in panels(dashboard):
            for target in panel.get("targets", ()):
                yield panel["title"], target["expr"]


def sections() -> list[str]:
    """The headings of the runbook that name an alert."""
    return re.findall(r"^### (\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
