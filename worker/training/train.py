"""From folders of images to a classifier folder."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from shared.contracts.manifest import Manifest, Preprocessing, ResizeFilter
from worker.inference.keras_classifier import import_tensorflow
from worker.training.dataset import class_folders, hold_out, labelled_files, load_examples
from worker.training.fit import Schedule, fit, probabilities, scaled
from worker.training.labels import class_labels
from worker.training.network import small_network
from worker.training.threshold import review_threshold
from worker.training.write import check_target, write_classifier

log = logging.getLogger(__name__)

# Pixels to -1 ... 1, resized with an antialiased filter, upright.
PREPROCESSING = Preprocessing(resize=ResizeFilter.BILINEAR, exif_orientation=True, scale=1 / 127.5, offset=127.5)
HELD_OUT_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What to train on, what to write and how. ``classes`` empty: every folder that is there."""

    data: Sequence[Path]
    out: Path
    name: str
    version: str
    classes: Sequence[str] = ()
    image_edge: int = 160
    description: str = ""
    command: str = ""
    threads: int | None = None
    schedule: Schedule = field(default_factory=Schedule)


def train(plan: TrainingPlan) -> Manifest:
    """Train the small network and write its classifier folder; the same seed and threads give the same weights.

    Raises:
        TrainingError: the data do not allow it.
    """
    check_target(plan.out)
    classes = tuple(plan.classes) or class_folders(plan.data)
    input_size = (plan.image_edge, plan.image_edge)
    files = labelled_files(plan.data, classes)
    log.info("reading %d images of %s", len(files), ", ".join(classes))
    examples, unreadable = load_examples(files, PREPROCESSING, input_size)
    for sentence in unreadable:
        log.warning("left out: %s", sentence)
    kept, held_out = hold_out(examples, HELD_OUT_SHARE, plan.schedule.seed)

    tensorflow = import_tensorflow(intra_op_threads=plan.threads)
    import keras

    keras.utils.set_random_seed(plan.schedule.seed)
    tensorflow.config.experimental.enable_op_determinism()
    model = small_network(input_size, len(classes))
    log.info("training %d parameters on %d images, holding out %d", model.count_params(), len(kept), len(held_out))
    fit(model, kept, held_out, PREPROCESSING, plan.schedule)

    found = probabilities(model, scaled(held_out.pixels, PREPROCESSING))
    model.compile()  # Drops the optimizer: it is three times the weights, and serving has no use for it.
    return write_classifier(
        plan.out,
        model.save,
        {
            "name": plan.name,
            "version": plan.version,
            "classes": class_labels(classes),
            "input_size": input_size,
            "preprocessing": PREPROCESSING,
            "review_threshold": review_threshold(found, held_out.labels),
            "description": plan.description,
            "metrics": {
                "parameters": model.count_params(),
                "training_images": len(kept),
                "held_out_images": len(held_out),
                "held_out_accuracy": round(float(np.mean(found.argmax(axis=1) == held_out.labels)), 4),
            },
            "training_command": plan.command,
        },
    )
