"""The look of labels, the same on every photograph of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from phytobatch.reports import colours

HEALTHY = ("healthy",)

Rgb = colours.Rgb


@dataclass(frozen=True)
class Style:
    """Colours as ``#rrggbb`` and names for people, by label, and the labels that are no disease."""

    colour_of: Mapping[str, str]
    healthy: Sequence[str] = HEALTHY
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Mapping[str, str], healthy: Sequence[str] = HEALTHY) -> Style:
        """Return the look of the labels of a classifier; ``names`` has every label."""
        return cls(colours.of_labels(list(names), healthy), healthy, names)

    def name(self, label: str) -> str:
        """Return the name of a label for people, or the label itself."""
        return self.names.get(label) or label.replace("_", " ")

    def colour(self, label: str) -> Rgb:
        """Return red, green and blue of a label, 0 to 255."""
        return rgb(self.colour_of.get(label, colours.UNSURE))

    def is_healthy(self, label: str | None) -> bool:
        """Return whether the label is no disease."""
        return label in self.healthy


def rgb(colour: str) -> Rgb:
    """Return red, green and blue of ``#rrggbb``, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
