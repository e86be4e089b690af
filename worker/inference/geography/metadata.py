"""The metadata of place and time from all blocks of a file."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.inference.geography.block import MAX_BLOCKS
from worker.inference.geography.containers import Blocks, find_blocks
from worker.inference.geography.exif import Exif, Tags, read_exif
from worker.inference.geography.xmp import Xmp, read_xmp
from worker.inference.sliced import Sliced


@dataclass(frozen=True, slots=True)
class Metadata:
    """Candidates in the order of the file. A value is taken from the first one whose value is possible.

    ``gps``, ``photos`` and ``cameras`` are directories of EXIF, ``packets`` those of XMP. ``gps_lost``: the file points
    to a GPS directory that is missing.
    """

    gps: Sequence[Tags] = ()
    photos: Sequence[Tags] = ()
    cameras: Sequence[Tags] = ()
    packets: Sequence[Xmp] = ()
    gps_lost: bool = False
    is_empty: bool = True


def read_metadata(data: Sliced) -> Metadata:
    """Read the metadata of a JPEG, PNG, TIFF or WebP; raises nothing."""
    blocks = find_blocks(data)
    exifs = _read_exifs(blocks, data)
    packets = [*blocks.xmp, *(packet for exif in exifs for packet in exif.xmp)][:MAX_BLOCKS]
    return Metadata(
        gps=[gps for exif in exifs for gps in exif.gps],
        photos=[photo for exif in exifs for photo in exif.photos],
        cameras=[camera for exif in exifs for camera in exif.cameras],
        packets=[read_xmp(packet) for packet in packets],
        gps_lost=any(exif.gps_lost for exif in exifs),
        is_empty=not exifs and not packets,
    )


def _read_exifs(blocks: Blocks, data: Sliced) -> list[Exif]:
    exifs = [exif for exif in map(read_exif, blocks.exif) if exif is not None]
    # A TIFF that is a picture and nothing more.
    return [exif for exif in exifs if not (exif.is_bare and blocks.exif[0] is data)]
