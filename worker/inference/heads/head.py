"""Size, orientation and pose of a photograph."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo

from shared.contracts.pose import SWAPS_EDGES, Pose
from worker.inference.geography.metadata import read_metadata
from worker.inference.heads.partial import HeadEnded
from worker.inference.heads.png import is_png, without_pixels
from worker.inference.heads.pose import pose_of
from worker.inference.heads.size import read_size
from worker.inference.orientation import UPRIGHT, read_orientation
from worker.inference.sliced import Sliced

_NOTHING = Pose()
_LAST = 8


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a file.

    Attributes:
        size: width and height of the stored pixels, before ``orientation``; None if they are unknown.
        orientation: of EXIF, 1 to 8.
        pose: where the camera was and how it looked; a value that nobody says is None.
    """

    size: tuple[int, int] | None = None
    orientation: int = UPRIGHT
    pose: Pose = _NOTHING

    @property
    def upright_size(self) -> tuple[int, int] | None:
        """Width and height of the picture as people see it."""
        if self.size is None or self.orientation not in SWAPS_EDGES:
            return self.size
        return self.size[1], self.size[0]


def read_head(data: Sliced, *, camera_zone: tzinfo | None = None) -> Head:
    """Read the head of a file, whole or in parts; what is damaged or out of reach is unknown. Raises nothing.

    Args:
        data: the file.
        camera_zone: the zone of camera clocks that do not write theirs; None leaves such times out.
    """
    size, orientation, pose = None, UPRIGHT, _NOTHING
    with suppress(HeadEnded):
        size = read_size(data)
    with suppress(HeadEnded):
        data = without_pixels(data) if is_png(data) else data
        orientation = read_orientation(data)
    with suppress(HeadEnded):
        pose = pose_of(read_metadata(data), camera_zone)
    return Head(size, orientation if UPRIGHT <= orientation <= _LAST else UPRIGHT, pose)
