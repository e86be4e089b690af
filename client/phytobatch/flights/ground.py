"""The size of a pixel on the ground, from the height and the camera, and the heights from which it can be read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from phytobatch.flights.cameras import Camera
from phytobatch.resources import JsonObject

MM_PER_METRE = 1000


@dataclass(frozen=True)
class View:
    """A camera that looks straight down from a height in metres above the plants."""

    camera: Camera
    height: float

    @property
    def pixel_mm(self) -> float:
        """Millimetres of plant or ground in a pixel (height x sensor width / focal length / pixels; Pix4D's GSD)."""
        camera = self.camera
        return self.height * MM_PER_METRE * camera.sensor_width_mm / (camera.focal_mm * camera.width)

    @property
    def width_m(self) -> float:
        """Metres of ground across the picture."""
        return self.pixel_mm * self.camera.width / MM_PER_METRE

    @property
    def height_m(self) -> float:
        """Metres of ground along the picture."""
        return self.pixel_mm * self.camera.height / MM_PER_METRE

    def height_for(self, pixel_mm: float) -> float:
        """Return the height in metres from which a pixel is so large."""
        return pixel_mm / replace(self, height=1.0).pixel_mm

    def is_read(self, reads: tuple[float, float]) -> bool:
        """Return whether the pixel is within the finest and the coarsest that a classifier reads, in millimetres."""
        return reads[0] <= self.pixel_mm <= reads[1]

    def to_json(self, reads: tuple[float, float] | None) -> JsonObject:
        """Return it as ``plan --json`` prints it; lengths in the unit of their name."""
        camera = self.camera
        document: JsonObject = {
            "camera": camera.title,
            "source": camera.source,
            "sensor_width_mm": round(camera.sensor_width_mm, 3),
            "focal_mm": camera.focal_mm,
            "pixels": [camera.width, camera.height],
            "height_m": self.height,
            "pixel_mm": round(self.pixel_mm, 4),
            "picture_m": [round(self.width_m, 3), round(self.height_m, 3)],
        }
        if reads is not None:
            heights = [round(self.height_for(pixel), 3) for pixel in reads]
            document |= {"reads_mm": list(reads), "is_read": self.is_read(reads), "read_from_to_m": heights}
        return document
