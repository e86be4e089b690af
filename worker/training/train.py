"""From folders of images to a classifier folder."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from worker.inference.keras_classifier import import_tensorflow
from worker.inference.manifest import read_manifest
from worker.training.backbone import open_backbone
from worker.training.card import card, write_card
from worker.training.dataset import check_counts, hold_out, labelled_files
from worker.training.errors import TrainingError
from worker.training.export import export, write_keras
from worker.training.figures import draw
from worker.training.fit import Indices
from worker.training.folders import chosen_classes, class_folders
from worker.training.labels import class_labels
from worker.training.learn import Learned, learn
from worker.training.measure import Answers
from worker.training.plan import PREPROCESSING, TrainingPlan
from worker.training.progress import bars
from worker.training.store import Examples, open_examples
from worker.training.write import check_identity, check_target, printable, write_classifier

log = logging.getLogger(__name__)


def train(plan: TrainingPlan) -> Manifest:
    """Train a classifier and write its folder; the same seed on the same machine gives the same weights.

    Intermediate data (pixels, the state after each epoch) stand in ``OUT.work``, from which a stopped training
    resumes. The folder may be removed afterwards.

    Raises:
        TrainingError: the data are not usable.
        ClassifierError: the backbone cannot be used.
    """
    check_target(plan.out)
    check_identity(plan.name, plan.version)
    review = (plan.other_symptom, plan.not_a_leaf)
    named = class_folders(plan.data)
    classes = chosen_classes(plan.classes, named, review=review)
    for class_id in classes:
        if named.get(class_id, class_id) != class_id:
            log.info("the folder %s is the class %s", named[class_id], class_id)
    files = labelled_files(plan.data, classes, review=review)
    check_counts((f.label for f in files), (*classes, *review), classes=len(classes))
    tensorflow = import_tensorflow(intra_op_threads=plan.threads)
    tensorflow.config.experimental.enable_op_determinism()
    backbone = open_backbone(plan.backbone)
    input_size = (int(backbone.input_shape[1]), int(backbone.input_shape[2]))
    work = plan.out.with_name(f"{plan.out.name}.work")
    with bars() as advance:
        examples = open_examples(
            files,
            PREPROCESSING,
            input_size,
            work,
            seed=plan.schedule.seed,
            advance=lambda done, total: advance("reading images", done, total, ""),
        )
        for sentence in examples.unreadable:
            log.warning("left out: %s", sentence)
        check_counts(examples.labels.tolist(), (*classes, *review), classes=len(classes))
        learn_from, held_out = hold_out(examples.labels, plan.held_out, plan.schedule.seed)
        log.info("training on %d images of %s, holding out %d", len(learn_from), ", ".join(classes), len(held_out))
        learned = learn(
            backbone,
            examples,
            learn_from,
            held_out,
            len(classes),
            PREPROCESSING,
            plan.schedule,
            folder=work,
            advance=lambda done, total, words: advance("training", done, total, words),
        )
    held_out = held_out[examples.labels[held_out] < len(classes)]
    answers = _answers(classes, examples, held_out, learned)
    source = _sources(plan.data, examples)
    by_source = {name: answers.only(source[held_out] == name) for name in dict.fromkeys(source)}
    write_classifier(
        plan.out,
        lambda path: write_keras(learned.serving_model(), path),
        {
            "name": plan.name,
            "version": plan.version,
            "classes": class_labels(classes, plan.labels, folder_names=named),
            "input_size": input_size,
            "preprocessing": PREPROCESSING,
            "review_threshold": learned.threshold,
            "review_outputs": learned.review,
            "description": plan.description,
            "metrics": {
                "parameters": learned.network.count_params(),
                "training_images": len(learn_from),
                "temperature": round(learned.temperature, 4),
                **answers.metrics("held_out"),
            },
            "training_command": printable(plan.command),
        },
    )
    manifest = _exported(plan.out, [f.path for f in examples.files])
    draw(answers, plan.out)
    images = {name: int((source == name).sum()) for name in by_source}
    write_card(plan.out, card(manifest, answers, by_source, images, plan.notes))
    return manifest


def _exported(folder: Path, photographs: Sequence[Path]) -> Manifest:
    """Export to ONNX and return the manifest; if the runtimes differ, without ONNX: TensorFlow serves it then."""
    try:
        manifest, _ = export(folder, photographs)
    except TrainingError as error:
        log.warning("%s", error)
        return read_manifest(folder)
    return manifest


def _answers(classes: Sequence[str], examples: Examples, chosen: Indices, learned: Learned) -> Answers:
    """Return the network's answers on held-out images of the classes, as the service would give them."""
    outputs = learned.outputs(learned.activate(examples, chosen, PREPROCESSING))
    probabilities, review = outputs[:, : len(classes)], outputs[:, len(classes) :]
    confidence = probabilities.max(axis=1)
    over = (review > [o.limit for o in learned.review]).any(axis=1) | (confidence < learned.threshold)
    return Answers(tuple(classes), examples.labels[chosen], probabilities.argmax(axis=1), confidence, over)


def _sources(folders: Sequence[Path], examples: Examples) -> NDArray[np.str_]:
    """Return for each image the last two parts of the data folder that holds it."""
    names = {folder: printable("/".join(folder.resolve().parts[-2:])) for folder in folders}
    return np.array([next(name for folder, name in names.items() if folder in f.path.parents) for f in examples.files])
