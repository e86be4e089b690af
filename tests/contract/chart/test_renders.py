"""What the chart makes of each example is what Kubernetes accepts, in every version that the chart names."""

import re
import tarfile
from pathlib import Path

import pytest

from api.admin import program as admin
from tests.contract.chart.custom_resources import MODELS
from tests.contract.chart.rendering import CHART, EXAMPLES, files, of_kind, rendered, text
from tests.contract.check_tools import run

pytestmark = pytest.mark.slow

OLDEST, NEWEST = "1.27", "1.37"


# The objects of others that an example makes.
FOREIGN = {
    "gpu": {"ScaledObject", "TriggerAuthentication", "PodMonitor", "PrometheusRule"},
    "gateway": {"HTTPRoute"},
    "ipv6-only": {"HTTPRoute"},
    "autopilot": {"HTTPRoute"},
}


def test_there_are_examples_for_each_kind_of_installation_and_of_cluster() -> None:
    assert EXAMPLES == ("autopilot", "eks", "gateway", "gpu", "ipv6-only", "locked-down", "minimal", "openshift")


@pytest.mark.parametrize("example", EXAMPLES)
def test_helm_has_nothing_to_complain_about(example: str) -> None:
    done = run("helm", "lint", "--strict", CHART, "--values", CHART / "examples" / f"{example}.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_accepts_every_object(version: str, tmp_path: Path) -> None:
    # Many objects are the same in several examples, and those for other clusters have none of a kind of their own.
    examples = EXAMPLES if version == NEWEST else ("gpu", "locked-down")
    alike = {path.read_bytes(): path for path in files(tmp_path, examples)}
    ours = [path for path in alike.values() if path.name.split("-")[1] not in MODELS]
    done = run("kubernetes-validate", "--strict", "--kubernetes-version", version, *ours)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    # It warns and goes on where it knows no schema: each object has to be named as one that passed.
    assert "WARN" not in said
    assert said.count("passed for resource") == len(ours)


def test_a_field_that_kubernetes_does_not_know_would_be_found(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(text("minimal").replace("enableServiceLinks:", "enableServiceLink:", 1), encoding="utf-8")
    assert run("kubernetes-validate", "--strict", broken).returncode != 0


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_objects_of_keda_the_prometheus_operator_and_the_gateway_api_are_well_formed(example: str) -> None:
    foreign = [manifest for manifest in rendered(example) if manifest["kind"] in MODELS]
    for manifest in foreign:
        MODELS[manifest["kind"]].model_validate(manifest)
    assert {manifest["kind"] for manifest in foreign} == FOREIGN.get(example, set())


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_two_objects_have_the_same_name(example: str) -> None:
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in rendered(example)]
    assert len(names) == len(set(names))


def test_a_long_release_name_still_gives_names_that_kubernetes_takes() -> None:
    most = "a" * 53  # helm's own limit
    done = run("helm", "template", most, CHART, "--values", CHART / "examples" / "gpu.yaml")
    assert done.returncode == 0, done.stderr
    names = [line.split("name: ")[1] for line in done.stdout.splitlines() if line.startswith("  name: ")]
    assert max(len(name) for name in names) <= 63


def test_every_object_says_which_release_it_belongs_to() -> None:
    for manifest in rendered("gpu"):
        assert manifest["metadata"]["labels"]["app.kubernetes.io/instance"] == "phytobatch"
        assert manifest["metadata"]["namespace"] == "plants"


def test_the_notes_say_what_to_do_next_in_commands_that_exist() -> None:
    values = CHART / "examples" / "minimal.yaml"
    said = run("helm", "install", "phytobatch", CHART, "-n", "plants", "-f", values, "--dry-run=client").stdout
    notes = said.partition("\nNOTES:\n")[2]
    assert "kubectl -n plants port-forward service/phytobatch-api 8000:80" in notes
    commands = re.findall(r"python -m api\.admin (.*)", notes)
    assert [command.split()[0] for command in commands] == ["create-tenant", "create-key"]
    for command in commands:
        admin._parser().parse_args(command.split())


def test_a_package_has_the_alerts_and_not_a_link_to_them(tmp_path: Path) -> None:
    done = run("helm", "package", CHART, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    (package,) = tmp_path.glob("*.tgz")
    with tarfile.open(package) as archive:
        rules = archive.extractfile("phytobatch/files/rules.yml")
        assert rules is not None
        assert rules.read() == (CHART.parent / "observe" / "rules.yml").read_bytes()


def test_the_alerts_are_those_that_were_tested() -> None:
    rules = (CHART.parent / "observe" / "rules.yml").read_text(encoding="utf-8")
    (rule,) = of_kind("PrometheusRule", "gpu").values()
    names = [entry["alert"] for group in rule["spec"]["groups"] for entry in group["rules"] if "alert" in entry]
    assert names == [line.split("alert: ")[1] for line in rules.splitlines() if "- alert: " in line]
    assert "{{ $value" in str(rule) or "{{ $labels" in str(rule), "helm must leave the templates of alerts alone"
