"""A prediction on the wire."""

import uuid
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.results.schemas import CROP_WORDS, EXPLANATION_WORDS, TileSumsOut
from api.tiles.schemas import ImageTiles
from api.wire.jobs import job_path
from shared.contracts.explanations import Cells
from shared.contracts.manifest import ReviewReason

REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
                "additionalProperties": False,
                "examples": [{"file": "leaf.jpg"}],
            }
        }
    },
}


class PredictionLinks(BaseModel):
    """Paths on this server."""

    job: str
    results: str

    @classmethod
    def of(cls, job_id: uuid.UUID) -> "PredictionLinks":
        """Make the links of the job behind a prediction."""
        return cls(job=job_path(job_id), results=f"{job_path(job_id)}/results")


class Prediction(BaseModel):
    """The answer for one image."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "predicted_class": "rust",
                    "confidence": 97.0,
                    "probabilities": {"healthy": 0.01, "powdery_mildew": 0.02, "rust": 0.97},
                    "needs_review": False,
                    "review_reason": None,
                    "crop": "apple",
                    "tiles": None,
                    "tiles_map": None,
                    "explanation": None,
                    "job_id": "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10",
                    "links": {
                        "job": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10",
                        "results": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/results",
                    },
                }
            ]
        }
    )

    predicted_class: str | None = Field(
        description="`null` only with `tiling`, where the tiles decide nothing: undecided, and not healthy."
    )
    confidence: float | None = Field(description="Percent, 0 to 100; `null` without a class.")
    probabilities: dict[str, float] | None = Field(description="0 to 1 each; `null` with `tiling`.")
    needs_review: bool
    review_reason: ReviewReason | None = Field(
        description="The reason why a person should review it; `null` when none needs to."
    )
    crop: str | None = Field(description=CROP_WORDS[0].upper() + CROP_WORDS[1:])
    tiles: TileSumsOut | None = Field(description="With `tiling`: its tiles by their answers.")
    tiles_map: ImageTiles | None = Field(description="With `tiling`: the answer of each tile.")
    explanation: Cells | None = Field(description=f"With `explain`: {EXPLANATION_WORDS}")
    job_id: uuid.UUID
    links: PredictionLinks
