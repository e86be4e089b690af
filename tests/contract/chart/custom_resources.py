"""The objects of KEDA, the Prometheus operator and the Gateway API that the chart makes, as strict models.

kubernetes-validate knows the types of Kubernetes alone. These follow the resource definitions of KEDA 2
(keda.sh/v1alpha1), of the Prometheus operator (monitoring.coreos.com/v1) and of the Gateway API
(gateway.networking.k8s.io/v1, the standard channel of 1.2), cut down to what we use.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """Refuses what it does not know, and numbers where a text is wanted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Metadata(Strict):
    name: str = Field(max_length=63)
    namespace: str
    labels: dict[str, str]


class Named(Strict):
    name: str


class SecretKey(Strict):
    parameter: Literal["connection"]
    name: str
    key: str


class SecretTargets(Strict):
    secretTargetRef: list[SecretKey]  # noqa: N815  # Kubernetes writes its names so


class TriggerAuthentication(Strict):
    apiVersion: Literal["keda.sh/v1alpha1"]  # noqa: N815
    kind: Literal["TriggerAuthentication"]
    metadata: Metadata
    spec: SecretTargets


class PostgresMetadata(Strict):
    """Numbers are texts here: KEDA reads a map of strings."""

    query: str
    targetQueryValue: str = Field(pattern=r"^[0-9]+$")  # noqa: N815
    activationTargetQueryValue: str = Field(pattern=r"^[0-9]+$")  # noqa: N815


class PostgresTrigger(Strict):
    type: Literal["postgresql"]
    authenticationRef: Named  # noqa: N815
    metadata: PostgresMetadata


class Fallback(Strict):
    failureThreshold: int = Field(ge=1)  # noqa: N815
    replicas: int = Field(ge=1)


class Scaling(Strict):
    scaleTargetRef: Named  # noqa: N815
    minReplicaCount: int = Field(ge=0)  # noqa: N815
    maxReplicaCount: int = Field(ge=1)  # noqa: N815
    pollingInterval: int = Field(ge=1)  # noqa: N815
    cooldownPeriod: int = Field(ge=0)  # noqa: N815
    fallback: Fallback | None = None
    triggers: list[PostgresTrigger] = Field(min_length=1)


class ScaledObject(Strict):
    apiVersion: Literal["keda.sh/v1alpha1"]  # noqa: N815
    kind: Literal["ScaledObject"]
    metadata: Metadata
    spec: Scaling


class Labels(Strict):
    matchLabels: dict[str, str]  # noqa: N815


class MetricsEndpoint(Strict):
    port: str
    path: str
    interval: str = Field(pattern=r"^[0-9]+(ms|s|m|h)$")


class PodTargets(Strict):
    selector: Labels
    podMetricsEndpoints: list[MetricsEndpoint] = Field(min_length=1)  # noqa: N815


class PodMonitor(Strict):
    apiVersion: Literal["monitoring.coreos.com/v1"]  # noqa: N815
    kind: Literal["PodMonitor"]
    metadata: Metadata
    spec: PodTargets


class RuleGroups(Strict):
    """The groups are checked by promtool, where the rules are tested."""

    groups: list[dict[str, Any]] = Field(min_length=1)


class PrometheusRule(Strict):
    apiVersion: Literal["monitoring.coreos.com/v1"]  # noqa: N815
    kind: Literal["PrometheusRule"]
    metadata: Metadata
    spec: RuleGroups


class Listener(Strict):
    """A listener of a Gateway: without its name the route would be served by those without TLS as well."""

    name: str
    sectionName: str  # noqa: N815
    namespace: str | None = None


class Path(Strict):
    type: Literal["PathPrefix"]
    value: str = Field(pattern=r"^/")


class Match(Strict):
    path: Path


class Timeouts(Strict):
    request: str = Field(pattern=r"^([0-9]{1,5}(h|m|s|ms)){1,4}$")


class Backend(Strict):
    name: str
    port: int = Field(ge=1, le=65535)


class RouteRule(Strict):
    matches: list[Match] = Field(min_length=1)
    timeouts: Timeouts | None = None
    backendRefs: list[Backend] = Field(min_length=1)  # noqa: N815


class Route(Strict):
    parentRefs: list[Listener] = Field(min_length=1)  # noqa: N815
    hostnames: list[str] = Field(min_length=1)
    rules: list[RouteRule] = Field(min_length=1)


class HTTPRoute(Strict):
    apiVersion: Literal["gateway.networking.k8s.io/v1"]  # noqa: N815
    kind: Literal["HTTPRoute"]
    metadata: Metadata
    spec: Route


MODELS: dict[str, type[Strict]] = {
    model.__name__: model for model in (ScaledObject, TriggerAuthentication, PodMonitor, PrometheusRule, HTTPRoute)
}
