"""Which image of a job a name in a table speaks of. One rule for sidecars, corrections and imports.

A name comes back as it was sent, and is compared in more than that form: macOS stores `ñ` as two characters (`n` and a
tilde) where spreadsheets write one, Windows has another separator of folders, and cameras and people differ in case.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

NO_IMAGE = "no image has this name"
FORMULA_STARTS = "=+-@\t\r"


def composed(name: str) -> str:
    """Compose the name (Unicode's normal form C, UAX 15): names that differ in composition alone become equal."""
    return unicodedata.normalize("NFC", name)


def spellings(name: str) -> tuple[str, ...]:
    """List the name, and how it is written composed and decomposed where that differs."""
    return tuple(dict.fromkeys((name, composed(name), unicodedata.normalize("NFD", name))))


def without_apostrophe(cell: str) -> str:
    """Remove the apostrophe that our CSV exports put in front of what a spreadsheet would run."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in FORMULA_STARTS else cell


def _as_sent(name: str) -> str:
    return name


def _portable(name: str) -> str:
    """Compose it, with ``/`` between folders."""
    return composed(name).replace("\\", "/").removeprefix("./")


def _caseless(name: str) -> str:
    return composed(_portable(name).casefold())


def _alone(name: str) -> str:
    """Take the name of the file without its folders, whatever the case."""
    return PurePosixPath(_caseless(name)).name


_WHOLE: tuple[Callable[[str], str], ...] = (_as_sent, _portable, _caseless)
Index = dict[str, list[int]]


class ImageNames:
    """The names of the images of a job, to look up what people write of them."""

    def __init__(self, images: Iterable[tuple[int, str]], *, folder: str = "") -> None:
        """Index nothing yet.

        Args:
            images: number and name of each image.
            folder: only those whose names begin so; what is looked up goes on from there.
        """
        self._images = list(_below(images, folder))
        self._indexes: dict[Callable[[str], str], Index] = {}

    def find(self, given: str) -> tuple[int | None, str]:
        """Find the number of the image that is meant, or None and why there is none.

        The whole name counts before the file name alone, the exact form before a similar one; a name that fits several
        images is none of them.
        """
        variants = tuple(dict.fromkeys((given, without_apostrophe(given), given.strip())))
        for form in _WHOLE:
            found = self._with(form, variants)
            if len(found) == 1:
                return found[0], ""
            if found:
                return None, f"{len(found)} images have names that look like it; write the name exactly as in the job"
        if "/" in _portable(given):
            return None, NO_IMAGE
        found = self._with(_alone, variants)
        if len(found) > 1:
            return None, f"{len(found)} images are called so; write the folder in front of the name"
        return (found[0], "") if found else (None, NO_IMAGE)

    def _with(self, form: Callable[[str], str], variants: Iterable[str]) -> list[int]:
        """Find the images of the first variant that has some in this form."""
        if form not in self._indexes:
            index: Index = defaultdict(list)
            for seq, name in self._images:
                index[form(name)].append(seq)
            self._indexes[form] = dict(index)
        return next((found for one in variants if (found := self._indexes[form].get(form(one)))), [])


def _below(images: Iterable[tuple[int, str]], folder: str) -> Iterable[tuple[int, str]]:
    """List the images whose names begin with ``folder``, and how their names go on."""
    other = composed(folder)
    for seq, name in images:
        if name.startswith(folder):
            yield seq, name[len(folder) :]
        elif composed(name).startswith(other):
            yield seq, composed(name)[len(other) :]
