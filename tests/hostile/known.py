"""The files that stopped a worker before its pictures had limits, and some that a search found worst since."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.corpus.bombs import webp_of_one_colour
from tests.hostile.kinds import KINDS
from tests.hostile.recipe import Kind

_BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}


def made(kind: str, **numbers: int) -> Callable[[], bytes]:
    """A file of a kind, with the least of every number that is not named."""
    of = _BY_NAME[kind]
    return lambda: of.build({name: ends[0] for name, ends in of.ranges.items()} | numbers)


KNOWN: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {
        "TIFF of 2,000 rows in 20,000 strips of 1,000 rows": made(
            "tiff", width=2000, height=2000, rows=1000, bits=2, more_strips=19_998, same=1
        ),
        "TIFF, 20,000 strips over the same 1 kB": made(
            "tiff", width=3000, height=20_000, rows=1, compression=1, excess=20, samples=1, same=1
        ),
        "TIFF, 400,000 strips over the same 8 kB": made(
            "tiff", width=8000, height=7000, rows=1, compression=0, more_strips=400_000, samples=1, same=1
        ),
        "TIFF, tiles of 4,000 x 4,000 in a picture of 60 megapixels": made(
            "tiff", width=7745, height=7745, tile=4000, compression=1, samples=2, same=1
        ),
        "TIFF with 600 directories of 3,000 entries": made(
            "tiff", width=16, height=16, rows=16, entries=3000, entry_values=1, directories=600
        ),
        "JPEG with 600 Exif segments": made("jpeg", edge=64, mode=1, exif=600, entries=5400, entry_bytes=60_000),
        "JPEG with 700 small Exif segments": made("jpeg", edge=64, mode=1, exif=700, entries=4, entry_bytes=4),
        "JPEG with 1,000,000 empty comments": made("jpeg", edge=64, mode=1, comments=1_000_000),
        "JPEG with 1,000,000 comments between its scans": made("jpeg", edge=64, mode=1, late_comments=1_000_000),
        "JPEG with 300 Photoshop segments": made("jpeg", edge=64, mode=1, application=13, resources=300),
        "JPEG of 16 megapixels of noise, progressive": made("jpeg", edge=4000, mode=1, progressive=1),
        "JPEG of 16 megapixels of noise, four inks": made("jpeg", edge=4000, mode=2, progressive=1),
        "JPEG of 60 megapixels in 197 scans": made("steady jpeg", side=7745, scans=197),
        "PNG of 1 x 60,000,000": made("png", width=1, height=60_000_000, colour=1),
        "PNG of 60 megapixels with transparency": made("png", width=7745, height=7745, colour=4),
        "PNG of 60 megapixels with transparency, interlaced": made(
            "png", width=7745, height=7745, colour=4, bits=1, interlace=1
        ),
        "PNG with twenty times its pixels": made("png", width=7000, height=7000, colour=1, excess=20),
        "PNG with 2,000,000 empty pieces": made("png", width=64, height=64, empty=1_000_000),
        "PNG with 300 texts of 60 MB": made("png", width=64, height=64, unfolding=300, unfolded=60_000_000),
        "PNG with 300 packets of 60 MB": made("png", width=64, height=64, packets=300, unfolded=60_000_000),
        "WebP of 7,745 x 7,745 in 46 bytes": webp_of_one_colour,
        "WebP of 20,000 frames": made("webp", side=4000, frames=20_000),
        "BMP in runs": made("bmp", width=7745, height=7745, form=1, runs=2_000_000, jumps=1_000_000),
        "BMP of 60 megapixels": made("bmp", width=7745, height=7745, form=4, whole=1),
    }
)
