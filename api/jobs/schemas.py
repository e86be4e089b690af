"""Requests about jobs, and the answer to a page of images."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.fields import ImageMetadata, Moment, RequestBody
from shared.contracts.job_request import JobRequest
from shared.contracts.stored import Altitude, Heading, HeightAboveGround, Latitude, Longitude, Text

PAGE = 1000


class CreateJob(JobRequest):
    """A new job. With ``source`` its images are found there, and it is committed at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "North field, row 3", "metadata": {"crop": "pumpkin"}},
                {"name": "Greenhouse 2", "webhook_url": "https://farm.example.org/hooks"},
                {"name": "Bench 7", "tiling": {"edge": 256, "overlap": 0.2}},
                {"name": "Archive", "source": {"s3": {"bucket": "farm-archive", "prefix": "2026/05/"}}},
            ]
        }
    )


class ImageIn(RequestBody):
    """An image as the client names it, before its bytes are uploaded."""

    name: Text
    size: int = Field(strict=True, ge=0, le=2**53, description="Bytes. An empty file is taken and reported as `empty`.")
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    metadata: ImageMetadata | None = None
    latitude: Latitude | None = Field(default=None, description="Degrees, WGS 84.")
    longitude: Longitude | None = Field(default=None, description="Degrees, WGS 84.")
    altitude: Altitude | None = Field(default=None, description="Metres.")
    heading: Heading | None = Field(
        default=None, description="Direction of the camera: degrees clockwise from true north."
    )
    height_above_ground: HeightAboveGround | None = Field(
        default=None, description="Height of the camera above the ground or the plants: metres."
    )
    captured_at: Moment | None = Field(default=None, description="With a zone, as `2026-06-03T10:30:00+02:00`.")

    @model_validator(mode="after")
    def _a_place_has_both(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            msg = "latitude and longitude must come together; one alone is no position"
            raise ValueError(msg)
        return self


class AddImages(RequestBody):
    """A page of images."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "images": [
                        {
                            "name": "DJI_0007.JPG",
                            "size": 4718592,
                            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                            "latitude": 47.99,
                            "longitude": 7.84,
                            "heading": 90.0,
                            "captured_at": "2026-06-01T10:00:00+02:00",
                        }
                    ]
                }
            ]
        }
    )

    images: list[ImageIn] = Field(min_length=1, max_length=PAGE)


# A page has a thousand of these two. They come from us, so nothing is to be checked again.


@dataclass(slots=True)
class Upload:
    """The upload of one image. ``headers`` must be sent exactly."""

    __pydantic_config__ = ConfigDict(json_schema_serialization_defaults_required=True)

    url: str
    headers: dict[str, str]
    expires_at: datetime
    method: Literal["PUT"] = "PUT"


@dataclass(slots=True)
class AddedImage:
    """The number that an image got, and its upload."""

    seq: int
    name: str
    upload: Upload


class AddedImages(BaseModel):
    """The images in the order of the request."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "images": [
                        {
                            "seq": 7,
                            "name": "DJI_0007.JPG",
                            "upload": {
                                "method": "PUT",
                                "url": "https://objects.example.org/phytobatch/uploads/0193…/00000007?X-Amz-Signature=…",
                                "headers": {
                                    "content-length": "4718592",
                                    "x-amz-checksum-sha256": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
                                },
                                "expires_at": "2026-06-01T09:00:00Z",
                            },
                        }
                    ]
                }
            ]
        }
    )

    images: list[AddedImage]
