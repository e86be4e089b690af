"""Names for the class ids that are known, to write into a manifest."""

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
    given: Mapping[str, ClassLabel] = MappingProxyType({}),
    *,
    called: Mapping[str, str] = MappingProxyType({}),
) -> tuple[ClassLabel, ...]:
    """The classes in this order: as ``given``, or with names where they are known, or as they are ``called``."""
    return tuple(given.get(i) or ClassLabel(id=i, names=_NAMES.get(i) or {"en": _words(called.get(i, i))}) for i in ids)


def _words(name: str) -> str:
    """`Apple___Cedar_apple_rust` as people read it."""
    return " ".join(name.replace("_", " ").split())


def read_labels(path: Path) -> dict[str, ClassLabel]:
    """Names and EPPO codes from a JSON file: ``[{"id", "names": {"en": ..., "es": ...}, "eppo_code"}, ...]``.

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
