"""A scrape, as Prometheus reads it."""

from dataclasses import dataclass

import urllib3
from prometheus_client.parser import text_string_to_metric_families

from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Scrape:
    """One answer of ``/metrics``: each value by its name and labels, and the type of each metric."""

    values: dict[tuple[str, frozenset[tuple[str, str]]], float]
    types: dict[str, str]

    def value(self, name: str, **labels: str) -> float | None:
        """The series with exactly these labels; ``None`` when there is none."""
        return self.values.get((name, frozenset(labels.items())))

    def total(self, name: str, **labels: str) -> float:
        """The sum of every series that has these labels, and maybe more."""
        wanted = set(labels.items())
        return sum(value for (found, has), value in self.values.items() if found == name and wanted <= has)

    def labels(self, name: str, label: str) -> set[str]:
        """The values that a label has."""
        return {dict(has)[label] for (found, has) in self.values if found == name}


def scrape(port: int) -> Scrape:
    """Ask a program on this machine."""
    with urllib3.PoolManager(timeout=PATIENCE_SECONDS, retries=False) as pool:
        answer = pool.request("GET", f"http://127.0.0.1:{port}/metrics")
    assert answer.status == 200
    families = list(text_string_to_metric_families(answer.data.decode()))
    return Scrape(
        {(sample.name, frozenset(sample.labels.items())): sample.value for f in families for sample in f.samples},
        {family.name: family.type for family in families},
    )
