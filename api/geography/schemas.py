"""Places on the wire."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.geography import PositionFault, PositionSource
from shared.geography.place import Place

HEADING_DIGITS = 2  # It is stored as a 32-bit number.
MAX_NAMED = 1000  # lines and images that a report names


@dataclass(slots=True)
class PlaceOut:
    """Position and moment of an image, from the first source that has them: the client, a sidecar, the image itself."""

    latitude: Annotated[float | None, Field(description="Degrees, WGS 84; `null` together with `longitude`.")]
    longitude: float | None
    altitude: Annotated[float | None, Field(description="Metres, as the source counts them; EXIF: above sea level.")]
    heading: Annotated[float | None, Field(description="Degrees clockwise from true north.")]
    captured_at: datetime | None
    source: Annotated[PositionSource | None, Field(description="Source of the position.")]
    fault: Annotated[
        PositionFault | None, Field(description="The reason why there is no position; `null` when there is one.")
    ]


def place_out(place: Place) -> PlaceOut:
    """Return a place as clients see it."""
    latitude, longitude, altitude, heading, captured_at, source, fault = place
    rounded = None if heading is None else round(heading, HEADING_DIGITS)
    return PlaceOut(latitude, longitude, altitude, rounded, captured_at, source, fault)


class UnmatchedLine(BaseModel):
    """A line that matches no image of the job."""

    line: int
    name: str
    reason: str


class SidecarReport(BaseModel):
    """The outcome of a sidecar. Images without a position may still get one from their own files."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lines": 3,
                    "matched": 2,
                    "unmatched": [{"line": 4, "name": "DJI_0099.JPG", "reason": "no image has this name"}],
                    "images": 3,
                    "images_without_position": 1,
                    "without_position": ["DJI_0008.JPG"],
                }
            ]
        }
    )

    lines: int = Field(description="Lines that name an image.")
    matched: int
    unmatched: list[UnmatchedLine] = Field(description=f"The first {MAX_NAMED} of them.")
    images: int = Field(description="Images that the job has so far.")
    images_without_position: int
    without_position: list[str] = Field(description=f"The first {MAX_NAMED} of them, by name.")
