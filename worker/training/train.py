"""From folders of images to a classifier folder."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import HEALTHY, Manifest, ManifestTiling
from worker.inference.keras_classifier import import_tensorflow
from worker.inference.manifest import read_manifest
from worker.training.backbone import open_backbone
from worker.training.card import card, write_card
from worker.training.crops import with_crops
from worker.training.cut_outs import CutPhotograph, cut_photographs, photograph_of
from worker.training.dataset import check_counts, hold_out, labelled_files
from worker.training.errors import TrainingError
from worker.training.export import export, write_keras
from worker.training.figures import draw
from worker.training.fit import Indices
from worker.training.folders import chosen_classes, class_folders
from worker.training.grounds import read_grounds
from worker.training.labels import class_labels
from worker.training.learn import Learned, learn
from worker.training.light import learned_light, of_another_day
from worker.training.measure import Answers
from worker.training.plan import PREPROCESSING, TrainingPlan
from worker.training.progress import bars
from worker.training.serving import named_outputs
from worker.training.shows import Made
from worker.training.store import Examples, open_examples
from worker.training.tiling import coarser, cut_of, learned_tiling
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
    files = with_crops(labelled_files(plan.data, classes, review=review), plan.data, plan.crops)
    check_counts((f.label for f in files), (*classes, *review), classes=len(classes))
    cuts = cut_photographs(plan.data)
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
        photographs = [photograph_of(file.path) for file in examples.files]
        learn_from, held_out = hold_out(examples.labels, plan.held_out, plan.schedule.seed, photographs=photographs)
        _warn_of_divided(photographs, held_out)
        log.info("training on %d images of %s, holding out %d", len(learn_from), ", ".join(classes), len(held_out))
        learned = learn(
            backbone,
            examples,
            learn_from,
            held_out,
            len(classes),
            PREPROCESSING,
            plan.schedule_of(len(learn_from)),
            folder=work,
            made=Made(
                healthy=classes.index(HEALTHY) if HEALTHY in classes else None,
                grounds=read_grounds(plan.grounds, seed=plan.schedule.seed),
                of_leaves=not cuts,
            ),
            advance=lambda done, total, words: advance("training", done, total, words),
        )
    held_out = held_out[examples.labels[held_out] < len(classes)]
    answers = _answers(classes, examples, held_out, learned)
    tiling = _tiling(cuts, classes, examples, learn_from, held_out, learned)
    source = _sources(plan.data, examples)
    by_source = {name: answers.only(source[held_out] == name) for name in dict.fromkeys(source)}
    serving = learned.serving_model()
    write_classifier(
        plan.out,
        lambda path: write_keras(serving, path),
        {
            "schema_version": 2,
            "name": plan.name,
            "version": plan.version,
            "classes": class_labels(classes, plan.labels, folder_names=named),
            "input_size": input_size,
            "preprocessing": PREPROCESSING,
            "review_threshold": learned.threshold,
            "review_outputs": learned.review,
            "tiling": tiling,
            "outputs": named_outputs(serving),
            "crops": [crop.crop for crop in plan.crops],
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


def _warn_of_divided(photographs: Sequence[str], held_out: Indices) -> None:
    """Say that a class was judged by tiles of a photograph that it has learned from."""
    of_others = {photographs[i] for i in set(range(len(photographs))) - set(held_out.tolist())}
    divided = sorted({photographs[i] for i in held_out} & of_others)
    if divided:
        log.warning(
            "a class has tiles of one photograph alone (%s), so it is judged by tiles that are alike what it learns: "
            "its figures are too good; correct tiles of other photographs, too",
            ", ".join(divided),
        )


def _tiling(  # what the classifier has learned from, and was judged by
    known: Mapping[str, CutPhotograph],
    classes: Sequence[str],
    examples: Examples,
    learn_from: Indices,
    held_out: Indices,
    learned: Learned,
) -> ManifestTiling | None:
    """Describe the tiles that the classifier has learned; None if no cut-out of a tile is among its pictures."""
    cuts = [cut_of(file, known) for file in examples.files]
    learned_cuts = [(i, cut) for i in learn_from if (cut := cuts[i]) is not None]
    judged = np.array([i for i in held_out if cuts[i] is not None], np.int64)
    if not learned_cuts or not len(judged):
        return None

    def answers_with(pixels: int) -> Answers:
        some = replace(
            examples,
            pixels=np.stack([coarser(picture, pixels)[None] for picture in examples.pixels[judged, 0]]),
            labels=examples.labels[judged],
            files=tuple(examples.files[i] for i in judged),
        )
        return _answers(classes, some, np.arange(len(judged)), learned)

    light = of_another_day(learned_light(examples.pixels[i, 0] for i, _ in learned_cuts))
    return learned_tiling([cut for _, cut in learned_cuts], light, answers_with)


def _sources(folders: Sequence[Path], examples: Examples) -> NDArray[np.str_]:
    """Return for each image the last two parts of the data folder that holds it."""
    names = {folder: printable("/".join(folder.resolve().parts[-2:])) for folder in folders}
    return np.array([next(name for folder, name in names.items() if folder in f.path.parents) for f in examples.files])
