"""A manifest that makes no sense is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.contracts.manifest import Manifest


def manifest(**overrides: Any) -> dict[str, Any]:  # noqa: ANN401  # any field, also a wrong one
    return {
        "name": "leaf",
        "version": "1",
        "sha256": "0" * 64,
        "classes": [{"id": "healthy"}, {"id": "rust", "names": {"es": "roya"}}],
        "input_size": [180, 180],
        **overrides,
    }


def test_labels_stand_in_the_order_of_the_outputs() -> None:
    assert Manifest.model_validate(manifest()).labels == ("healthy", "rust")


@pytest.mark.parametrize(
    "overrides",
    [
        {"preprocesing": {}},
        {"preprocessing": {"resize": "nearest neighbour"}},
        {"classes": [{"id": "rust"}]},
        {"classes": [{"id": f"class-{number}"} for number in range(256)]},
        {"classes": [{"id": "rust"}, {"id": "rust"}]},
        {"classes": [{"id": "rust"}, {"id": "../rust"}]},
        {"input_size": [0, 180]},
        {"input_size": [180, 5000]},
        {"sha256": "abc"},
        {"name": "Leaf/../../x"},
        {"review_threshold": 1.5},
        {"schema_version": 3},
    ],
    ids=str,
)
def test_a_manifest_that_makes_no_sense_is_refused(overrides: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate(manifest(**overrides))


def second(**overrides: Any) -> dict[str, Any]:  # noqa: ANN401  # as above
    outputs = {"review": "review", "map": "map", "map_size": [7, 7], "embedding": "embedding", "crop": "crop"}
    return manifest(
        **{
            "schema_version": 2,
            "outputs": outputs,
            "crops": [{"id": "apple"}, {"id": "bean", "terms": "MIT"}],
            "review_outputs": [{"name": "unknown_crop", "reason": "unknown_crop", "limit": 0.5}],
            **overrides,
        }
    )


def test_the_second_schema_names_the_outputs() -> None:
    read = Manifest.model_validate(second())
    assert read.outputs is not None
    assert read.outputs.names == ("probabilities", "review", "map", "embedding", "crop")


def test_a_manifest_of_the_first_schema_is_written_as_before() -> None:
    written = Manifest.model_validate(manifest()).model_dump(mode="json")
    assert not written.keys() & {"outputs", "crops", "int8_sha256"}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"schema_version": 1}, "need schema_version 2"),
        ({"outputs": None, "crops": [], "review_outputs": []}, "schema_version 2 needs outputs"),
        ({"review_outputs": []}, "outputs.review and review_outputs"),
        ({"crops": []}, "outputs.crop and crops"),
        ({"outputs": {"review": "review", "map": "map", "crop": "crop"}}, "outputs.map and outputs.map_size"),
        ({"outputs": {"review": "crop", "crop": "crop"}}, "names of outputs must differ"),
        ({"crops": [{"id": "apple"}, {"id": "apple"}]}, "crop ids must differ"),
    ],
    ids=str,
)
def test_what_does_not_fit_the_outputs_is_refused(overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Manifest.model_validate(second(**overrides))
