"""The chart as Kubernetes would get it: rendered by helm from the examples that come with it."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.contract.check_tools import ROOT, run

CHART = ROOT / "deploy" / "chart"
EXAMPLES = tuple(path.stem for path in sorted((CHART / "examples").glob("*.yaml")))
WORKLOADS = ("Deployment", "Job")

# Ten times as fast as the one in Python, where PyYAML was built with it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Manifest = dict[str, Any]


class RenderingRefused(Exception):
    """Helm refused the values; the message is what it said."""


def option(value: str) -> str:
    """How helm reads a value of the command line: settings are texts, lists are JSON."""
    if "config." in value:
        return "--set-string"
    return "--set-json" if value.endswith("]") else "--set"


@lru_cache(maxsize=64)
def text(example: str, *values: str) -> str:
    """Everything that the chart makes of an example, with values of the command line over it.

    Raises:
        RenderingRefused: helm or a template refused the values.
    """
    sets = [word for value in values for word in (option(value), value)]
    values_file = CHART / "examples" / f"{example}.yaml"
    done = run("helm", "template", "phytobatch", CHART, "--namespace", "plants", "--values", values_file, *sets)
    if done.returncode:
        raise RenderingRefused(done.stderr)
    return done.stdout


@lru_cache(maxsize=64)
def rendered(example: str, *values: str) -> tuple[Manifest, ...]:
    """The same as objects, which nobody changes."""
    loaded = yaml.load_all(text(example, *values), LOADER)
    return tuple(manifest for manifest in loaded if manifest)


def of_kind(kind: str, example: str, *values: str) -> dict[str, Manifest]:
    """The objects of one kind by their names, without the name of the release."""
    return {
        manifest["metadata"]["name"].removeprefix("phytobatch-"): manifest
        for manifest in rendered(example, *values)
        if manifest["kind"] == kind
    }


def workloads(example: str, *values: str) -> dict[str, Manifest]:
    """Deployments and Jobs by the name of their program."""
    return {name: found for kind in WORKLOADS for name, found in of_kind(kind, example, *values).items()}


def pod(workload: Manifest) -> Manifest:
    """Return the pod of a Deployment or Job."""
    spec: Manifest = workload["spec"]["template"]["spec"]
    return spec


def containers(workload: Manifest) -> Iterator[Manifest]:
    """The containers of its pods, those that run first included."""
    yield from pod(workload).get("initContainers", [])
    yield from pod(workload)["containers"]


def environment(workload: Manifest) -> dict[str, Any]:
    """The variables of its first container: a text, or where the value comes from."""
    (first, *_) = containers(workload)
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in first["env"]}


def files(folder: Path, examples: Iterable[str] = EXAMPLES) -> list[Path]:
    """Every object of the examples as a file of its own, below a folder named after the example."""
    written = []
    for example in examples:
        (folder / example).mkdir()
        for number, manifest in enumerate(rendered(example)):
            path = folder / example / f"{number:02}-{manifest['kind']}-{manifest['metadata']['name']}.yaml"
            path.write_text(yaml.safe_dump(manifest), encoding="utf-8")
            written.append(path)
    return written
