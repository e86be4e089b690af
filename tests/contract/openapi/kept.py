"""The documents that clients were written by, the one of today, and the words that the CHANGELOG announced."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from api.main import create_app
from tests.contract.openapi.nowhere import NOWHERE

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FIRST = "0.1.0"
# `- Announced: …` in the section of a released version names the words that answers may have from the next one on.
SECTION = re.compile(r"^## \[?(\d+\.\d+\.\d+)\]?.*?\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ANNOUNCED = re.compile(r"^- Announced: (.*)$", re.MULTILINE)
WORD = re.compile(r"`([^`]+)`")


def path_of(version: str) -> Path:
    """Return the file of the document that a version had."""
    return HERE / f"{version}.json"


def kept_document(version: str) -> dict[str, Any]:
    """Return the document that a version had."""
    document: dict[str, Any] = json.loads(path_of(version).read_text())
    return document


def current_document() -> dict[str, Any]:
    """Return the document of today, without what depends on where the service stands."""
    return create_app(NOWHERE).openapi()


def current_version() -> str:
    """Return the version of the service in ``pyproject.toml``."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def announced(changelog: str, version: str) -> set[str]:
    """Return the words that the CHANGELOG announced for answers in a version before ``version``.

    What a version announces itself comes too late for its own answers.
    """
    earlier = [text for found, text in SECTION.findall(changelog) if _numbers(found) < _numbers(version)]
    return {word for text in earlier for line in ANNOUNCED.findall(text) for word in WORD.findall(line)}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
