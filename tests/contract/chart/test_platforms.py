"""What differs between clusters is a value, and each example for one says what that one needs."""

import re
from ipaddress import ip_network
from typing import Any

import pytest

from shared.settings import Settings
from tests.contract.chart.rendering import (
    EXAMPLES,
    Manifest,
    containers,
    environment,
    of_kind,
    pod,
    text,
    workloads,
)
from tests.contract.check_tools import ROOT

pytestmark = pytest.mark.slow

# How long an answer may take, where it waits on purpose.
LONGEST_WAIT = Settings.model_fields["max_wait_seconds"].default
UNITS = {"Ki": 1 / 1024, "Mi": 1, "Gi": 1024, "Ti": 1024 * 1024}
CREDENTIALS = [{"ipBlock": {"cidr": "169.254.170.23/32"}}, {"ipBlock": {"cidr": "fd00:ec2::23/128"}}]


def mebibytes(quantity: str) -> float:
    number, unit = re.fullmatch(r"([0-9]+)(Ki|Mi|Gi|Ti)", quantity).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


def policy(name: str, example: str, *values: str) -> dict[str, Any]:
    found: dict[str, Any] = of_kind("NetworkPolicy", example, *values)[name]["spec"]
    return found


def annotations(example: str, *values: str) -> dict[str, str]:
    found: dict[str, str] = of_kind("Ingress", example, *values)["api"]["metadata"].get("annotations", {})
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_programs_listen_at_every_address_of_both_families(example: str) -> None:
    """Kubelet and Prometheus ask the address of the pod, which is one of IPv6 where the cluster has no other."""
    found = workloads(example)
    assert environment(found["api"])["PHYTOBATCH_API_HOST"] == "::"
    serving = [environment(program) for program in found.values() if "PHYTOBATCH_METRICS_PORT" in environment(program)]
    assert len(serving) >= 3
    assert {variables["PHYTOBATCH_METRICS_HOST"] for variables in serving} == {"::"}


def test_the_address_that_programs_listen_on_is_a_value() -> None:
    found = environment(workloads("minimal", "listenAddress=0.0.0.0")["api"])
    assert (found["PHYTOBATCH_API_HOST"], found["PHYTOBATCH_METRICS_HOST"]) == ("0.0.0.0", "0.0.0.0")  # noqa: S104


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_probe_asks_an_address_of_one_family(example: str) -> None:
    probes = [
        str(container[probe])
        for found in workloads(example).values()
        for container in containers(found)
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
        if probe in container
    ]
    assert probes
    assert not [probe for probe in probes if "127.0.0.1" in probe or "'host'" in probe]


def test_an_installation_with_ipv6_alone_names_no_address_of_ipv4() -> None:
    blocks = [ip_network(cidr) for cidr in re.findall(r"cidr: [\"']?([0-9a-f.:]+/[0-9]+)", text("ipv6-only"))]
    # What is left of IPv4 is that of NodeLocal DNSCache, which is nobody's address there.
    assert [str(block) for block in blocks if block.version == 4] == ["169.254.20.10/32"] * 2
    assert len([block for block in blocks if block.version == 6]) > 3
    assert of_kind("Service", "ipv6-only")["api"]["spec"]["ipFamilyPolicy"] == "SingleStack"
    assert "ipFamilyPolicy" not in of_kind("Service", "minimal")["api"]["spec"]


def test_openshift_chooses_the_user_of_every_pod() -> None:
    """Its restricted-v2 refuses a pod that asks for a user, a group or a group of files outside of its range."""
    for found in workloads("openshift").values():
        assert set(pod(found)["securityContext"]) == {"runAsNonRoot", "seccompProfile"}
        for container in containers(found):
            assert not [
                name for name in container["securityContext"] if name.startswith("runAs") and name != "runAsNonRoot"
            ]


def test_the_images_run_as_any_user() -> None:
    """Whom the cluster makes up is in no /etc/passwd, so that HOME would be `/`; its group is 0."""
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    base = dockerfile.split(" AS base\n")[1].split("\nFROM ")[0]
    assert "HOME=/tmp" in base
    assert "mkdir --parents /made/backups && chmod 775 /made/backups" in dockerfile
    assert "--chown=10001:0 /made /\n" in dockerfile


def test_names_are_resolved_where_and_on_the_port_that_the_values_say() -> None:
    for name in ("dns", "migration-servers"):
        *_, rule = policy(name, "openshift")["egress"]
        assert rule["ports"] == [{"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"}]
        assert rule["to"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "openshift-dns"}
        *_, plain = policy(name, "minimal")["egress"]
        assert [port["port"] for port in plain["ports"]] == [53, 53]


def test_the_networks_of_clients_are_listed_as_the_controller_wants_them() -> None:
    """OpenShift's router ignores a list with commas, and lets everybody in."""
    spaces = annotations("openshift")["haproxy.router.openshift.io/ip_allowlist"]
    assert spaces == "192.0.2.0/24 198.51.100.0/24"
    assert annotations("locked-down")["haproxy.org/allow-list"] == "192.0.2.0/24,2001:db8::/32"
    assert annotations("eks")["alb.ingress.kubernetes.io/inbound-cidrs"] == "192.0.2.0/24,2001:db8::/32"


def test_a_controller_without_such_an_annotation_gets_none() -> None:
    everybody = 'ingress.allowedCidrs=["0.0.0.0/0","::/0"]'
    assert set(annotations("locked-down", "ingress.allowAnnotation=", everybody)) == {"haproxy.org/timeout-server"}


@pytest.mark.parametrize(
    ("example", "name"),
    [
        ("locked-down", "haproxy.org/timeout-server"),
        ("openshift", "haproxy.router.openshift.io/timeout"),
        ("eks", "alb.ingress.kubernetes.io/load-balancer-attributes"),
    ],
)
def test_a_controller_waits_longer_than_a_request_that_waits_on_purpose(example: str, name: str) -> None:
    seconds = int(re.sub(r"[^0-9]", "", annotations(example)[name]))
    assert seconds > LONGEST_WAIT


def test_nothing_is_meant_for_a_controller_that_gets_no_fixes_any_more() -> None:
    assert not [example for example in EXAMPLES if "nginx" in text(example)]


def route(example: str, *values: str) -> Manifest:
    (found,) = of_kind("HTTPRoute", example, *values).values()
    return found["spec"]  # type: ignore[no-any-return]


def test_a_gateway_sends_every_path_of_the_host_to_the_service_and_cuts_nothing_off() -> None:
    found = route("gateway")
    assert found["parentRefs"] == [{"name": "public", "namespace": "gateways", "sectionName": "https"}]
    assert found["hostnames"] == ["phytobatch.example.org"]
    (rule,) = found["rules"]
    service = of_kind("Service", "gateway")["api"]
    assert rule["backendRefs"] == [{"name": service["metadata"]["name"], "port": service["spec"]["ports"][0]["port"]}]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    # Event streams have no end; a Gateway's own limit is often 15 seconds.
    assert rule["timeouts"] == {"request": "0s"}
    assert environment(workloads("gateway")["api"])["PHYTOBATCH_PUBLIC_URL"] == "https://phytobatch.example.org"
    (below,) = route("gateway", "gateway.path=/phyto")["rules"]
    assert below["matches"] == [{"path": {"type": "PathPrefix", "value": "/phyto"}}]


@pytest.mark.parametrize("example", ["gateway", "ipv6-only", "autopilot"])
def test_only_the_gateway_reaches_the_api(example: str) -> None:
    (rule,) = policy("api-clients", example)["ingress"]
    assert rule["from"]


def test_keys_of_a_role_are_fetched_by_the_programs_that_use_the_object_store_alone() -> None:
    for program in ("api", "worker", "worker-gpu", "migration", "deliverer", "beat"):
        rules = [rule for rule in policy(f"{program}-servers", "eks")["egress"] if rule.get("to") == CREDENTIALS]
        wanted = [] if program in {"deliverer", "beat"} else [{"port": 80, "protocol": "TCP"}]
        assert [port for rule in rules for port in rule["ports"]] == wanted, program
    assert "169.254.170.23" not in text("minimal")


def test_a_receiver_of_webhooks_is_never_the_server_that_hands_out_keys() -> None:
    (rule,) = policy("deliverer-webhooks", "eks")["egress"]
    for peer in CREDENTIALS:
        address = ip_network(peer["ipBlock"]["cidr"])
        excepted = [ip_network(network) for block in rule["to"] for network in block["ipBlock"].get("except", ())]
        assert any(network.version == address.version and address.subnet_of(network) for network in excepted)  # type: ignore[arg-type]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_pod_asks_for_the_room_that_its_folders_may_take(example: str) -> None:
    """A cluster that gives each pod some room (GKE Autopilot: 1 GiB) evicts it before its own folder is full."""
    for name, found in workloads(example).items():
        folders = sum(mebibytes(v["emptyDir"]["sizeLimit"]) for v in pod(found)["volumes"] if "emptyDir" in v)
        assert folders
        for container in containers(found):
            for kind in ("requests", "limits"):
                assert mebibytes(container["resources"][kind]["ephemeral-storage"]) > folders, name


def test_the_room_follows_the_folder_unless_the_values_name_it() -> None:
    values = (
        "api.temporaryStorage=1Ti",
        "worker.resources.limits.ephemeral-storage=9Gi",
        "beat.temporaryStorage=65536Ki",
    )
    found = workloads("minimal", *values)
    room = {
        name: [next(containers(found[name]))["resources"][kind]["ephemeral-storage"] for kind in ("requests", "limits")]
        for name in ("api", "worker", "beat")
    }
    assert room == {
        "api": ["1048832Mi", "1048832Mi"],
        "worker": ["2304Mi", "9Gi"],
        "beat": ["320Mi", "320Mi"],
    }


def test_a_gpu_of_google_is_asked_for_by_its_own_label() -> None:
    gpu = pod(workloads("autopilot")["worker-gpu"])
    assert gpu["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
