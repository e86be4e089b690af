"""The manifest of a classifier: the meaning of its numbers, and how pixels must be prepared for it.

Training writes it, the worker reads it, the API shows it. A classifier is a folder with ``manifest.json``,
``model.keras`` and, for a CPU, ``model.onnx`` and ``model.int8.onnx``: the second for processors that multiply bytes.

The second version of its schema names the outputs of the model and its crops; the first is still read.
"""

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.contracts import stored
from shared.contracts.outputs import MAX_CROPS, ModelOutputs
from shared.contracts.tiling import MAX_EDGE_MM, MIN_EDGE_MM, GroundResolution

MAX_INPUT_EDGE = 4096  # pixels
MAX_CLASS_ID = 64  # letters
MAX_CLASSES = 255  # A map of tiles has a byte for the label of each (``shared.tiles.codec``).
MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model.keras"
ONNX_FILE = "model.onnx"
INT8_FILE = "model.int8.onnx"
HEALTHY = "healthy"  # The id of the class of plants without a disease; every other class is one.
# Each model file of a classifier, and the field of the manifest with its SHA-256.
HASH_FIELDS = {MODEL_FILE: "sha256", ONNX_FILE: "onnx_sha256", INT8_FILE: "int8_sha256"}
# What programs that know only the first version of the schema refuse; it is left out where it is not set.
SECOND_SCHEMA = frozenset({"outputs", "crops", "int8_sha256"})
CLASS_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
SHA256 = r"^[0-9a-f]{64}$"

# A manifest is stored as JSON.
Words = Annotated[str, AfterValidator(stored.text)]
Finite = Annotated[float, AfterValidator(stored.double)]
Share = Annotated[float, Field(ge=0, le=1)]


def _rising(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        msg = f"the lower end stands first, got {span[0]:g} and {span[1]:g}"
        raise ValueError(msg)
    return span


ClassifierName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
ClassifierVersion = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]


class Decode(StrEnum):
    """The decoding of a JPEG before it is resized."""

    FULL = "full"  # Every pixel, as Keras' load_img does.
    SCALED = "scaled"  # The decoder scales by 1/2, 1/4 or 1/8 first: faster, other pixels.


class ResizeFilter(StrEnum):
    """The resampling filters of Pillow that a manifest can name."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"


class Runtime(StrEnum):
    """The runtime of a classifier."""

    AUTO = "auto"  # TensorFlow if a GPU is visible, else the first of these that the folder and the processor allow.
    INT8 = "int8"  # ONNX Runtime with ``model.int8.onnx``.
    ONNX = "onnx"
    TENSORFLOW = "tensorflow"


class Strict(BaseModel):
    """A model that refuses unknown fields: a misspelled preprocessing would silently change every answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class ClassLabel(Strict):
    """A class of the classifier.

    ``id`` stands in results and filters; ``names`` maps a language (BCP 47) to a name for people; ``eppo_code`` is the
    code of the pest or pathogen in the EPPO Global Database, if there is one.
    """

    id: str = Field(min_length=1, max_length=MAX_CLASS_ID, pattern=CLASS_ID)
    names: dict[Words, Words] = Field(default_factory=dict)
    eppo_code: str | None = Field(default=None, pattern=r"^[A-Z0-9]{5,6}$")


class Crop(Strict):
    """A crop that the classifier has learned.

    ``id`` stands in results; ``names`` maps a language (BCP 47) to a name for people; ``eppo_code`` is the code of the
    plant in the EPPO Global Database; ``terms`` are the stated terms of the pictures that it was learned from.
    """

    id: str = Field(min_length=1, max_length=MAX_CLASS_ID, pattern=CLASS_ID)
    names: dict[Words, Words] = Field(default_factory=dict)
    eppo_code: str | None = Field(default=None, pattern=r"^[A-Z0-9]{5,6}$")
    terms: Words = ""


class Preprocessing(Strict):
    """The preparation of the model's float32 input: ``(pixel - offset) * scale`` on RGB 0 to 255."""

    decode: Decode = Decode.FULL
    resize: ResizeFilter = ResizeFilter.NEAREST
    exif_orientation: bool = False
    scale: float = Field(default=1 / 255, gt=0)
    offset: float = 0.0


class ReviewReason(StrEnum):
    """The reason for a review by a person: of those that apply, the one that is furthest above its limit."""

    BLURRED = "blurred"  # Too blurred to see a symptom.
    NOT_A_LEAF = "not_a_leaf"  # Nothing that the classifier has learned: a road, a lens cap, a cat.
    OTHER_SYMPTOM = "other_symptom"  # A leaf with signs of something that is not among the classes.
    UNKNOWN_CROP = "unknown_crop"  # A plant that the classifier has not learned: its diseases look different.
    LOW_CONFIDENCE = "low_confidence"  # The best class is below the review threshold.
    # Of tiles, and of photographs that are answered by tiles:
    UNUSUAL_LIGHT = "unusual_light"  # Its colours lie outside of what was learned: lamps, dusk, a filter.
    TOO_COARSE = "too_coarse"  # Its pixels are larger on the ground than those that were learned.
    TOO_FEW_TILES = "too_few_tiles"  # Fewer tiles count than an answer needs.
    NO_LEAF = "no_leaf"  # Too few tiles count, and most of the others show no leaf.


# Programs that know only the first version of the schema know no other reasons than the others.
SECOND_REASONS = frozenset({ReviewReason.UNKNOWN_CROP})


class ReviewOutput(Strict):
    """An output of the model behind those of the classes: above ``limit`` it is the reason for a review."""

    name: str = Field(min_length=1, max_length=64)
    reason: ReviewReason
    limit: float = Field(gt=0)


class LearnedLight(Strict):
    """The light that a classifier has learned, read from the pixels of a tile.

    Attributes:
        red: the range of red's share: the mean of red divided by the sum of the three means, 0 to 1.
        green: that of green's share.
        blue: that of blue's share.
        violet: the largest part of the pixels that may have a blue of more than 1.2 times their green. Under white
            light leaves return more green than blue; under lamps that have little green they cannot.
    """

    red: Annotated[tuple[Share, Share], AfterValidator(_rising)]
    green: Annotated[tuple[Share, Share], AfterValidator(_rising)]
    blue: Annotated[tuple[Share, Share], AfterValidator(_rising)]
    violet: float = Field(ge=0, le=1)


class ManifestTiling(Strict):
    """The tiles that a classifier has learned to read, and the rule by which they make the answer of a photograph.

    Attributes:
        edge: of a tile, in pixels of the original; ``"auto"`` in a job takes it.
        edge_mm: of a tile that shows what was learned, on plant or ground: where the resolution of a photograph is
            known, ``"auto"`` takes as many pixels as this is, instead of ``edge``.
        overlap: the part of an edge that neighbours share.
        ground_resolution_mm: the finest and the coarsest pixel that it can read, in millimetres of plant or ground.
        report_from: the share of a disease among the tiles that count from which the photograph is called diseased.
        min_tiles: the number of tiles that must count before a photograph is called healthy.
        min_share: the part of its classified tiles that must count before a photograph is called anything: a few odd
            tiles of a road are no evidence.
        light: outside of it a tile does not count (``unusual_light``).
    """

    edge: int = Field(default=256, ge=32, le=8192)
    edge_mm: float | None = Field(default=None, ge=MIN_EDGE_MM, le=MAX_EDGE_MM)
    overlap: float = Field(default=0.0, ge=0, le=0.5)
    ground_resolution_mm: Annotated[tuple[GroundResolution, GroundResolution], AfterValidator(_rising)] | None = None
    report_from: float = Field(default=0.1, gt=0, le=1)
    min_tiles: int = Field(default=4, ge=1)
    min_share: float = Field(default=0.0, ge=0, le=1)
    light: LearnedLight | None = None


class Manifest(Strict):
    """``manifest.json`` of a classifier folder.

    ``sha256`` is that of ``model.keras``, ``onnx_sha256`` and ``int8_sha256`` those of ``model.onnx`` and
    ``model.int8.onnx`` if there are such; a worker refuses to serve a file that differs. ``outputs`` names what the
    model gives; without it (the first version of the schema) that is one row of the probabilities of ``classes``, then
    ``review_outputs``. A result says ``needs_review`` if the best class is below ``review_threshold`` or a review
    output above its limit.
    """

    schema_version: Literal[1, 2] = 1
    name: ClassifierName
    version: ClassifierVersion
    sha256: str = Field(pattern=SHA256)
    onnx_sha256: str | None = Field(default=None, pattern=SHA256)
    int8_sha256: str | None = Field(default=None, pattern=SHA256, exclude_if=lambda value: value is None)
    classes: tuple[ClassLabel, ...] = Field(min_length=2, max_length=MAX_CLASSES)
    input_size: tuple[int, int] = Field(description="height, width in pixels")
    preprocessing: Preprocessing = Preprocessing()
    review_threshold: float = Field(default=0.6, ge=0, le=1)
    review_outputs: tuple[ReviewOutput, ...] = ()
    outputs: ModelOutputs | None = Field(
        default=None, exclude_if=lambda value: value is None, description="The outputs of the model by name."
    )
    crops: tuple[Crop, ...] = Field(
        default=(),
        max_length=MAX_CROPS,
        exclude_if=lambda value: not value,
        description="The crops it has learned, in the order of the output `crop`.",
    )
    tiling: ManifestTiling | None = Field(
        default=None, exclude_if=lambda value: value is None, description="How to read photographs of many plants."
    )
    description: Words = ""
    metrics: dict[Words, Finite] = Field(default_factory=dict)
    training_command: Words = ""

    @model_validator(mode="after")
    def _classes_are_distinct(self) -> "Manifest":
        ids = [c.id for c in self.classes]
        if len(set(ids)) != len(ids):
            msg = f"class ids must differ from each other, got {ids}"
            raise ValueError(msg)
        if not all(1 <= edge <= MAX_INPUT_EDGE for edge in self.input_size):
            msg = f"input_size must be between 1 and {MAX_INPUT_EDGE} pixels, got {self.input_size}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _outputs_fit(self) -> "Manifest":
        """Check what the second version of the schema adds against the rest."""
        new = self.model_fields_set & SECOND_SCHEMA
        rules = (
            (self.schema_version == 1 and new, f"{', '.join(sorted(new))} need schema_version 2"),
            (self.schema_version > 1 and self.outputs is None, "schema_version 2 needs outputs"),
            (
                self.outputs and bool(self.review_outputs) != (self.outputs.review is not None),
                "outputs.review and review_outputs belong together",
            ),
            (
                bool(self.crops) != bool(self.outputs and self.outputs.crop is not None),
                "outputs.crop and crops belong together",
            ),
            (
                self.outputs and (self.outputs.map is None) != (self.outputs.map_size is None),
                "outputs.map and outputs.map_size belong together",
            ),
            (
                self.outputs and len(set(self.outputs.names)) < len(self.outputs.names),
                "the names of outputs must differ from each other",
            ),
            (len({c.id for c in self.crops}) < len(self.crops), "crop ids must differ from each other"),
        )
        broken = [words for is_broken, words in rules if is_broken]
        if broken:
            raise ValueError("; ".join(broken))
        return self

    @property
    def model_files(self) -> dict[str, str]:
        """The model files of the folder and their SHA-256."""
        hashes = {name: getattr(self, field) for name, field in HASH_FIELDS.items()}
        return {name: sha256 for name, sha256 in hashes.items() if sha256 is not None}

    @property
    def labels(self) -> tuple[str, ...]:
        """The class ids in the order of the model's outputs."""
        return tuple(c.id for c in self.classes)

    @property
    def has_embedding(self) -> bool:
        """True if the model gives an embedding of an image."""
        return self.outputs is not None and self.outputs.embedding is not None

    @property
    def row_length(self) -> int:
        """The number of columns in a row of probabilities and review outputs."""
        return len(self.classes) + len(self.review_outputs)

    @property
    def preprocessing_id(self) -> str:
        """The id of the preprocessing: two classifiers with the same id get the same pixels."""
        identity = {"input_size": list(self.input_size), **self.preprocessing.model_dump(mode="json")}
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        return f"{self.preprocessing.decode}-{self.preprocessing.resize}-{digest[:8]}"
