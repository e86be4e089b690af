"""The OpenAPI document keeps what 0.1.0 promised."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract.openapi import keep
from tests.contract.openapi.breaks import find_breaks, unknown_keywords
from tests.contract.openapi.kept import FIRST, ROOT, announced, current_document, current_version, kept_document
from tests.contract.openapi.tables import PAGE, PLACE, with_tables

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Json:
    return current_document()


def test_nothing_that_clients_rely_on_is_removed_retyped_or_made_required(document: Json) -> None:
    """Before the release of 0.1.0, ``python -m tests.contract.openapi.keep`` writes the kept document again."""
    words = announced((ROOT / "CHANGELOG.md").read_text(), current_version())
    assert [str(one) for one in find_breaks(kept_document(FIRST), document, announced=words)] == []


def test_the_comparison_knows_every_keyword_of_the_document(document: Json) -> None:
    assert unknown_keywords(document) == set()
    assert unknown_keywords(kept_document(FIRST)) == set()


def test_the_kept_document_is_of_its_version() -> None:
    kept = kept_document(FIRST)
    assert kept["info"]["version"] == FIRST
    assert len(kept["paths"]) > 20


def test_a_released_document_is_not_written_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "kept.json"
    monkeypatch.setattr(keep, "path_of", lambda _: target)
    monkeypatch.setattr(keep, "current_version", lambda: "0.1.1")
    assert keep.main() == 1
    assert not target.exists()
    monkeypatch.setattr(keep, "current_version", lambda: FIRST)
    assert keep.main() == 0
    assert json.loads(target.read_text()) == current_document()


CHANGELOG = """# Changelog

## Unreleased
- Announced: `sleeping`, a state of jobs.

## 0.2.0
- Announced: `waiting`, a state of jobs.

## 0.1.0
- Announced: `paused` and `held`, states of jobs.
- Other `words` are none.
"""


@pytest.mark.parametrize(
    ("version", "words"),
    [("0.1.0", set()), ("0.2.0", {"paused", "held"}), ("0.10.0", {"paused", "held", "waiting"})],
)
def test_words_are_announced_a_version_ahead(version: str, words: set[str]) -> None:
    assert announced(CHANGELOG, version) == words


def test_the_tables_of_the_page_are_those_of_the_document(document: Json) -> None:
    """``python -m tests.contract.openapi.tables`` writes them."""
    page = PAGE.read_text()
    assert with_tables(page, document) == page
    tags = {tag.strip() for found in PLACE.finditer(page) for tag in found[2].split(",")}
    assert tags == {tag["name"] for tag in document["tags"]}
