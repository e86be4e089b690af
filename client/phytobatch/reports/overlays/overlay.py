"""The overlay of one photograph as a JPEG: the photograph, its tiles, and a legend in words."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from phytobatch.reports.overlays.drawing import draw
from phytobatch.reports.overlays.evidence import draw_evidence
from phytobatch.reports.overlays.legend import Entry, entries, sentence, with_legend
from phytobatch.reports.overlays.photograph import open_upright
from phytobatch.reports.overlays.style import Style
from phytobatch.reports.words import Words
from phytobatch.resources import Result
from phytobatch.tiles.answer import ImageTiles, TileExplanation, sums_of

if TYPE_CHECKING:
    from PIL.Image import Image

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
    return _jpeg(sheet)


def explained(path: Path, result: Result, look: Look) -> bytes:
    """Return a JPEG of the photograph in ``path`` with what speaks for its label, and a legend.

    Raises:
        FileUnreadable: the photograph cannot be read.
    """
    picture = open_upright(path, longest=look.longest)
    drawn = draw_evidence(picture, result.explanation) if result.explanation else picture
    return _explained_sheet(drawn, result.name, result.label or "", result.confidence, look)


def explained_tiles(
    path: Path, result: Result, tiles: ImageTiles, found: Sequence[TileExplanation], look: Look
) -> bytes:
    """Return a JPEG of the photograph in ``path`` with what speaks for the labels of some of its tiles.

    Raises:
        FileUnreadable: the photograph cannot be read, or is another one.
    """
    picture = open_upright(path, longest=look.longest, expected=(tiles.width, tiles.height))
    across, down = picture.width / tiles.width, picture.height / tiles.height
    for one in found:
        box = (
            round(one.x * across),
            round(one.y * down),
            round((one.x + one.width) * across),
            round((one.y + one.height) * down),
        )
        picture = draw_evidence(picture, one.explanation, box)
    label = result.label or (found[0].label if found else "")
    return _explained_sheet(picture, tiles.name, label, result.confidence, look)


def _explained_sheet(picture: Image, name: str, label: str, confidence: float | None, look: Look) -> bytes:
    style, words = look.style, look.words
    said = style.name(label)
    sure = said if confidence is None else words("sure_of", label=said, sure=words.percent(confidence))
    lines = [Entry(words("speaks", label=said), is_scale=True)]
    return _jpeg(with_legend(picture, sure, name, lines, style))


def _jpeg(sheet: Image) -> bytes:
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
