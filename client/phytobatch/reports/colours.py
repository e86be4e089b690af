"""Colours that people with any colour vision can tell apart, and that still differ in grey print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Okabe and Ito, "Color Universal Design" (2008); green for healthy, because growers expect it.
HEALTHY = "#009e73"
OTHERS = ("#d55e00", "#cc79a7", "#0072b2", "#e69f00", "#56b4e9", "#f0e442")
UNSURE = "#8a8f98"
# From none to all diseased: lightness falls evenly (after ColorBrewer's YlOrRd).
SCALE = ((255, 255, 204), (254, 217, 118), (253, 141, 60), (227, 26, 28), (128, 0, 38))


def of_labels(labels: Sequence[str], healthy: Sequence[str]) -> Mapping[str, str]:
    """Return a colour for each label, the same whatever their order."""
    others = sorted(set(labels) - set(healthy))
    return dict.fromkeys(healthy, HEALTHY) | {
        label: OTHERS[number % len(OTHERS)] for number, label in enumerate(others)
    }


def of_share(share: float) -> str:
    """Return the colour of a share, 0 to 1, between those of the scale."""
    place = max(0.0, min(1.0, share)) * (len(SCALE) - 1)
    index = min(int(place), len(SCALE) - 2)
    part = place - index
    mixed = (round(a + (b - a) * part) for a, b in zip(SCALE[index], SCALE[index + 1]))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)
