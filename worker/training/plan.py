"""The parameters of a training: data, classes, schedule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path

from shared.contracts.manifest import MODEL_FILE, ClassLabel, Decode, Preprocessing, ResizeFilter
from worker.inference.manifest import shipped_classifier_dir
from worker.training.crops import LearnedCrop

# Pixels to about -1 ... 1 as the backbone was trained; the decoder scales, then an antialiased filter; upright.
PREPROCESSING = Preprocessing(
    decode=Decode.SCALED, resize=ResizeFilter.BICUBIC, exif_orientation=True, scale=1 / 128, offset=127.0
)
OTHER_SYMPTOM_FOLDER = "other_disease"
NOT_A_LEAF_FOLDER = "not_a_leaf"
# Fewer pictures are shown more often: a head that has seen 18 batches knows nothing yet.
MIN_STEPS = 120
HELD_OUT = 0.1  # of the images of each class: temperature and limits are chosen on them


@dataclass(frozen=True, slots=True)
class Schedule:
    """Epochs, batch and learning rate. ``trainable_from`` names the first layer of the backbone that learns."""

    epochs: int = 6
    batch_size: int = 32
    learning_rate: float = 3e-4
    trainable_from: str = "b9_exp"
    seed: int = 1


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Data, target and schedule of a training. ``classes`` empty: every folder except those of the review.

    ``other_symptom`` and ``not_a_leaf`` name folders next to those of the classes: their images belong to no class,
    and teach the classifier to ask for a review. ``min_steps``: batches that the network learns from at least, whatever
    the epochs of the schedule.
    and teach the classifier to ask for a review. ``crops`` name the folders that hold the pictures of each crop.
    ``grounds``: photographs without a leaf, of any size, that are cut for backgrounds and for tiles without a leaf.
    """

    data: Sequence[Path]
    out: Path
    name: str
    version: str
    classes: Sequence[str] = ()
    labels: Mapping[str, ClassLabel] = field(default_factory=dict)
    other_symptom: str = OTHER_SYMPTOM_FOLDER
    not_a_leaf: str = NOT_A_LEAF_FOLDER
    backbone: Path = field(default_factory=lambda: shipped_classifier_dir() / MODEL_FILE)
    crops: Sequence[LearnedCrop] = ()
    grounds: Sequence[Path] = ()
    held_out: float = HELD_OUT
    description: str = ""
    notes: str = ""
    command: str = ""
    threads: int | None = None
    schedule: Schedule = field(default_factory=Schedule)
    min_steps: int = 0

    def schedule_of(self, pictures: int) -> Schedule:
        """Return the schedule for so many pictures to learn from: with more epochs where they are few."""
        steps = max(1, ceil(pictures / self.schedule.batch_size))
        return replace(self.schedule, epochs=max(self.schedule.epochs, ceil(self.min_steps / steps)))
