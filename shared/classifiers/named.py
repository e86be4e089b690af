"""Classifiers by name and version, as settings name them."""

from shared.errors import ConfigurationError


def parse_classifiers(text: str) -> list[tuple[str, str]]:
    """Read names and versions, as ``leaf@1,leaf@2``.

    Raises:
        ConfigurationError: an entry is not ``NAME@VERSION``, or stands twice.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    parsed = []
    for entry in entries:
        name, at, version = entry.partition("@")
        if not (name and at and version):
            raise ConfigurationError(f"PHYTOBATCH_CLASSIFIERS: {entry!r} is not NAME@VERSION, as leaf@1")
        parsed.append((name, version))
    if len(set(parsed)) != len(parsed):
        raise ConfigurationError(f"PHYTOBATCH_CLASSIFIERS names a classifier twice: {text}")
    return parsed
