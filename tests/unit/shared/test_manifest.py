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
        {"schema_version": 2},
    ],
    ids=str,
)
def test_a_manifest_that_makes_no_sense_is_refused(overrides: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate(manifest(**overrides))
