"""Prometheus takes the configuration, and each alert fires when it should and not otherwise."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.contract.observe.files import (
    ALERT_TESTS,
    DASHBOARDS,
    OBSERVE,
    PROMETHEUS,
    RULES,
    alerts,
    panels,
    read,
    rules,
)
from tests.patience import PATIENCE_SECONDS
from tests.programs import program


def promtool(*arguments: str | Path) -> str:
    command = [str(program("promtool")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
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
    assert scraped >= {"phytobatch-api", "phytobatch-worker", "phytobatch-deliverer", "phytobatch-beat", "node"}
    named = {job for rule in rules() for job in re.findall(r'job=~"([\w|]+)\|\.\*phytobatch\.\*"', rule["expr"])}
    assert named == {"postgres", "valkey", "objects", "proxy"}
    assert named <= scraped
    (watched,) = [rule["expr"] for rule in rules() if rule.get("alert") == "PhytobatchTargetDown"]
    assert [
        job for job in scraped - {"prometheus"} if not re.search(rf"[|\"]{job}[|\"]|phytobatch", job + watched)
    ] == []


def configured(tmp_path: Path, url: str) -> Path:
    """The configuration that the container of Alertmanager writes at its start."""
    target = tmp_path / "alertmanager.yml"
    variables = {**os.environ, "ALERT_WEBHOOK_URL": url, "ALERTMANAGER_CONFIGURATION": str(target)}
    subprocess.run(["sh", OBSERVE / "alertmanager.sh", "true"], env=variables, check=True, timeout=PATIENCE_SECONDS)
    return target


@pytest.mark.parametrize("url", ["https://alerts.example.org/hook?a=1&token='x'$HOME|\\n", "http://127.0.0.1:9/"])
def test_alerts_are_sent_to_the_address_of_the_environment_as_it_is(tmp_path: Path, url: str) -> None:
    target = configured(tmp_path, url)
    written = read(target)
    assert written["receivers"][1] == {"name": "webhook", "webhook_configs": [{"url": url, "send_resolved": True}]}
    by_severity = {route["matchers"][0]: route["receiver"] for route in written["route"]["routes"]}
    assert by_severity == {'severity="info"': "nobody", 'severity="critical"': "webhook"}
    assert target.stat().st_mode & 0o077 == 0


def test_without_an_address_alerts_are_kept(tmp_path: Path) -> None:
    written = read(configured(tmp_path, ""))
    assert written["receivers"] == [{"name": "nobody"}]
    assert written["route"]["receiver"] == "nobody"


def test_an_alert_that_silences_others_is_one_that_exists(tmp_path: Path) -> None:
    known = {alert["alert"] for alert in alerts()}
    named = set(re.findall(r"Phytobatch\w+", configured(tmp_path, "").read_text(encoding="utf-8")))
    assert named
    assert named <= known


def test_alertmanager_takes_the_configuration(tmp_path: Path) -> None:
    target = configured(tmp_path, "https://alerts.example.org/hook?a=1&token='x'")
    command = [str(program("amtool")), "check-config", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
