"""An explanation drawn on its photograph: smooth and translucent, with a line around the strongest part.

The line says where it is without any colour; the symptom is seen through it.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from shared.tiles.grid import Box
from worker.inference.explanation.explain import FULL, Explanation

# White to violet: no leaf and no symptom has these, and their lightness falls evenly for any colour vision.
COLOURS = ((255, 255, 255), (170, 200, 255), (110, 150, 255), (70, 90, 240), (60, 20, 200))
MAX_OPACITY = 120  # of 255
LINE_FROM = 128  # a cell that says half as much as the strongest lies within the line
LINES_ACROSS = 600  # lines of one pixel and more that the longer side has room for
DARK, LIGHT, PAPER = (20, 27, 36, 255), (255, 255, 255, 255), (255, 255, 255)
GROUND = (168, 184, 160, 255)  # about as bright as leaves
MARGIN, TEXT, BAR = 10, 16, (160, 18)  # pixels


def draw(photograph: Image.Image, explanation: Explanation, box: Box | None = None) -> Image.Image:
    """Return the photograph with an explanation over it, or over a part of it.

    Args:
        photograph: in RGB, upright, of any size.
        explanation: of the whole, or of that part.
        box: left, top, right and bottom of the part in pixels of the picture.
    """
    left, top, right, bottom = box or (0, 0, *photograph.size)
    cells = np.frombuffer(explanation.values, np.uint8).reshape(explanation.rows, explanation.columns)
    layer = Image.new("RGBA", photograph.size, (0, 0, 0, 0))
    layer.paste(_layer(_smooth(cells, (right - left, bottom - top))), (left, top))
    return Image.alpha_composite(photograph.convert("RGBA"), layer).convert("RGB")


def with_legend(picture: Image.Image, sentence: str) -> Image.Image:
    """Return the picture with a strip below it: a sentence, and the colours from nothing to the most."""
    font = ImageFont.load_default(TEXT)
    words = f"speaks for the label: nothing to most; line: {LINE_FROM / FULL:.0%} of the most"
    needed = 3 * MARGIN + BAR[0] + round(font.getlength(words))
    strip = 3 * MARGIN + TEXT + BAR[1]
    sheet = Image.new("RGB", (max(picture.width, needed), picture.height + strip), PAPER)
    sheet.paste(picture)
    drawing, y = ImageDraw.Draw(sheet), picture.height + MARGIN
    drawing.text((MARGIN, y), sentence, font=font, fill=DARK)
    y += TEXT + MARGIN
    ramp = np.arange(FULL + 1, dtype=np.uint8)[np.newaxis]
    ground = Image.new("RGBA", BAR, GROUND)
    sheet.paste(Image.alpha_composite(ground, _layer(_smooth(ramp, BAR), lined=False)), (MARGIN, y))
    drawing.text((2 * MARGIN + BAR[0], y), words, font=font, fill=DARK)
    return sheet


def _smooth(cells: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the evidence of every pixel, of the cells as squares with soft borders; ``size`` is width and height."""
    return np.asarray(Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC))


def _layer(evidence: NDArray[np.uint8], *, lined: bool = True) -> Image.Image:
    """Colour the evidence; where there is none, the layer is clear."""
    steps = np.linspace(0, FULL, len(COLOURS))
    table = np.empty((FULL + 1, 4), np.uint8)
    for channel in range(3):
        table[:, channel] = np.rint(np.interp(np.arange(FULL + 1), steps, [colour[channel] for colour in COLOURS]))
    table[:, 3] = np.arange(FULL + 1) * MAX_OPACITY // FULL
    layer = Image.fromarray(table[evidence])
    if lined:
        _line(layer, evidence)
    return layer


def _line(layer: Image.Image, evidence: NDArray[np.uint8]) -> None:
    """Draw a light line and a dark one around what says at least half as much as the strongest cell."""
    inside = Image.fromarray(np.where(evidence >= LINE_FROM, np.uint8(FULL), np.uint8(0)))
    thick = 2 * max(1, max(layer.size) // LINES_ACROSS) + 1
    outer = ImageChops.subtract(inside.filter(ImageFilter.MaxFilter(thick)), inside)
    inner = ImageChops.subtract(inside, inside.filter(ImageFilter.MinFilter(thick)))
    layer.paste(DARK, mask=outer)
    layer.paste(LIGHT, mask=inner)
