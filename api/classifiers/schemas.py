"""Classifiers on the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.classifiers.registry import manifest_of
from shared.contracts.manifest import ClassLabel, Crop, ManifestTiling
from shared.contracts.outputs import ModelOutputs
from shared.db.models import Classifier

EXAMPLE: dict[str, Any] = {
    "name": "leaf",
    "version": "1",
    "default": True,
    "description": "Healthy leaves, powdery mildew and rust.",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "classes": [
        {"id": "healthy", "names": {"en": "healthy", "es": "sana"}, "eppo_code": None},
        {"id": "powdery_mildew", "names": {"en": "powdery mildew", "es": "oídio"}, "eppo_code": None},
        {"id": "rust", "names": {"en": "rust", "es": "roya"}, "eppo_code": None},
    ],
    "input_size": [128, 128],
    "review_threshold": 0.6,
    "metrics": {"accuracy": 0.96},
    "tiling": {
        "edge": 256,
        "edge_mm": 80.0,
        "overlap": 0.0,
        "ground_resolution_mm": [0.1, 1.0],
        "report_from": 0.1,
        "min_tiles": 4,
        "min_share": 0.1,
        "light": None,
    },
    "outputs": {
        "probabilities": "probabilities",
        "review": "review",
        "map": "map",
        "map_size": [7, 7],
        "embedding": "embedding",
        "crop": "crop",
    },
    "crops": [
        {
            "id": "apple",
            "names": {"en": "apple", "es": "manzano"},
            "eppo_code": "MABSD",
            "terms": "apple-field/train: CC0",
        }
    ],
}


class ClassifierOut(BaseModel):
    """A classifier that jobs can ask for."""

    name: str
    version: str
    default: bool = Field(description="Jobs that name no classifier get this one.")
    description: str
    sha256: str
    classes: list[ClassLabel]
    input_size: tuple[int, int] = Field(description="Height and width in pixels.")
    review_threshold: float
    metrics: dict[str, float]
    tiling: ManifestTiling | None = Field(
        description="The tiles that it has learned to read; null where it has learned none, and `auto` is refused."
    )
    outputs: ModelOutputs | None = Field(
        description="What its model gives, by name; null where that is probabilities and review outputs alone."
    )
    crops: list[Crop] = Field(
        description="The plants that it has learned, with the terms of their pictures; empty where it names none."
    )


class ClassifierList(BaseModel):
    """Every classifier, by name, newest version first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"classifiers": [EXAMPLE]}]})

    classifiers: list[ClassifierOut]


class ModelList(BaseModel):
    """The classifiers under their older name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"models": [EXAMPLE]}]})

    models: list[ClassifierOut]


def classifier_details(classifier: Classifier) -> ClassifierOut:
    """Return a classifier as clients see it."""
    manifest = manifest_of(classifier)
    return ClassifierOut(
        name=classifier.name,
        version=classifier.version,
        default=classifier.is_default,
        description=manifest.description,
        sha256=classifier.sha256,
        classes=list(manifest.classes),
        input_size=manifest.input_size,
        review_threshold=manifest.review_threshold,
        metrics=manifest.metrics,
        tiling=manifest.tiling,
        outputs=manifest.outputs,
        crops=list(manifest.crops),
    )
