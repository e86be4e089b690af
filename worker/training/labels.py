"""Names of well-known class ids, for the manifest."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from pydantic import TypeAdapter

from shared.contracts.manifest import ClassLabel
from worker.training.listed import read_list

_LABELS = TypeAdapter(list[ClassLabel])
_HEALTHY = {"en": "healthy", "es": "sana", "de": "gesund", "fr": "saine"}
_POWDERY_MILDEW = {"en": "powdery mildew", "es": "oídio", "de": "Echter Mehltau", "fr": "oïdium"}
_RUST = {"en": "rust", "es": "roya", "de": "Rost", "fr": "rouille"}
# The last three ids are those of the original classifier; ``rush`` is its spelling of rust.
# No EPPO codes: each of the two diseases is many pathogens, one code per host.
_NAMES = {
    "healthy": _HEALTHY,
    "powdery_mildew": _POWDERY_MILDEW,
    "rust": _RUST,
    "saludable": _HEALTHY,
    "powdery": _POWDERY_MILDEW,
    "rush": _RUST,
}


def class_labels(
    ids: Sequence[str],
    labels: Mapping[str, ClassLabel] = MappingProxyType({}),
    *,
    folder_names: Mapping[str, str] = MappingProxyType({}),
) -> tuple[ClassLabel, ...]:
    """Return the classes in this order, each from ``labels``, else with well-known names, else by its folder name."""
    return tuple(
        labels.get(i) or ClassLabel(id=i, names=_NAMES.get(i) or {"en": _words(folder_names.get(i, i))}) for i in ids
    )


def _words(name: str) -> str:
    """Make words of a folder name, as of `Apple___Cedar_apple_rust`."""
    return " ".join(name.replace("_", " ").split())


def read_labels(path: Path) -> dict[str, ClassLabel]:
    """Read names and EPPO codes from a JSON file: ``[{"id", "names": {"en": ..., "es": ...}, "eppo_code"}, ...]``.

    Raises:
        TrainingError: the file cannot be read, or is not such a list.
    """
    return {label.id: label for label in read_list(path, _LABELS, "classes")}
