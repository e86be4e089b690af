"""The overlay of one photograph as a JPEG: the photograph, its tiles, and a legend in words."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from phytobatch.reports.overlays.drawing import draw
from phytobatch.reports.overlays.legend import entries, sentence, with_legend
from phytobatch.reports.overlays.photograph import open_upright
from phytobatch.reports.overlays.style import Style
from phytobatch.reports.words import Words
from phytobatch.resources import Result
from phytobatch.tiles.answer import ImageTiles, sums_of

QUALITY = 85
LONGEST_SIDE = 2400  # pixels


@dataclass(frozen=True)
class Look:
    """The style of labels, the language, and the longest side of the photograph in pixels."""

    style: Style
    words: Words
    longest: int = LONGEST_SIDE


def overlay(path: Path, result: Result, tiles: ImageTiles, look: Look) -> bytes:
    """Return a JPEG of the photograph in ``path`` with its tiles and a legend.

    Raises:
        FileUnreadable: the photograph cannot be read, or is another one.
    """
    picture = open_upright(path, longest=look.longest, expected=(tiles.width, tiles.height))
    counts, style, words = sums_of(tiles), look.style, look.words
    sheet = with_legend(
        draw(picture, tiles, style),
        sentence(result.label, result.review_reason, counts, style, words),
        f"{tiles.name} · {words('tiles_of', tiles=words.number(len(tiles.x) * len(tiles.y)), edge=tiles.edge)}",
        entries(counts, style, words),
        style,
    )
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def can_draw() -> bool:
    """Return whether Pillow is installed."""
    try:
        import PIL.Image  # noqa: F401  # only its presence counts
    except ImportError:
        return False
    return True
