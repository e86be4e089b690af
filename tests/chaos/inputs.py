"""Files of a campaign: good ones, and every kind of bad one, each with what must come of it."""

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from PIL import Image

from deploy.local.synthetic import render
from tests.hostile.known import KNOWN

KINDS = ("healthy", "powdery_mildew", "rust")
PICTURES = 12
# Of a thousand files so many are of each kind; the rest is good. A WebP is good too, and is decoded in a process; a
# costly one takes all the processor time that a picture may have.
PER_THOUSAND: Mapping[str, int] = {"truncated": 20, "html": 20, "empty": 20, "missing": 20, "webp": 10, "costly": 3}
GOOD = frozenset({"good", "webp"})
PAGE = b"<!DOCTYPE html><html><body>Not found</body></html>"

# Status and error code that a file of each bad kind must end with.
ENDS: Mapping[str, tuple[str, str]] = {
    "truncated": ("failed", "truncated"),
    "html": ("failed", "unsupported_format"),
    "empty": ("rejected", "empty"),
    "missing": ("rejected", "object_missing"),
    "costly": ("failed", "too_costly"),
}


@dataclass(frozen=True, slots=True)
class File:
    """One file. ``kind`` is one of ``GOOD`` or of ``ENDS``; ``picture`` says which leaf a good one shows."""

    name: str
    kind: str
    picture: int
    content: bytes


def pictures() -> list[bytes]:
    """A few leaves as JPEG, 256 pixels."""
    made = []
    for number in range(PICTURES):
        stream = io.BytesIO()
        render(KINDS[number % len(KINDS)], (256, 256), seed=number).save(stream, "JPEG", quality=90)
        made.append(stream.getvalue())
    return made


def file(leaves: list[bytes], number: int, chance: random.Random) -> File:
    """A file that differs from every other one of its job."""
    picture = chance.randrange(len(leaves))
    kind = _kind(chance)
    leaf = leaves[picture]
    # What follows the end marker of a JPEG is not part of the picture (ITU-T T.81, B.1.1.3).
    content = {
        "good": leaf + number.to_bytes(4, "big"),
        "truncated": leaf[: len(leaf) // 3 + number],
        "html": PAGE + b"<!-- %d -->" % number,
        "empty": b"",
        "missing": leaf + b"never sent" + number.to_bytes(4, "big"),
        "webp": as_webp(leaf) + number.to_bytes(4, "big"),
        "costly": costly() + number.to_bytes(4, "big"),
    }[kind]
    return File(f"{number:04d}_{kind}.jpg", kind, picture, content)


@cache
def as_webp(leaf: bytes) -> bytes:
    """The same pixels in another format."""
    stream = io.BytesIO()
    with Image.open(io.BytesIO(leaf)) as picture:
        picture.save(stream, "WEBP", lossless=True)
    return stream.getvalue()


@cache
def costly() -> bytes:
    """A picture that takes all that one may."""
    return KNOWN["TIFF of 2,000 rows in 20,000 strips of 1,000 rows"]()


def _kind(chance: random.Random) -> str:
    drawn = chance.randrange(1000)
    for kind, count in PER_THOUSAND.items():
        if drawn < count:
            return kind
        drawn -= count
    return "good"
