"""Names of well-known class ids, for the manifest."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from pydantic import TypeAdapter, ValidationError

from shared.contracts.manifest import ClassLabel
from worker.training.errors import TrainingError

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
    try:
        labels = _LABELS.validate_json(path.read_bytes())
    except OSError as error:
        raise TrainingError(f"{path} cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise TrainingError(f"{path} is no list of classes: {where}: {first['msg']}") from error
    return {label.id: label for label in labels}
