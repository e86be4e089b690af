import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.contracts.manifest import ClassLabel, Manifest, Preprocessing
from tests.unit.inference.colours import ColourClassifier
from worker.inference.classifier import Classifier

ManifestFactory = Callable[..., Manifest]
Encode = Callable[..., bytes]


@pytest.fixture
def make_manifest() -> ManifestFactory:
    def make(**overrides: Any) -> Manifest:  # noqa: ANN401  # fields of a manifest have many types
        fields: dict[str, Any] = {
            "name": "colours",
            "version": "1",
            "sha256": "0" * 64,
            "classes": (
                ClassLabel(id="red", names={"en": "red", "es": "rojo"}),
                ClassLabel(id="green", names={"en": "green", "es": "verde"}),
                ClassLabel(id="blue", names={"en": "blue", "es": "azul"}),
            ),
            "input_size": (8, 12),
            "preprocessing": Preprocessing(),
            "review_threshold": 0.6,
        }
        return Manifest(**{**fields, **overrides})

    return make


@pytest.fixture
def classifier(make_manifest: ManifestFactory) -> ColourClassifier:
    made = ColourClassifier(make_manifest())
    _: Classifier = made  # The type checker compares it with the Protocol here.
    return made


@pytest.fixture
def encode() -> Encode:
    def make(image: Image.Image, image_format: str = "JPEG", **options: Any) -> bytes:  # noqa: ANN401
        buffer = io.BytesIO()
        image.save(buffer, image_format, **options)
        return buffer.getvalue()

    return make


@pytest.fixture
def photo() -> Image.Image:
    """A picture with texture, larger than the encoders' buffers."""
    rng = np.random.default_rng(7)
    coarse = Image.fromarray(rng.integers(0, 256, (15, 20, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((400, 300), Image.Resampling.BICUBIC)).astype(np.int16)
    return Image.fromarray(np.clip(smooth + rng.integers(-20, 20, smooth.shape), 0, 255).astype(np.uint8))
