"""The items of a run, and its outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.states import ImageStatus
from worker.inference.errors import ImageError
from worker.inference.explanation import Explanation
from worker.inference.geography import FilePlace
from worker.inference.interpret import Interpretation
from worker.inference.tiles.answer import TiledAnswer
from worker.inference.tiles.tile_cut import TileCut


@dataclass(frozen=True, slots=True)
class Item:
    """One image to classify.

    ``size`` in bytes is what is reserved for it; ``sha256`` (hexadecimal) is verified. With ``tiles`` it is answered in
    tiles, else as a whole.
    """

    seq: int
    name: str
    size: int | None = None
    sha256: str | None = None
    tiles: TileCut | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one image: an interpretation, an answer of tiles, or an error; ``place`` if its bytes arrived.

    ``deferred``: none of them, because the picture is unusual and the run leaves such pictures out. ``explanations``
    are those of tiles, by their numbers, where the run was asked for them; of known tiles there is nothing else.
    """

    seq: int
    interpretation: Interpretation | None = None
    error: ImageError | None = None
    place: FilePlace | None = None
    deferred: bool = False
    answer: TiledAnswer | None = None
    explanations: Mapping[int, Explanation] | None = None

    @property
    def status(self) -> ImageStatus:
        """``succeeded`` or ``failed``."""
        answered = not (self.interpretation is None and self.answer is None and self.explanations is None)
        return ImageStatus.SUCCEEDED if answered else ImageStatus.FAILED
