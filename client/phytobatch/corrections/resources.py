"""Corrections as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from phytobatch.resources import JsonObject, Page


@dataclass(frozen=True)
class Correction:
    """A person's label for an image, beside what the classifier says (``predicted``; None where it gave no answer)."""

    seq: int
    name: str
    label: str
    note: str | None = None
    corrected_by: str | None = None
    corrected_at: str | None = None
    predicted: str | None = None
    confidence: float | None = None
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
            links=data.get("links") or {},
            raw=data,
        )

    @classmethod
    def page(cls, data: JsonObject) -> Page[Correction]:
        """Parse the answer of ``GET /v1/jobs/{id}/corrections``."""
        corrections = tuple(cls.from_json(entry) for entry in data["corrections"])
        return Page(corrections, data.get("after"), bool(data.get("has_more")))


@dataclass(frozen=True)
class Imported:
    """Counts of an imported table: ``corrections`` lines with a label, of which ``changed`` were new."""

    corrections: int
    changed: int

    @classmethod
    def from_json(cls, data: JsonObject) -> Imported:
        """Parse the answer of ``POST /v1/jobs/{id}/corrections``."""
        return cls(int(data["corrections"]), int(data["changed"]))
