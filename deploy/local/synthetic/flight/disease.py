"""The distribution of diseases over the field: hot spots that thin out, and a little everywhere."""

from dataclasses import dataclass
from math import exp

import numpy as np

from deploy.local.synthetic.scene import Kind

EVERYWHERE = 0.015  # share of leaves with rust far away from every hot spot


@dataclass(frozen=True, slots=True)
class HotSpot:
    """A round patch: centre and radius in shares of the field's edges, ``peak`` the share of sick leaves inside."""

    kind: Kind
    east: float
    north: float
    radius: float
    peak: float

    def share(self, east: float, north: float) -> float:
        """Return the share of sick leaves at a place, falling off as a bell."""
        square = (east - self.east) ** 2 + (north - self.north) ** 2
        return self.peak * exp(-square / (2 * self.radius**2))


HOT_SPOTS = (
    HotSpot(Kind.RUST, east=0.70, north=0.32, radius=0.11, peak=0.95),
    HotSpot(Kind.RUST, east=0.92, north=0.62, radius=0.05, peak=0.7),
    HotSpot(Kind.POWDERY_MILDEW, east=0.20, north=0.78, radius=0.09, peak=0.8),
)


def kind_at(east: float, north: float, rng: np.random.Generator) -> Kind:
    """Draw the kind of a leaf at this place of the field (shares of its edges, 0 to 1) from ``rng``."""
    draw = rng.random()
    for spot in HOT_SPOTS:
        share = spot.share(east, north)
        if draw < share:
            return spot.kind
        draw -= share
    return Kind.RUST if draw < EVERYWHERE else Kind.HEALTHY
