"""Colours that people with any colour vision can tell apart, and that still differ in grey print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Okabe and Ito, "Color Universal Design" (2008); green for healthy, because growers expect it.
HEALTHY = "#009e73"
OTHERS = ("#d55e00", "#cc79a7", "#0072b2", "#e69f00", "#56b4e9", "#f0e442")
UNSURE = "#8a8f98"
# From none to all diseased: lightness falls evenly (after ColorBrewer's YlOrRd).
SCALE = ((255, 255, 204), (254, 217, 118), (253, 141, 60), (227, 26, 28), (128, 0, 38))
# Of what speaks for a label: no leaf and no symptom has these colours, and their lightness falls evenly.
EVIDENCE = ((255, 255, 255), (170, 200, 255), (110, 150, 255), (70, 90, 240), (60, 20, 200))

Rgb = tuple[int, int, int]


def of_labels(labels: Sequence[str], healthy: Sequence[str]) -> Mapping[str, str]:
    """Return a colour for each label, the same whatever their order."""
    others = sorted(set(labels) - set(healthy))
    return dict.fromkeys(healthy, HEALTHY) | {
        label: OTHERS[number % len(OTHERS)] for number, label in enumerate(others)
    }


def of_share(share: float) -> str:
    """Return the colour of a share, 0 to 1, between those of the scale."""
    return "#" + "".join(f"{channel:02x}" for channel in _between(SCALE, share))


def of_evidence(part: float) -> Rgb:
    """Return red, green and blue of evidence, 0 (none) to 1 (the most)."""
    return _between(EVIDENCE, part)


def _between(scale: Sequence[Rgb], part: float) -> Rgb:
    place = max(0.0, min(1.0, part)) * (len(scale) - 1)
    index = min(int(place), len(scale) - 2)
    rest = place - index
    red, green, blue = (round(a + (b - a) * rest) for a, b in zip(scale[index], scale[index + 1]))
    return red, green, blue
