"""Corrections as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from phytobatch.resources import JsonObject, Page

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels of the upright original; right and bottom are outside."""


@dataclass(frozen=True)
class Correction:
    """A person's label for an image or a tile, beside what the classifier says (``predicted``; None: no answer).

    ``tile`` is counted from 0, rows first (None: the image as a whole), and ``box`` is its place. In a history alone,
    ``label`` is None where the person took the correction back. ``valid`` is true for the one that counts.
    ``ground_resolution_mm``: millimetres of plant or ground in a pixel of the tile; None if nobody says it.
    """

    seq: int
    name: str
    label: str | None
    note: str | None = None
    corrected_by: str | None = None
    corrected_at: str | None = None
    predicted: str | None = None
    confidence: float | None = None
    tile: int | None = None
    box: Box | None = None
    ground_resolution_mm: float | None = None
    valid: bool = True
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> Correction:
        """Parse one entry of ``corrections``."""
        return cls(
            seq=int(data["seq"]),
            name=data["name"],
            label=data["label"],
            note=data.get("note"),
            corrected_by=data.get("corrected_by"),
            corrected_at=data.get("corrected_at"),
            predicted=data.get("predicted"),
            confidence=data.get("confidence"),
            tile=data.get("tile"),
            box=_box(data.get("box")),
            ground_resolution_mm=data.get("ground_resolution_mm"),
            valid=bool(data.get("valid", True)),
            links=data.get("links") or {},
            raw=data,
        )

    @classmethod
    def page(cls, data: JsonObject) -> Page[Correction]:
        """Parse the answer of ``GET /v1/jobs/{id}/corrections``."""
        corrections = tuple(cls.from_json(entry) for entry in data["corrections"])
        return Page(corrections, data.get("after"), bool(data.get("has_more")))


def _box(data: JsonObject | None) -> Box | None:
    return None if data is None else (data["left"], data["top"], data["right"], data["bottom"])


@dataclass(frozen=True)
class Imported:
    """Counts of an imported table: ``corrections`` lines with a label, of which ``changed`` were new."""

    corrections: int
    changed: int

    @classmethod
    def from_json(cls, data: JsonObject) -> Imported:
        """Parse the answer of ``POST /v1/jobs/{id}/corrections``."""
        return cls(int(data["corrections"]), int(data["changed"]))
