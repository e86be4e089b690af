"""The evidence for a label, drawn on a photograph: smooth and translucent, with a line around the strongest part.

The line says where it is without any colour; the symptom is seen through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from phytobatch.reports import colours

if TYPE_CHECKING:
    from PIL.Image import Image

    from phytobatch.reports.overlays.cells import Box
    from phytobatch.resources import Cells

FULL = 255  # of the cell that says most
LINE_FROM = 128  # a cell that says half as much lies within the line
MAX_OPACITY = 120  # of 255
LINES_ACROSS = 600  # lines of one pixel and more that the longer side has room for
DARK, LIGHT = (20, 27, 36, 255), (255, 255, 255, 255)


def draw_evidence(photograph: Image, cells: Cells, box: Box | None = None) -> Image:
    """Return the photograph, upright and of any size, with the cells over it, or over a part of it.

    Args:
        photograph: in RGB.
        cells: rows of numbers, 0 to 255.
        box: left, top, right and bottom of the part that the cells cover, in pixels of the picture.
    """
    from PIL import Image as Images

    left, top, right, bottom = box or (0, 0, *photograph.size)
    layer = Images.new("RGBA", photograph.size, (0, 0, 0, 0))
    layer.paste(_layer(_smooth(cells, (right - left, bottom - top))), (left, top))
    return Images.alpha_composite(photograph.convert("RGBA"), layer).convert("RGB")


def scale(size: tuple[int, int]) -> Image:
    """Return the colours from nothing to the most, from left to right, as a layer."""
    return _layer(_smooth([list(range(FULL + 1))], size), lined=False)


def _smooth(cells: Cells, size: tuple[int, int]) -> Image:
    from PIL import Image as Images

    small = Images.new("L", (len(cells[0]), len(cells)))
    small.putdata([value for row in cells for value in row])
    return small.resize(size, Images.Resampling.BICUBIC)


def _layer(evidence: Image, *, lined: bool = True) -> Image:
    """Colour the evidence; where there is none, the layer is clear."""
    from PIL import Image as Images

    table = [colours.of_evidence(value / FULL) for value in range(FULL + 1)]
    channels = [evidence.point([colour[channel] for colour in table]) for channel in range(3)]
    opacity = evidence.point([MAX_OPACITY * value // FULL for value in range(FULL + 1)])
    layer = Images.merge("RGBA", (*channels, opacity))
    if lined:
        _line(layer, evidence)
    return layer


def _line(layer: Image, evidence: Image) -> None:
    """Draw a light line and a dark one around what says at least half as much as the strongest cell."""
    from PIL import ImageChops, ImageFilter

    inside = evidence.point([FULL if value >= LINE_FROM else 0 for value in range(FULL + 1)])
    thick = 2 * max(1, max(layer.size) // LINES_ACROSS) + 1
    smaller = inside.filter(ImageFilter.MinFilter(thick))
    layer.paste(DARK, mask=ImageChops.subtract(inside.filter(ImageFilter.MaxFilter(thick)), inside))
    layer.paste(LIGHT, mask=ImageChops.subtract(inside, smaller))
