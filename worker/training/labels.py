"""Names for the class ids that are known, to write into a manifest."""

from collections.abc import Sequence

from shared.contracts.manifest import ClassLabel

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


def class_labels(ids: Sequence[str]) -> tuple[ClassLabel, ...]:
    """The classes in this order, with names where they are known (else the id, with spaces, as the English name)."""
    return tuple(ClassLabel(id=i, names=_NAMES.get(i, {"en": i.replace("_", " ")})) for i in ids)
