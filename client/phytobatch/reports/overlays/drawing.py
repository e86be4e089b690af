"""Tiles drawn on a photograph.

A disease is a filled area with a thick border and its name, so that it is found without colours, too; a healthy tile
has a thin border; one that asks for a person is veiled and hatched; what was not classified is left as it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

from phytobatch.reports.overlays.cells import Cell, cells
from phytobatch.reports.overlays.style import Style
from phytobatch.tiles.answer import ImageTiles

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont

FILL = 44  # of 255: the symptom must be seen through it
VEIL = (70, 78, 88, 64)
HATCH = (255, 255, 255, 84)
WHITE = (255, 255, 255, 255)
INK = (20, 27, 36)
# Of Linux, Windows and macOS.
FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "arial.ttf", "Arial.ttf")
SMALLEST_NAMED = 44  # pixels of a cell that has room for a word
SMALLEST_TEXT = 11  # pixels


def draw(photograph: Image, tiles: ImageTiles, style: Style, *, named: bool = True) -> Image:
    """Return the photograph, upright and of any size, with its tiles; without ``named`` no word is written on it."""
    from PIL import Image as Images
    from PIL import ImageDraw

    layer = Images.new("RGBA", photograph.size, (0, 0, 0, 0))
    drawing = ImageDraw.Draw(layer)
    found = list(cells(tiles, *photograph.size))
    veil(layer, [cell for cell in found if cell.review is not None])
    counted = [cell for cell in found if cell.review is None]
    for cell in counted:
        outline(drawing, cell, style)
    if named:
        for cell in counted:
            if not style.is_healthy(cell.label):
                _write(drawing, cell, style)
    return Images.alpha_composite(photograph.convert("RGBA"), layer).convert("RGB")


def veil(layer: Image, doubtful: Collection[Cell]) -> None:
    """Veil and hatch the tiles that ask for a person."""
    from PIL import Image as Images
    from PIL import ImageDraw

    if not doubtful:
        return
    mask = Images.new("L", layer.size, 0)
    drawing = ImageDraw.Draw(mask)
    for cell in doubtful:
        left, top, right, bottom = cell.box
        drawing.rectangle((left + 1, top + 1, right - 2, bottom - 2), fill=255)
    hatched = Images.new("RGBA", layer.size, VEIL)
    lines = ImageDraw.Draw(hatched)
    width, height = layer.size
    step = max(7, min(width, height) // 64)
    for start in range(-height, width, step):
        lines.line((start, height, start + height, 0), fill=HATCH, width=1)
    layer.paste(hatched, mask=mask)


def outline(drawing: ImageDraw, cell: Cell, style: Style, *, thick: int | None = None) -> None:
    """Draw the border of a tile that counts, and fill that of a disease; ``thick`` in pixels, else by its size."""
    colour, is_healthy = style.colour(cell.label or ""), style.is_healthy(cell.label)
    left, top, right, bottom = cell.box
    thick = thick or (max(2, min(4, cell.width // 40)) if is_healthy else border_of(cell))
    inner = (left + 1, top + 1, right - 2, bottom - 2)
    if inner[0] + 2 * thick >= inner[2] or inner[1] + 2 * thick >= inner[3]:  # Too small for a border.
        drawing.rectangle(inner, fill=(*colour, 160))
        return
    fill = None if is_healthy else (*colour, FILL)
    drawing.rectangle(inner, fill=fill, outline=(*colour, 255), width=thick)
    hair = (inner[0] + thick, inner[1] + thick, inner[2] - thick, inner[3] - thick)
    drawing.rectangle(hair, outline=(255, 255, 255, 150), width=1)  # Seen on a leaf of the same colour.


def border_of(cell: Cell) -> int:
    """Return the thickness of the border of a disease, in pixels."""
    return max(4, min(9, cell.width // 20))


def _write(drawing: ImageDraw, cell: Cell, style: Style) -> None:
    """Write label and confidence into the corner of a tile, as far as there is room."""
    if cell.width < SMALLEST_NAMED or cell.label is None:
        return
    font = font_of(max(SMALLEST_TEXT, min(30, cell.width // 8)))
    border = border_of(cell) + 2
    left, top = cell.box[0] + border, cell.box[1] + border
    room = cell.box[2] - border - left
    sure = "" if cell.confidence is None else f"{100 * cell.confidence:.0f}%"
    word = written(style.name(cell.label), font)
    short = "".join(part[:1] for part in word.split())
    for text in (f"{word} {sure}".strip(), f"{short} {sure}".strip(), short):
        _, _, right, bottom = drawing.textbbox((0, 0), text, font=font)
        if right + 6 <= room:
            drawing.rectangle((left, top, left + right + 6, top + bottom + 4), fill=(*INK, 205))
            drawing.text((left + 3, top + 1), text, font=font, fill=WHITE)
            return


@lru_cache(maxsize=64)
def font_of(size: int) -> Font:
    """Return a font of this machine that has more than English letters, or the one that comes with Pillow."""
    from PIL import ImageFont as Fonts

    for name in FONTS:
        try:
            return Fonts.truetype(name, size)
        except OSError:
            continue
    return Fonts.load_default(size)


def written(text: str, font: Font) -> str:
    """Return the text as the font has it: without accents where it is Pillow's own, which has English letters."""
    from PIL.ImageFont import FreeTypeFont

    if isinstance(font, FreeTypeFont) and isinstance(font.path, str):
        return text
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
