"""Network policies: the connections that are allowed, and no others."""

from typing import Any

import pytest

from shared.settings import Settings
from shared.webhooks.addresses import NOT_PUBLIC
from shared.webhooks.ports import Ports
from tests.contract.chart.rendering import EXAMPLES, Manifest, RenderingRefused, of_kind, text, workloads

pytestmark = pytest.mark.slow

INSTANCE = {"app.kubernetes.io/name": "phytobatch", "app.kubernetes.io/instance": "phytobatch"}
STORES = {5432: "postgres", 6379: "redis", 443: "objectStore"}


def policies(example: str, *values: str) -> dict[str, Manifest]:
    return {name: found["spec"] for name, found in of_kind("NetworkPolicy", example, *values).items()}


def ports(rules: list[dict[str, Any]]) -> list[Any]:
    return [port["port"] for rule in rules for port in rule["ports"]]


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_no_policy_names_is_refused_for_every_pod(example: str) -> None:
    deny = policies(example)["default-deny"]
    assert deny == {"podSelector": {"matchLabels": INSTANCE}, "policyTypes": ["Ingress", "Egress"]}
    for found in workloads(example).values():
        assert INSTANCE.items() <= found["spec"]["template"]["metadata"]["labels"].items()


def test_a_program_reaches_the_servers_that_it_uses_and_no_others() -> None:
    found = policies("minimal")
    reached = {
        name.removesuffix("-servers"): {STORES[port] for port in ports(spec["egress"]) if port in STORES}
        for name, spec in found.items()
        if name.endswith("-servers")
    }
    everything = {"postgres", "redis", "objectStore"}
    assert reached == {
        "api": everything,
        "worker": everything,
        "worker-gpu": everything,
        "deliverer": {"postgres"},
        "beat": {"redis"},
        "migration": {"postgres", "objectStore"},
    }


def test_only_the_ingress_controller_reaches_the_api() -> None:
    (rule,) = policies("locked-down")["api-clients"]["ingress"]
    assert ports([rule]) == ["http"]
    controller = {"kubernetes.io/metadata.name": "haproxy-controller"}
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": controller}}]


def test_without_anybody_before_it_nobody_reaches_the_api() -> None:
    """A rule without `from` would let in everybody; `kubectl port-forward` needs none."""
    assert "ingress" not in policies("minimal")["api-clients"]


def test_without_an_ingress_the_networks_are_checked_by_service_and_policy() -> None:
    values = ("service.type=LoadBalancer", "ingress.allowedCidrs={192.0.2.0/24,2001:db8::/32}")
    (rule,) = policies("minimal", *values)["api-clients"]["ingress"]
    assert [peer["ipBlock"]["cidr"] for peer in rule["from"]] == ["192.0.2.0/24", "2001:db8::/32"]
    service = of_kind("Service", "minimal", *values)["api"]["spec"]
    assert service["loadBalancerSourceRanges"] == ["192.0.2.0/24", "2001:db8::/32"]
    assert service["externalTrafficPolicy"] == "Local"


def test_only_prometheus_reads_metrics() -> None:
    (rule,) = policies("minimal", "monitoring.namespace=eyes")["metrics"]["ingress"]
    assert ports([rule]) == ["metrics"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "eyes"}}}]
    serves = {
        name
        for name, found in workloads("gpu").items()
        for container in found["spec"]["template"]["spec"]["containers"]
        if "metrics" in [port["name"] for port in container.get("ports", [])]
    }
    assert serves == {"api", "worker", "worker-gpu", "deliverer", "beat"}


def test_without_metrics_no_port_is_open_for_them() -> None:
    assert "metrics" not in policies("minimal", "metricsPort=0")
    assert "9100" not in text("minimal", "metricsPort=0")


def test_webhooks_reach_the_internet_on_their_ports_but_nothing_private() -> None:
    (rule,) = policies("minimal")["deliverer-webhooks"]["egress"]
    allowed = Ports.parse(Settings.model_fields["webhook_ports"].default)
    assert all(port in allowed for port in ports([rule]))
    assert ports([rule]) == [443, 8443]
    four, six = rule["to"]
    assert four["ipBlock"]["cidr"] == "0.0.0.0/0"
    assert six["ipBlock"]["cidr"] == "::/0"
    # The two walls stand in the same place.
    assert set(four["ipBlock"]["except"]) == {str(network) for network in NOT_PUBLIC if network.version == 4}
    special = {str(network) for network in NOT_PUBLIC if network.version == 6}
    assert set(six["ipBlock"]["except"]) == special | {"fc00::/7", "fe80::/10", "ff00::/8"}


def test_webhook_ports_and_networks_of_the_settings_are_those_of_the_policy() -> None:
    (rule,) = policies("locked-down")["deliverer-webhooks"]["egress"]
    assert rule["ports"][-1] == {"port": 9000, "endPort": 9010, "protocol": "TCP"}
    assert rule["to"][-1] == {"ipBlock": {"cidr": "10.9.0.0/24"}}


def test_a_network_with_ports_of_its_own_is_open_at_those_alone() -> None:
    listed = r"10.9.0.0/24\,10.8.0.0/16:8080\,[fd00::/8]:8000-8099"
    everywhere, four, six = policies("locked-down", f"config.PHYTOBATCH_WEBHOOK_NETWORKS={listed}")[
        "deliverer-webhooks"
    ]["egress"]
    assert everywhere["to"][-1] == {"ipBlock": {"cidr": "10.9.0.0/24"}}
    assert four == {"ports": [{"port": 8080, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.8.0.0/16"}}]}
    assert six == {
        "ports": [{"port": 8000, "endPort": 8099, "protocol": "TCP"}],
        "to": [{"ipBlock": {"cidr": "fd00::/8"}}],
    }


def test_data_stores_in_the_namespace_are_reached_by_our_pods_alone() -> None:
    found = policies("locked-down")
    (rule,) = found["protects-postgres"]["ingress"]
    assert found["protects-postgres"]["podSelector"] == {"matchLabels": {"app": "postgres"}}
    programs = [peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in rule["from"]]
    assert programs == ["api", "worker", "deliverer", "migration"]
    assert all(INSTANCE.items() <= peer["podSelector"]["matchLabels"].items() for peer in rule["from"])


def test_traces_may_leave_where_they_are_sent() -> None:
    assert 4318 not in ports(policies("minimal")["api-servers"]["egress"])
    assert 4318 in ports(policies("locked-down")["api-servers"]["egress"])
    elsewhere = ("config.PHYTOBATCH_TRACES_ENDPOINT=http://collector/v1/traces",)
    assert 4318 in ports(policies("minimal", *elsewhere)["deliverer-servers"]["egress"])


def test_the_ingress_speaks_tls_and_lets_in_the_networks_that_are_named() -> None:
    ingress = of_kind("Ingress", "locked-down")["api"]
    annotations = ingress["metadata"]["annotations"]
    assert annotations["haproxy.org/allow-list"] == "192.0.2.0/24,2001:db8::/32"
    assert ingress["spec"]["tls"] == [{"hosts": ["phytobatch.example.org"], "secretName": "phytobatch-tls"}]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("ingress.allowedCidrs=null",), "ingress.allowedCidrs: name the networks that may use the API"),
        (("ingress.allowedCidrs=[]",), "ingress.allowedCidrs: name the networks that may use the API"),
        (
            ("service.type=LoadBalancer", "ingress.enabled=false", "ingress.allowedCidrs=[]"),
            "name the networks that may",
        ),
        (('gateway.parentRefs=[{"name":"public","sectionName":"https"}]', "gateway.enabled=true"), "gateway.hostnames"),
        (("ingress.tlsSecret=",), "ingress.tlsSecret: name the secret with the certificate"),
        (("ingress.allowAnnotation=",), "ingress.allowAnnotation: empty, so nothing here would keep others"),
        (("ingress.allowSeparator=;",), "allowSeparator"),
        (("networkPolicy.ingressController=[]",), "ingressController: name the pods that requests"),
        (("gateway.enabled=true",), "gateway.parentRefs: name the gateway, and its listener that speaks TLS"),
        (('gateway.parentRefs=[{"name":"public"}]',), "missing property 'sectionName'"),
        (("ingress.host=",), "ingress.host: name the host that clients use"),
        (("existingSecret=",), "existingSecret: name the Secret"),
        (("config.PHYTOBATCH_S3_BUCKET=",), "config.PHYTOBATCH_S3_BUCKET: name the bucket"),
        (("ingress.allowedCidrs={everybody}",), "does not match pattern"),
        (("workr.replicas=3",), "additional properties 'workr' not allowed"),
        (("worker.replica=3",), "additional properties 'replica' not allowed"),
        (("image.digest=sha256:1",), "additional properties 'digest' not allowed"),
        (("ingress.enabled=false", "service.type=LoadBalancer", "ingress.allowedCidrs=null"), "name the networks"),
        (("monitoring.podMonitor.enabled=true", "metricsPort=0"), "metricsPort: a PodMonitor needs one"),
    ],
)
def test_values_that_would_not_work_are_refused_with_a_sentence(values: tuple[str, ...], said: str) -> None:
    with pytest.raises(RenderingRefused, match=said):
        text("locked-down", *values)
