"""The settings of a job that speak of tiles, as the command line takes and the journal keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from phytobatch.errors import ConfigurationError
from phytobatch.resources import Classifier, ClassifierRef, JsonObject
from phytobatch.tiles.tiling import Tiling


@dataclass(frozen=True)
class TileSettings:
    """The settings; what is None is the server's default.

    Attributes:
        tiling: None answers each photograph as a whole.
        on_coarse: ``skip`` or ``answer`` photographs that are coarser than the classifier has learned.
        ground_resolution_mm: millimetres of plant or ground in a pixel, of every photograph.
    """

    tiling: Tiling | None = None
    on_coarse: str | None = None
    ground_resolution_mm: float | None = None

    def __post_init__(self) -> None:
        """Refuse settings that would change nothing.

        Raises:
            ConfigurationError: there is no tiling that they could speak of.
        """
        if self.tiling is None and (self.on_coarse or self.ground_resolution_mm):
            raise ConfigurationError("--on-coarse and --ground-resolution speak of tiles: give --tiles, too.")

    def to_json(self) -> JsonObject:
        """Return what is set, under the names of the fields of a job."""
        values = {
            "tiling": self.tiling.to_json() if self.tiling else None,
            "on_coarse": self.on_coarse,
            "ground_resolution_mm": self.ground_resolution_mm,
        }
        return {name: value for name, value in values.items() if value is not None}

    def resolved(self, classifier: Classifier) -> Tiling | None:
        """Return the tiles that photographs get from this classifier; with ``auto`` it says the edge.

        Raises:
            ConfigurationError: ``auto``, and it has learned no tiles.
        """
        if self.tiling is None or not self.tiling.is_auto:
            return self.tiling
        if classifier.tiling is None:
            raise ConfigurationError(
                f"{classifier.name}@{classifier.version} has learned no tiles, so --tiles auto cannot work: "
                "say an edge in pixels, as --tiles 256."
            )
        learned = classifier.tiling
        if learned.edge_mm is not None and self.ground_resolution_mm is not None:
            return Tiling(edge_mm=learned.edge_mm, overlap=learned.overlap)
        return Tiling(edge=learned.edge, overlap=learned.overlap)

    @property
    def _skips(self) -> bool:
        return self.on_coarse != "answer"

    def skips_all(self, classifier: Classifier) -> bool:
        """Return True if no photograph will be cut, because all of them are too coarse."""
        return self._skips and self.all_too_coarse(classifier) is not None

    def all_too_coarse(self, classifier: Classifier) -> str | None:
        """Return a sentence if every photograph is coarser than the classifier has learned; None if that is unknown."""
        learned = classifier.tiling.ground_resolution_mm if classifier.tiling else None
        if learned is None or self.ground_resolution_mm is None or self.ground_resolution_mm <= learned[1]:
            return None
        what = "will have no answer" if self._skips else "are answered and marked"
        return (
            f"A pixel of {self.ground_resolution_mm:g} mm is coarser than the {learned[1]:g} mm that "
            f"{classifier.name}@{classifier.version} can read: all photographs {what}. "
            "`phytobatch plan` says from which height they can be read."
        )


def chosen(classifiers: Sequence[Classifier], wanted: ClassifierRef | None) -> Classifier:
    """Return the classifier that a job gets: the default, the newest version of a name, or one version.

    Raises:
        ConfigurationError: there is none.
    """
    for one in classifiers:  # The newest version of a name stands first.
        if one.default if wanted is None else (one.name, wanted.version or one.version) == (wanted.name, one.version):
            return one
    raise ConfigurationError(
        "The server has no classifier yet: start a worker."
        if wanted is None
        else f"There is no classifier {wanted}; `phytobatch classifiers` lists them."
    )
