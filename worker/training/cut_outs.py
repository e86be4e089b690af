"""Cut-outs of tiles in a training folder: their photographs, and what was known of these.

``phytobatch corrections export`` writes cut-outs under names that begin with their job and photograph, and beside the
folders of the labels a small JSON for each job, with the edge of its tiles and the ground resolution.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts.tiling import GroundResolution
from worker.training.errors import TrainingError

# The end of a job's id and the number of a photograph in it; a tile has its number behind them.
_PHOTOGRAPH = re.compile(r"([0-9a-f]{12}-[0-9]{6,})(\.[0-9]{5,})?-")
TILES_FILES = "*-tiles.json"


class CutPhotograph(BaseModel):
    """The tiles of a photograph: their edge in its pixels, and millimetres of plant or ground in one of them."""

    model_config = ConfigDict(frozen=True)

    edge: int = Field(ge=1)
    ground_resolution_mm: GroundResolution | None = None


class _TilesFile(BaseModel):
    photographs: dict[str, CutPhotograph]


def photograph_of(path: Path) -> str:
    """Return the photograph that an image of a training folder was cut from; any other image is one of its own."""
    found = _PHOTOGRAPH.match(path.name)
    return found.group(1) if found else str(path)


def cut_photographs(folders: Sequence[Path]) -> Mapping[str, CutPhotograph]:
    """Read what is known of the photographs behind the cut-outs of training folders.

    Raises:
        TrainingError: a file of these is damaged.
    """
    found: dict[str, CutPhotograph] = {}
    for path in (path for folder in folders for path in sorted(folder.glob(TILES_FILES))):
        try:
            found |= _TilesFile.model_validate_json(path.read_bytes()).photographs
        except (OSError, ValidationError) as error:
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
            raise TrainingError(
                f"{path} cannot be read: {reason}. `phytobatch corrections export` writes it again; without it the "
                "classifier learns no range of tiles."
            ) from error
    return found
