"""Prometheus takes the configuration, and each alert fires when it should and not otherwise."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.contract.observe.files import ALERT_TESTS, DASHBOARDS, PROMETHEUS, RULES, alerts, panels, read
from tests.programs import program


def promtool(*arguments: str | Path) -> str:
    command = [str(program("promtool")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_configuration() -> None:
    assert "SUCCESS" in promtool("check", "config", PROMETHEUS)


def test_prometheus_takes_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", RULES)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_prometheus_understands_what_a_dashboard_asks(dashboard: Path, tmp_path: Path) -> None:
    # promtool parses expressions in rules alone; Grafana fills the interval in.
    asked = [target["expr"] for panel in panels(dashboard) for target in panel.get("targets", ())]
    made = [{"record": "asked", "labels": {"no": str(n)}, "expr": expr} for n, expr in enumerate(asked)]
    as_rules = tmp_path / "asked.yml"
    as_rules.write_text(json.dumps({"groups": [{"name": "asked", "rules": made}]}).replace("$__rate_interval", "1m"))
    assert f"{len(asked)} rules found" in promtool("check", "rules", as_rules)


@pytest.mark.parametrize("tests", ALERT_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_not_otherwise(tests: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", tests)


def test_each_alert_was_seen_to_fire_and_to_be_quiet() -> None:
    seen: dict[str, set[bool]] = {alert["alert"]: set() for alert in alerts()}
    for path in ALERT_TESTS:
        for case in read(path)["tests"]:
            for check in case["promql_expr_test"]:
                name = check["expr"].split('alertname="')[1].split('"')[0]
                seen[name].add(bool(check["exp_samples"]))
    assert {name: fired for name, fired in seen.items() if fired != {True, False}} == {}


def test_rules_ask_for_jobs_that_prometheus_scrapes() -> None:
    scraped = {job["job_name"] for job in read(PROMETHEUS)["scrape_configs"]}
    assert scraped >= {"phytobatch-api", "phytobatch-worker", "phytobatch-deliverer", "node"}
