"""The sets of pictures, as ``worker/training/notes/sources.json`` lists them: crop, look, stated terms."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from worker.training.crops import LearnedCrop, read_crops

NOTES = Path(__file__).parents[3] / "worker" / "training" / "notes"
# What leaf 1 learned; the goals differ.
OLD = ("apple", "cherry", "corn", "coffee", "mango", "strawberry")


class Source(BaseModel):
    """A folder with one folder for each class.

    Attributes:
        folder: below the data.
        crop: its id.
        look: where the pictures were taken.
        of: where they come from, and what to beware of.
        terms: as their source states them.
        stated: the terms are CC0, MIT, BSD or CC BY, and said to hold for the data.
        training: the shipped classifier learns it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str
    crop: str
    look: Literal["field", "laboratory", "mixed", "symptom crops"]
    of: str
    terms: str
    stated: bool
    training: bool


@dataclass(frozen=True)
class Sets:
    """All sources and all crops, in the order of their files."""

    sources: tuple[Source, ...]
    crops: tuple[LearnedCrop, ...]

    @cached_property
    def crop_ids(self) -> tuple[str, ...]:
        """The ids of the crops; a crop's index is its place here."""
        return tuple(crop.id for crop in self.crops)

    def table(self) -> str:
        """Write the sources as Markdown."""
        rows = [
            (s.folder, s.crop, s.look, s.of, s.terms, "yes" if s.stated else "no", "yes" if s.training else "no")
            for s in self.sources
        ]
        head = ("folder", "crop", "look", "what", "terms as stated", "CC0, MIT, BSD, CC BY", "learned by what ships")
        return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows))


def read_sets() -> Sets:
    """Read both lists of the repository."""
    listed = TypeAdapter(tuple[Source, ...]).validate_json((NOTES / "sources.json").read_bytes())
    return Sets(listed, read_crops(NOTES / "crops.json"))
