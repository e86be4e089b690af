"""Whole pictures of every format and kind of compression that the service reads, with metadata as drones write it."""

import io
from datetime import UTC, datetime
from functools import cache
from random import Random

from deploy.local.synthetic import render
from deploy.local.synthetic.exif import exif_of, position

SIZE = (120, 88)
TAKEN = datetime(2026, 6, 3, 8, 30, tzinfo=UTC)

# Format, mode, and what the encoder is told.
KINDS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("JPEG", "RGB", {"quality": 90}),
    ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
    ("JPEG", "RGB", {"optimize": True, "restart_marker_rows": 1}),
    ("JPEG", "L", {}),
    ("JPEG", "CMYK", {}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {"compress_level": 1}),
    ("PNG", "P", {}),
    ("PNG", "I;16", {}),
    ("PNG", "1", {}),
    ("TIFF", "RGB", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "RGB", {"compression": "tiff_adobe_deflate", "tiffinfo": {317: 2}}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("TIFF", "RGB", {"compression": "packbits", "big_tiff": True}),
    ("TIFF", "1", {"compression": "group4"}),
    ("TIFF", "CMYK", {"compression": "tiff_lzw"}),
    ("WEBP", "RGB", {"quality": 80}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("WEBP", "RGB", {"save_all": True, "frames": 3}),
    ("BMP", "RGB", {}),
    ("BMP", "P", {}),
    ("BMP", "1", {}),
)
FORMATS = tuple(dict.fromkeys(kind for kind, _, _ in KINDS))


@cache
def whole_pictures(seed: int) -> list[tuple[str, bytes]]:
    """(format, file) of every kind above."""
    chance = Random(seed)  # noqa: S311  # not for secrets
    return [(kind, _encoded(kind, mode, dict(options), chance)) for kind, mode, options in KINDS]


def _encoded(kind: str, mode: str, options: dict[str, object], chance: Random) -> bytes:
    picture = render(chance.choice(("healthy", "powdery_mildew", "rust")), SIZE, seed=chance.randrange(1000))
    picture = picture.convert("L").convert(mode) if mode == "I;16" else picture.convert(mode)
    frames = int(str(options.pop("frames", 1)))
    if frames > 1:
        options["append_images"] = [picture.rotate(90 * n) for n in range(1, frames)]
    if kind != "BMP":
        options["exif"] = exif_of(position(chance.randrange(100)), TAKEN, heading=90.0)
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()
