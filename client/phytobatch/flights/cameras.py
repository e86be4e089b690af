"""Cameras of drones and telephones: what one needs to know how large a pixel is on the ground.

A row gives the width of the sensor and the focal length, either both real, or both as the maker compares them with a
35 mm film (CIPA DCG-001: the diagonals agree, 43.27 mm). Their quotient counts, and that is the same. Where the files
of a camera carry the 35 mm equivalent, the server computes with it too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from phytobatch.errors import ConfigurationError

FILM_DIAGONAL_MM = 43.27
_SIGNS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Camera:
    """A camera with its usual pictures: width of the sensor and focal length in millimetres, sides in pixels."""

    title: str
    sensor_width_mm: float
    focal_mm: float
    width: int
    height: int
    source: str

    @classmethod
    def of_equivalent(cls, title: str, equivalent_mm: float, width: int, height: int, source: str) -> Camera:
        """Return a camera of which the maker says the focal length as on 35 mm film."""
        sensor = FILM_DIAGONAL_MM * width / math.hypot(width, height)
        return cls(title, sensor, equivalent_mm, width, height, source)


CAMERAS: Mapping[str, Camera] = {
    "mini-3": Camera.of_equivalent("DJI Mini 3", 24, 4000, 3000, "https://www.dji.com/mini-3/specs"),
    "mini-4-pro": Camera.of_equivalent("DJI Mini 4 Pro", 24, 4032, 3024, "https://www.dji.com/mini-4-pro/specs"),
    "air-2s": Camera.of_equivalent("DJI Air 2S", 22, 5472, 3648, "https://www.dji.com/air-2s/specs"),
    "mavic-3e": Camera("DJI Mavic 3E", 17.3, 12.29, 5280, 3956, "https://enterprise.dji.com/mavic-3-enterprise/specs"),
    "mavic-3e-tele": Camera.of_equivalent(
        "DJI Mavic 3E, tele", 162, 4000, 3000, "https://enterprise.dji.com/mavic-3-enterprise/specs"
    ),
    "mavic-3m": Camera("DJI Mavic 3M (RGB)", 17.3, 12.29, 5280, 3956, "https://ag.dji.com/mavic-3-m/specs"),
    "phantom-4-pro": Camera("DJI Phantom 4 Pro", 13.2, 8.8, 5472, 3648, "https://www.dji.com/phantom-4-pro-v2/specs"),
    "matrice-4e": Camera.of_equivalent(
        "DJI Matrice 4E", 24, 5280, 3956, "https://enterprise.dji.com/matrice-4-series/specs"
    ),
    "matrice-4e-tele": Camera.of_equivalent(
        "DJI Matrice 4E, tele", 168, 8064, 6048, "https://enterprise.dji.com/matrice-4-series/specs"
    ),
    "p1-24": Camera("DJI Zenmuse P1, 24 mm", 35.9, 24, 8192, 5460, "https://enterprise.dji.com/zenmuse-p1/specs"),
    "p1-35": Camera("DJI Zenmuse P1, 35 mm", 35.9, 35, 8192, 5460, "https://enterprise.dji.com/zenmuse-p1/specs"),
    "p1-50": Camera("DJI Zenmuse P1, 50 mm", 35.9, 50, 8192, 5460, "https://enterprise.dji.com/zenmuse-p1/specs"),
    "iphone-15": Camera.of_equivalent("Apple iPhone 15", 26, 4032, 3024, "https://support.apple.com/en-us/111831"),
    "pixel-8": Camera.of_equivalent("Google Pixel 8", 25, 4080, 3072, "https://store.google.com/product/pixel_8_specs"),
    "galaxy-s23": Camera.of_equivalent(
        "Samsung Galaxy S23", 24, 4000, 3000, "https://www.samsung.com/global/galaxy/galaxy-s23/specs/"
    ),
}


def camera_named(name: str) -> Camera:
    """Return the camera of this name; case, blanks and signs do not matter, nor does a maker in front.

    Raises:
        ConfigurationError: none has it; the sentence lists the known ones.
    """
    wanted = _plain(name)
    for key, camera in CAMERAS.items():
        if wanted and wanted in {_plain(key), _plain(camera.title), _plain(camera.title.partition(" ")[2])}:
            return camera
    raise ConfigurationError(
        f"{name!r} is not among the known cameras: {', '.join(CAMERAS)}. Of any other say "
        "--sensor-width MM --focal MM --width PIXELS, which its data sheet has."
    )


def _plain(name: str) -> str:
    return _SIGNS.sub("", name.lower())
