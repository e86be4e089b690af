"""Names of outputs and crops in the register: set once, and never in the way of programs of the version before."""

from typing import Any

import pytest

from shared.classifiers import registry
from shared.contracts.manifest import ClassLabel, Crop, Manifest, ManifestTiling, ReviewOutput, ReviewReason
from shared.contracts.outputs import ModelOutputs
from shared.db.models import Classifier
from shared.db.session import Database
from shared.errors import Conflict

# Every field that a program of the version before knows in ``classifiers.manifest``; it refuses any other.
FIRST_FIELDS = {
    "schema_version",
    "name",
    "version",
    "sha256",
    "onnx_sha256",
    "classes",
    "input_size",
    "preprocessing",
    "review_threshold",
    "review_outputs",
    "description",
    "metrics",
    "training_command",
}
OUTPUTS = ModelOutputs(review="review", map="map", map_size=(7, 7), embedding="embedding", crop="crop")
CROPS = (Crop(id="apple", names={"es": "manzano"}, terms="CC0"), Crop(id="bean", terms="MIT"))
REVIEW = (
    ReviewOutput(name="unfamiliar", reason=ReviewReason.NOT_A_LEAF, limit=0.5),
    ReviewOutput(name="unknown_crop", reason=ReviewReason.UNKNOWN_CROP, limit=0.25),
)


def first(name: str, **overrides: Any) -> Manifest:  # noqa: ANN401  # fields of a manifest
    fields: dict[str, Any] = {
        "name": name,
        "version": "1",
        "sha256": "ab" * 32,
        "classes": (ClassLabel(id="healthy"), ClassLabel(id="rust")),
        "input_size": (8, 8),
    }
    return Manifest(**{**fields, **overrides})


def second(name: str, **overrides: Any) -> Manifest:  # noqa: ANN401  # fields of a manifest
    fields = {"schema_version": 2, "outputs": OUTPUTS, "crops": CROPS, "review_outputs": REVIEW}
    return first(name, **{**fields, **overrides})


def register(database: Database, manifest: Manifest) -> Classifier:
    with database.begin() as session:
        return registry.register(session, manifest)


def test_what_was_registered_is_read_again(database: Database) -> None:
    manifest = second("whole", tiling=ManifestTiling(edge=64), int8_sha256="cd" * 32)
    for _ in range(2):
        assert registry.manifest_of(register(database, manifest)) == manifest


def test_a_program_of_the_version_before_reads_its_own_form(database: Database) -> None:
    known = register(database, second("older-reads", tiling=ManifestTiling(edge=64), int8_sha256="cd" * 32))
    assert set(known.manifest) == FIRST_FIELDS
    assert known.manifest["schema_version"] == 1
    assert [one["reason"] for one in known.manifest["review_outputs"]] == ["not_a_leaf"]
    assert Manifest.model_validate(known.manifest).labels == ("healthy", "rust")


def test_a_manifest_of_the_first_schema_stands_as_it_did(database: Database) -> None:
    known = register(database, first("plain"))
    assert known.second_schema is None
    assert set(known.manifest) == FIRST_FIELDS
    assert registry.manifest_of(known) == first("plain")


def test_versions_of_both_schemas_stand_beside_each_other(database: Database) -> None:
    old, new = register(database, first("leaf-both")), register(database, second("leaf-both", version="2"))
    assert (registry.manifest_of(old).crops, registry.manifest_of(new).crops) == ((), CROPS)
    with database.begin() as session:
        assert registry.resolve(session, "leaf-both").version == "2"
        assert registry.resolve(session, "leaf-both", "1").second_schema is None


def test_names_may_be_added_to_a_version_and_never_change(database: Database) -> None:
    register(database, first("grown"))
    assert registry.manifest_of(register(database, second("grown"))) == second("grown")
    assert registry.manifest_of(register(database, first("grown"))) == second("grown"), (
        "an older folder changes nothing"
    )
    other = OUTPUTS.model_copy(update={"embedding": None})
    with pytest.raises(Conflict, match=r"another `outputs`.*give this one another version"):
        register(database, second("grown", outputs=other))
    with pytest.raises(Conflict, match="another `crops`"):
        register(database, second("grown", crops=CROPS[::-1]))
    assert registry.manifest_of(register(database, second("grown"))) == second("grown")


def test_an_int8_file_may_be_added_and_never_replaced(database: Database) -> None:
    register(database, second("small"))
    added = second("small", int8_sha256="cd" * 32, onnx_sha256="ef" * 32)
    known = register(database, added)
    assert registry.manifest_of(known) == added
    assert set(known.manifest) == FIRST_FIELDS
    assert registry.manifest_of(register(database, second("small"))) == added
    with pytest.raises(Conflict, match=r"other weights \(model\.int8\.onnx, "):
        register(database, second("small", int8_sha256="00" * 32))
