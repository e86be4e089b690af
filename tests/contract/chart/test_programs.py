"""The programs run as their images expect it, with no rights, and have time to stop."""

import json
import re
import tomllib

import pytest
import yaml  # type: ignore[import-untyped]

from api.__main__ import GRACE_SECONDS
from api.admin import program as admin
from shared.settings import Settings
from tests.contract.chart.rendering import (
    CHART,
    EXAMPLES,
    Manifest,
    containers,
    environment,
    of_kind,
    pod,
    workloads,
)
from tests.contract.check_tools import ROOT
from worker.webhooks.process import LAST_WORDS_SECONDS

pytestmark = pytest.mark.slow

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
TARGETS = {"api": "api", "worker": "worker", "worker-gpu": "gpu", "deliverer": "deliverer"}


def target(name: str) -> str:
    """Return the stage of deploy/Dockerfile that makes an image."""
    found = re.search(rf"^FROM base AS {name}$(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def only(workload: Manifest) -> Manifest:
    (container,) = containers(workload)
    return container


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == project["version"]


def test_the_programs_are_there() -> None:
    assert sorted(workloads("minimal")) == ["api", "beat", "deliverer", "migration", "worker"]
    assert sorted(workloads("gpu")) == ["api", "beat", "deliverer", "migration", "worker", "worker-gpu"]


@pytest.mark.parametrize("program", TARGETS)
def test_a_program_is_started_as_its_image_starts_it(program: str) -> None:
    command = re.findall(r"^CMD (\[.*\])$", target(TARGETS[program]), re.MULTILINE)
    assert only(workloads("gpu")[program])["args"] == json.loads(command[-1])


@pytest.mark.parametrize("program", ["worker", "worker-gpu", "deliverer"])
def test_a_pod_is_ready_when_the_test_of_its_image_says_so(program: str) -> None:
    command = re.findall(r"^\s+CMD (\[.*\])$", target(TARGETS[program]), re.MULTILINE)
    container = only(workloads("gpu")[program])
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["exec"]["command"] == json.loads(command[0])


def test_beat_shows_the_sign_of_life_that_the_worker_image_looks_for() -> None:
    beat = only(workloads("minimal")["beat"])
    assert beat["args"] == ["python", "-m", "worker", "beat", "--ready-file", "/tmp/worker.ready"]  # noqa: S108
    assert "/tmp/worker.ready" in beat["readinessProbe"]["exec"]["command"][-1]  # noqa: S108


def test_the_api_is_ready_when_its_servers_are_and_lives_whatever_they_do() -> None:
    api = only(workloads("minimal")["api"])
    paths = {probe: api[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert paths == {"startupProbe": "/healthz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}


def test_the_migration_runs_commands_that_exist_before_everything_else() -> None:
    job = workloads("minimal", "migration.steps={migrate,create-bucket,publish-classifier}")["migration"]
    steps = [container["args"] for container in containers(job)]
    assert [step[:3] for step in steps] == [["python", "-m", "api.admin"]] * 3
    assert [step[3] for step in steps] == ["migrate", "create-bucket", "publish-classifier"]
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    allowed = schema["properties"]["migration"]["properties"]["steps"]["items"]["enum"]
    assert set(allowed) <= {command.name for command in admin.COMMANDS}
    assert only(workloads("minimal")["migration"])["args"][3:] == ["prepare"]


def test_what_the_migration_needs_is_there_before_it() -> None:
    """Hooks run before every other object of the chart; those with the smaller weight first."""
    hooks = {
        f"{kind}/{name}": int(manifest["metadata"]["annotations"]["helm.sh/hook-weight"])
        for kind in ("Job", "ServiceAccount", "NetworkPolicy")
        for name, manifest in of_kind(kind, "minimal").items()
        if "helm.sh/hook" in manifest["metadata"].get("annotations", {})
    }
    assert hooks == {"Job/migration": 0, "ServiceAccount/migration": -10, "NetworkPolicy/migration-servers": -10}


@pytest.mark.parametrize("seconds", [None, 1, 20, 300])
def test_kubernetes_waits_longer_than_a_program_takes_to_stop(seconds: int | None) -> None:
    values = () if seconds is None else (f"shutdownSeconds={seconds}",)
    for name in ("worker", "worker-gpu", "deliverer"):
        found = workloads("gpu", *values)[name]
        own_limit = float(environment(found)["PHYTOBATCH_SHUTDOWN_SECONDS"])
        assert own_limit == (seconds or Settings.model_fields["shutdown_seconds"].default)
        assert pod(found)["terminationGracePeriodSeconds"] >= own_limit + LAST_WORDS_SECONDS + 10


def test_kubernetes_waits_longer_than_the_api_lets_requests_finish() -> None:
    api = workloads("minimal")["api"]
    pause = int(only(api)["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod(api)["terminationGracePeriodSeconds"] >= pause + GRACE_SECONDS + 10


def test_the_user_is_that_of_the_images() -> None:
    assert "USER 10001:10001" in DOCKERFILE
    users = {(context := pod(found)["securityContext"])["runAsUser"] for found in workloads("minimal").values()}
    assert users == {10001}
    assert (context["runAsGroup"], context["fsGroup"]) == (10001, 10001)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_service_called_phytobatch_api_does_not_change_the_port_of_the_api(example: str) -> None:
    """Kubernetes sets PHYTOBATCH_API_PORT=tcp://10.0.0.7:80 in every pod of the namespace, unless told not to."""
    assert "api" in of_kind("Service", example)
    assert all(pod(found)["enableServiceLinks"] is False for found in workloads(example).values())


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_account_is_there_and_hands_out_no_token(example: str) -> None:
    accounts = of_kind("ServiceAccount", example)
    used = {pod(found)["serviceAccountName"].removeprefix("phytobatch-") for found in workloads(example).values()}
    assert used == set(accounts)
    assert all(account["automountServiceAccountToken"] is False for account in accounts.values())


def test_only_programs_that_use_the_object_store_get_the_role_of_the_cloud() -> None:
    accounts = of_kind("ServiceAccount", "gpu")
    role = "eks.amazonaws.com/role-arn"
    with_role = {name for name, a in accounts.items() if role in a["metadata"].get("annotations", {})}
    assert with_role == {"api", "worker", "migration"}


def test_there_is_one_beat_at_any_time() -> None:
    beat = workloads("minimal")["beat"]
    assert beat["spec"]["replicas"] == 1
    assert beat["spec"]["strategy"] == {"type": "Recreate"}


def test_a_gpu_pod_asks_for_a_gpu_and_may_run_where_they_are() -> None:
    found = workloads("gpu")["worker-gpu"]
    assert only(found)["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert pod(found)["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert pod(found)["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert environment(found)["PHYTOBATCH_RUNTIME"] == "tensorflow"


def test_keda_decides_how_many_workers_there_are() -> None:
    assert "replicas" in workloads("minimal")["worker"]["spec"]
    assert all("replicas" not in workloads("gpu")[name]["spec"] for name in ("worker", "worker-gpu"))


def test_a_node_can_be_drained_whatever_runs_on_it() -> None:
    budgets = of_kind("PodDisruptionBudget", "gpu")
    assert sorted(budgets) == ["api", "deliverer", "worker", "worker-gpu"]
    assert all(budget["spec"]["maxUnavailable"] == 1 for budget in budgets.values())


def test_images_can_be_named_by_digest_and_registry() -> None:
    image = only(workloads("locked-down")["beat"])["image"]
    assert image == f"registry.example.org/plants/phytobatch-worker@sha256:{2:064}"
    assert only(workloads("minimal", "image.tag=1.2.3")["api"])["image"] == "phytobatch-api:1.2.3"


def test_certificates_of_an_own_authority_are_seen_by_every_program() -> None:
    for found in workloads("locked-down").values():
        assert {"name": "certificates", "configMap": {"name": "authorities"}} in pod(found)["volumes"]
        mounts = {mount["name"]: mount["mountPath"] for mount in only(found)["volumeMounts"]}
        assert environment(found)["AWS_CA_BUNDLE"] == f"{mounts['certificates']}/ca.crt"
    assert "certificates" not in str(workloads("minimal"))
