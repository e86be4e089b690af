"""The strip below a photograph with tiles: its answer in a sentence, and what is drawn, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phytobatch.reports.overlays.cells import Cell
from phytobatch.reports.overlays.drawing import INK, font_of, outline, veil, written
from phytobatch.reports.overlays.evidence import scale
from phytobatch.reports.overlays.style import Style
from phytobatch.reports.words import Words
from phytobatch.resources import TileSums

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

    from phytobatch.reports.overlays.drawing import Font

SOFT = (92, 107, 122)
PAPER = (255, 255, 255)
SCALE_LENGTH = 5  # times as long as it is high
GROUND = (168, 184, 160, 255)  # about as bright as leaves


@dataclass(frozen=True)
class Entry:
    """One line of the legend: ``label`` draws that tile, ``is_doubtful`` the hatching, else an empty frame.

    ``is_scale`` draws the colours of evidence instead.
    """

    text: str
    label: str | None = None
    is_doubtful: bool = False
    is_scale: bool = False


def sentence(label: str | None, reason: str | None, counts: TileSums, style: Style, words: Words) -> str:
    """Say the answer of the photograph, with the numbers behind it."""
    if label is None:
        return words("undecided_because", reason=words(reason or "too_few_tiles"))
    tiles, share = words.number(counts.labels.get(label, 0)), words.percent(counts.share(label))
    counted = words.number(counts.counted)
    said = words("share_of_tiles", label=style.name(label), tiles=tiles, counted=counted, share=share)
    return said if reason is None else f"{said}; {words(reason)}"


def entries(counts: TileSums, style: Style, words: Words) -> list[Entry]:
    """Return the lines of the legend: labels, reasons for a person, reasons to skip, the most frequent first."""
    lines = [
        Entry(f"{style.name(label)}: {words.number(tiles)} ({words.percent(counts.share(label))})", label)
        for label, tiles in counts.labels.items()
    ]
    lines += [Entry(f"{words('to_look_at')}: {text}", is_doubtful=True) for text in _reasons(counts.review, words)]
    lines += [Entry(f"{words('not_looked_at')}: {text}") for text in _reasons(counts.skipped, words)]
    return lines


def _reasons(tiles_of: Mapping[str, int], words: Words) -> Iterator[str]:
    return (f"{words(reason)} ({words.number(tiles)})" for reason, tiles in tiles_of.items())


def with_legend(picture: Image, answer: str, title: str, lines: Sequence[Entry], style: Style) -> Image:
    """Return the picture with a strip below it: the answer, the title, and a line for each entry."""
    from PIL import Image as Images
    from PIL import ImageDraw

    size = max(15, min(38, picture.width // 58))
    gap, swatch = size // 2, round(size * 1.5)
    height = 2 * gap + size * 3 + len(lines) * (swatch + gap // 2) + gap
    sheet = Images.new("RGB", (picture.width, picture.height + height), PAPER)
    sheet.paste(picture)
    drawing = ImageDraw.Draw(sheet)
    left, y = gap * 2, picture.height + gap
    bold, plain = font_of(round(size * 1.25)), font_of(size)
    drawing.text((left, y), _fitting(drawing, answer, bold, picture.width - 2 * left), font=bold, fill=INK)
    y += round(size * 1.6)
    drawing.text((left, y), _fitting(drawing, title, plain, picture.width - 2 * left), font=plain, fill=SOFT)
    y += round(size * 1.6)
    for line in lines:
        drawn = _scale(swatch) if line.is_scale else _swatch(line, swatch, style)
        sheet.paste(drawn, (left, y))
        room = picture.width - 3 * left - drawn.width
        text = _fitting(drawing, line.text, plain, room)
        drawing.text((left + drawn.width + gap, y + (swatch - size) // 2 - 1), text, font=plain, fill=INK)
        y += swatch + gap // 2
    return sheet


def _swatch(line: Entry, edge: int, style: Style) -> Image:
    """Draw a small tile as it looks on a photograph."""
    from PIL import Image as Images
    from PIL import ImageDraw

    ground = Images.new("RGBA", (edge, edge), GROUND)
    layer = Images.new("RGBA", (edge, edge), (0, 0, 0, 0))
    cell = Cell((0, 0, edge, edge), line.label, None, None)
    if line.is_doubtful:
        veil(layer, [cell])
    elif line.label is not None:
        outline(ImageDraw.Draw(layer), cell, style, thick=max(2, edge // 10))
    return Images.alpha_composite(ground, layer).convert("RGB")


def _scale(edge: int) -> Image:
    """Draw the colours of evidence, from nothing to the most, as they look on a leaf."""
    from PIL import Image as Images

    ground = Images.new("RGBA", (SCALE_LENGTH * edge, edge), GROUND)
    return Images.alpha_composite(ground, scale(ground.size)).convert("RGB")


def _fitting(drawing: ImageDraw, text: str, font: Font, room: int) -> str:
    """Return the text as the font has it, cut where the picture has no more room."""
    text = written(text, font)
    if drawing.textlength(text, font=font) <= room:
        return text
    while text and drawing.textlength(f"{text}...", font=font) > room:
        text = text[:-1].rstrip()
    return f"{text}..."
