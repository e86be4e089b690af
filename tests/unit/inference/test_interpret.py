from collections.abc import Callable

import numpy as np
import pytest

from shared.contracts.manifest import ClassLabel, Crop, Manifest, ReviewOutput, ReviewReason
from shared.contracts.outputs import ModelOutputs
from worker.inference.errors import OutputInvalid
from worker.inference.interpret import TOP_CLASSES, RankedClass, interpret

ManifestFactory = Callable[..., Manifest]


def test_the_most_probable_class_is_the_label(make_manifest: ManifestFactory) -> None:
    found = interpret(np.array([0.25, 0.625, 0.125], np.float32), make_manifest())
    assert found.label == "green"
    assert found.label_names == {"en": "green", "es": "verde"}
    assert found.confidence == 0.625
    assert found.probabilities == {"red": 0.25, "green": 0.625, "blue": 0.125}
    assert found.top == (RankedClass("green", 0.625), RankedClass("red", 0.25), RankedClass("blue", 0.125))
    assert not found.needs_review


def test_numbers_are_plain_python_floats(make_manifest: ManifestFactory) -> None:
    found = interpret(np.array([0.5, 0.25, 0.25], np.float32), make_manifest())
    assert {type(p) for p in (found.confidence, *found.probabilities.values())} == {float}
    assert type(found.needs_review) is bool


@pytest.mark.parametrize(("confidence", "needs_review"), [(0.5, True), (0.625, False), (0.75, False)])
def test_below_the_threshold_a_person_should_look(
    confidence: float, *, needs_review: bool, make_manifest: ManifestFactory
) -> None:
    row = np.array([confidence, 1 - confidence, 0], np.float32)
    assert interpret(row, make_manifest(review_threshold=0.625)).needs_review is needs_review


REVIEW = (
    ReviewOutput(name="elsewhere", reason=ReviewReason.NOT_A_LEAF, limit=0.4),
    ReviewOutput(name="blur", reason=ReviewReason.BLURRED, limit=0.25),
)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([0.75, 0.25, 0, 0.4, 0.25], None),
        ([0.75, 0.25, 0, 0.5, 0], ReviewReason.NOT_A_LEAF),
        ([0.75, 0.25, 0, 0.5, 0.3], ReviewReason.NOT_A_LEAF),
        ([0.75, 0.25, 0, 0.5, 0.5], ReviewReason.BLURRED),
        ([0.5, 0.5, 0, 0.5, 0], ReviewReason.NOT_A_LEAF),
        ([0.5, 0.5, 0, 0, 0], ReviewReason.LOW_CONFIDENCE),
    ],
)
def test_the_reason_furthest_above_its_limit_is_given(
    row: list[float], reason: ReviewReason | None, make_manifest: ManifestFactory
) -> None:
    found = interpret(np.array(row, np.float32), make_manifest(review_outputs=REVIEW))
    assert found.review_reason == reason
    assert found.needs_review == (reason is not None)
    assert len(found.probabilities) == 3


def test_review_outputs_are_no_probabilities(make_manifest: ManifestFactory) -> None:
    interpret(np.array([1, 0, 0, 7.5, 0], np.float32), make_manifest(review_outputs=REVIEW))
    with pytest.raises(OutputInvalid, match="2 review outputs"):
        interpret(np.array([1, 0, 0], np.float32), make_manifest(review_outputs=REVIEW))
    with pytest.raises(OutputInvalid, match="NaN"):
        interpret(np.array([1, 0, 0, np.nan, 0], np.float32), make_manifest(review_outputs=REVIEW))


def test_a_tie_goes_to_the_first_class(make_manifest: ManifestFactory) -> None:
    assert interpret(np.array([0.25, 0.375, 0.375], np.float32), make_manifest()).label == "green"


def test_the_list_of_the_best_is_short(make_manifest: ManifestFactory) -> None:
    manifest = make_manifest(classes=tuple(ClassLabel(id=f"c{i}") for i in range(40)))
    found = interpret(np.full(40, 1 / 40, np.float32), manifest)
    assert len(found.top) == TOP_CLASSES
    assert len(found.probabilities) == 40


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([0.5, 0.5], "3 classes"),
        ([np.nan, 0.5, 0.5], "NaN"),
        ([np.inf, 0, 0], "NaN or infinity"),
        ([3.1, -0.4, 1.2], "softmax"),
        ([0.9, 0.9, 0.9], "softmax"),
        ([1.5, -0.5, 0.0], "no probabilities"),
        ([0, 0, 0], "softmax"),
    ],
)
def test_what_is_no_probability_is_an_error(row: list[float], words: str, make_manifest: ManifestFactory) -> None:
    with pytest.raises(OutputInvalid, match=words):
        interpret(np.array(row, np.float32), make_manifest())


CROPS = {
    "schema_version": 2,
    "outputs": ModelOutputs(review="review", embedding="embedding", crop="crop"),
    "crops": (Crop(id="apple"), Crop(id="bean")),
    "review_outputs": (*REVIEW, ReviewOutput(name="crop", reason=ReviewReason.UNKNOWN_CROP, limit=0.5)),
}


@pytest.mark.parametrize(
    ("review", "crop"),
    [
        ([0.4, 0.25, 0.5], "bean"),
        ([0.4, 0.9, 0.5], "bean"),  # blurred, and still a bean
        ([0.5, 0.25, 0.5], None),
        ([0.4, 0.9, 0.6], None),  # the reason is the blur, and the crop is none that was learned
    ],
)
def test_the_best_crop_is_named_unless_it_is_none_of_them(
    review: list[float], crop: str | None, make_manifest: ManifestFactory
) -> None:
    row = np.array([0.75, 0.25, 0, *review], np.float32)
    assert interpret(row, make_manifest(**CROPS), crops=np.array([0.25, 0.75], np.float32)).crop == crop


def test_without_crops_and_embedding_there_are_none(make_manifest: ManifestFactory) -> None:
    found = interpret(np.array([0.25, 0.625, 0.125], np.float32), make_manifest())
    assert (found.crop, found.embedding) == (None, None)


def test_an_embedding_is_64_signed_bytes(make_manifest: ManifestFactory) -> None:
    embedding = np.arange(-32, 32, dtype=np.int8)
    found = interpret(np.array([1, 0, 0, 0, 0, 0], np.float32), make_manifest(**CROPS), embedding=embedding)
    assert found.embedding is not None
    assert list(np.frombuffer(found.embedding, np.int8)) == list(range(-32, 32))


@pytest.mark.parametrize(
    ("crops", "words"),
    [([0.5, 0.25, 0.25], "3 crops, its manifest has 2"), ([np.nan, 1], "NaN"), ([0.9, 0.9], "for the crop")],
)
def test_crops_that_are_no_probabilities_are_an_error(
    crops: list[float], words: str, make_manifest: ManifestFactory
) -> None:
    with pytest.raises(OutputInvalid, match=words):
        interpret(np.array([1, 0, 0, 0, 0, 0], np.float32), make_manifest(**CROPS), crops=np.array(crops, np.float32))
