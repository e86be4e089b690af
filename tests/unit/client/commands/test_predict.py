"""The answer for one image in a line."""

from __future__ import annotations

import pytest

from phytobatch.commands.predict import answer
from phytobatch.resources import Prediction


@pytest.mark.parametrize(
    ("said", "confidence", "reason", "line"),
    [
        ("rust", 97.0, None, "rust 97.0%"),
        ("rust", 41.0, "low_confidence", "rust 41.0% (low_confidence: look at it yourself)"),
        (None, None, "no_leaf", "undecided, and not healthy: most tiles show no leaf"),
        (None, None, "a_reason_of_tomorrow", "undecided, and not healthy: a_reason_of_tomorrow"),
    ],
)
def test_an_image_without_a_class_is_undecided(
    said: str | None, confidence: float | None, reason: str | None, line: str
) -> None:
    assert answer(Prediction(said, confidence, {}, reason is not None, "0192", reason)) == line


def test_a_crop_that_is_known_is_named() -> None:
    assert answer(Prediction("rust", 97.0, {}, needs_review=False, job_id="0192", crop="bean")) == "rust on bean 97.0%"
