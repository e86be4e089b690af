import io
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.contracts.manifest import ClassLabel, Manifest, Preprocessing
from worker.inference.classifier import Classifier, GpuMemory

ManifestFactory = Callable[..., Manifest]
Encode = Callable[..., bytes]


class ColourClassifier:
    """Keeps the Protocol of a classifier: says which of red, green and blue a picture has most of."""

    def __init__(self, manifest: Manifest, batch_size: int = 4) -> None:
        self._manifest = manifest
        self._batch_size = batch_size
        self._lock = threading.Lock()
        self.batches: list[int] = []

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    @property
    def batch_size(self) -> int:
        return self._batch_size

    @property
    def runtime(self) -> str:
        return "numpy"

    def warm_up(self) -> None:
        return

    def gpu_memory(self) -> Sequence[GpuMemory]:
        return ()

    def classify(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._lock:
            assert batch.dtype == np.float32
            assert batch.shape[1:] == (*self._manifest.input_size, 3)
            assert 1 <= len(batch) <= self._batch_size
            self.batches.append(len(batch))
            powers = np.exp(batch.mean(axis=(1, 2)) * 10)
            rows: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
            return rows


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
