"""``--explain DIR`` and ``--sheet FILE``: photographs with what speaks for their labels drawn on them."""

from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from shared.contracts.manifest import HEALTHY, Manifest
from worker.inference.errors import ImageError
from worker.inference.explanation.drawing import DARK, PAPER, draw, with_legend
from worker.inference.items import Outcome
from worker.inference.tiles.picture import upright_pixels

LONGEST_SIDE = 1200  # pixels
QUALITY = 88
# Of the sheet: pairs of a photograph as it is and with its explanation, so that one can see what lies below.
EDGE, GAP, TEXT, PAIRS_ACROSS = 300, 10, 15, 2
WITHOUT_MAP = (
    "{name} {version} gives no map of what speaks for its labels (its manifest names no `map` in `outputs`); choose a "
    "classifier that has one, or leave out --explain and --sheet."
)


class NoMap(Exception):
    """The classifier has no map; the text is a sentence for the person at the keyboard."""


def check_map(manifest: Manifest) -> None:
    """Check that a classifier can be asked why.

    Raises:
        NoMap: it cannot.
    """
    if manifest.outputs is None or manifest.outputs.map is None:
        raise NoMap(WITHOUT_MAP.format(name=manifest.name, version=manifest.version))


@dataclass
class Pictures:
    """Draws one photograph after another into ``folder``, and all of them into the picture ``sheet``."""

    folder: Path | None
    sheet: Path | None
    manifest: Manifest
    _pairs: list[tuple[Image.Image, Image.Image, str]] = field(default_factory=list)
    _written: set[Path] = field(default_factory=set)

    def draw(self, path: Path, outcome: Outcome) -> None:
        """Draw the explanation of a photograph, or those of its diseased tiles; one without an answer is left out.

        Raises:
            OSError: the picture cannot be written.
        """
        whole = None if outcome.interpretation is None else outcome.interpretation.explanation
        if whole is None and outcome.answer is None:
            return
        try:
            photograph = Image.fromarray(upright_pixels(path.read_bytes()))
        except ImageError:  # It is too unusual to be decoded here; its answer is printed all the same.
            return
        size = photograph.size
        photograph.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        drawn = draw(photograph, whole) if whole is not None else self._tiles(photograph, size, outcome)
        sentence = _sentence(outcome)
        if self.folder is not None:
            with_legend(drawn, f"{path.name}: {sentence}").save(self._free_name(path), quality=QUALITY)
        if self.sheet is not None:
            self._pairs.append((_small(photograph), _small(drawn), f"{path.stem[:20]}: {sentence}"))

    def finish(self) -> None:
        """Write the sheet.

        Raises:
            OSError: it cannot be written.
        """
        if self.sheet is not None and self._pairs:
            _sheet(self._pairs).save(self.sheet)

    def _tiles(self, photograph: Image.Image, size: tuple[int, int], outcome: Outcome) -> Image.Image:
        """Draw the explanations of the tiles that count and show a disease; ``size`` is that of the original."""
        answer, found = outcome.answer, outcome.explanations or {}
        if answer is None:
            return photograph
        across, down = photograph.width / size[0], photograph.height / size[1]
        for number, tile in enumerate(answer.map):
            if number in found and tile.counts and tile.label != self._healthy:
                left, top, right, bottom = answer.map.grid.box(number)
                box = (round(left * across), round(top * down), round(right * across), round(bottom * down))
                photograph = draw(photograph, found[number], box)
        return photograph

    @property
    def _healthy(self) -> int | None:
        """The number of the class that is no disease."""
        return self.manifest.labels.index(HEALTHY) if HEALTHY in self.manifest.labels else None

    def _free_name(self, path: Path) -> Path:
        """Return a name that no other photograph of this run has."""
        folder = self.folder or Path()
        named, number = folder / f"{path.stem}.jpg", 2
        while named in self._written:
            named, number = folder / f"{path.stem}-{number}.jpg", number + 1
        self._written.add(named)
        return named


def _sentence(outcome: Outcome) -> str:
    answer = outcome.interpretation or outcome.answer
    if answer is None or answer.label is None:
        return "undecided"
    sure = "" if answer.confidence is None else f" {answer.confidence:.0%}"
    return f"{answer.label}{sure}" + (f" (look: {answer.review_reason})" if answer.review_reason else "")


def _small(picture: Image.Image) -> Image.Image:
    small = picture.copy()
    small.thumbnail((EDGE, EDGE))
    return small


def _sheet(pairs: list[tuple[Image.Image, Image.Image, str]]) -> Image.Image:
    """Lay the pairs out in rows, with a line of text above each."""
    highest = max(plain.height for plain, _, _ in pairs)
    wide, high = 2 * EDGE + 3 * GAP, highest + TEXT + 3 * GAP
    rows = -(-len(pairs) // PAIRS_ACROSS)
    sheet = Image.new("RGB", (PAIRS_ACROSS * wide, rows * high), PAPER)
    drawing, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT)
    for number, (plain, drawn, sentence) in enumerate(pairs):
        row, column = divmod(number, PAIRS_ACROSS)
        left, top = column * wide + GAP, row * high + GAP
        drawing.text((left, top), sentence, font=font, fill=DARK)
        sheet.paste(plain, (left, top + TEXT + GAP))
        sheet.paste(drawn, (left + EDGE + GAP, top + TEXT + GAP))
    return sheet
