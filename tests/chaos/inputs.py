"""Files of a campaign: good ones, and every kind of bad one, each with what must come of it."""

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.synthetic import render

KINDS = ("healthy", "powdery_mildew", "rust")
PICTURES = 12
# Of a hundred files so many are of each bad kind; the rest is good.
BAD_PERCENT: Mapping[str, int] = {"truncated": 2, "html": 2, "empty": 2, "missing": 2}
PAGE = b"<!DOCTYPE html><html><body>Not found</body></html>"

# Status and error code that a file of each bad kind must end with.
ENDS: Mapping[str, tuple[str, str]] = {
    "truncated": ("failed", "truncated"),
    "html": ("failed", "unsupported_format"),
    "empty": ("rejected", "empty"),
    "missing": ("rejected", "object_missing"),
}


@dataclass(frozen=True, slots=True)
class File:
    """One file. ``kind`` is ``good`` or one of ``ENDS``; ``picture`` says which leaf a good one shows."""

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
    }[kind]
    return File(f"{number:04d}_{kind}.jpg", kind, picture, content)


def _kind(chance: random.Random) -> str:
    drawn = chance.randrange(100)
    for kind, percent in BAD_PERCENT.items():
        if drawn < percent:
            return kind
        drawn -= percent
    return "good"
