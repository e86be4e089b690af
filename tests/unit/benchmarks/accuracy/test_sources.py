from pathlib import Path

from tests.benchmarks.accuracy.leaf_one import LEARNED
from tests.benchmarks.accuracy.sources import OLD, read_sets
from worker.training.crops import crop_of


def test_every_source_is_a_folder_of_its_crop() -> None:
    sets = read_sets()
    named = {source.folder: sets.crop_ids[crop_of(Path("data") / source.folder, sets.crops)] for source in sets.sources}
    assert named == {source.folder: source.crop for source in sets.sources}
    assert {source.crop for source in sets.sources} == set(sets.crop_ids)


def test_terms_of_a_crop_are_those_of_its_sources() -> None:
    sets = read_sets()
    terms = {crop.id: crop.terms for crop in sets.crops}
    assert all(source.terms == terms[source.crop] for source in sets.sources)


def test_a_source_of_stated_terms_names_them() -> None:
    stated = [source for source in read_sets().sources if source.stated]
    assert all(source.terms.startswith(("CC0", "MIT", "BSD", "CC BY 4.0")) for source in stated)


def test_leaf_1_learned_sources_of_the_old_crops() -> None:
    sources = {source.folder: source for source in read_sets().sources}
    assert {sources[folder].crop for folder in LEARNED} == set(OLD)
    assert "leaves/apple-field/validation" not in LEARNED
    assert not sources["leaves/apple-field/validation"].training
