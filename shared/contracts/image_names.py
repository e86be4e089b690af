"""The search for the image that a name in a table means. One rule for sidecars, corrections and imports.

A name is returned as it was sent, and compared in further forms: macOS stores `ñ` as two characters (`n` and a tilde)
where spreadsheets write one, Windows has another separator of folders, and cameras and people differ in case.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from shared.contracts.formulas import unguarded

NO_IMAGE = "no image has this name"


def composed(name: str) -> str:
    """Compose the name (Unicode's normal form C, UAX 15): names that differ in composition alone become equal."""
    return unicodedata.normalize("NFC", name)


def spellings(name: str) -> tuple[str, ...]:
    """List the name, and its composed and decomposed forms if they differ."""
    return tuple(dict.fromkeys((name, composed(name), unicodedata.normalize("NFD", name))))


def _as_sent(name: str) -> str:
    return name


def _portable(name: str) -> str:
    """Compose a name, with ``/`` between folders."""
    return composed(name).replace("\\", "/").removeprefix("./")


def _caseless(name: str) -> str:
    return composed(_portable(name).casefold())


def _alone(name: str) -> str:
    """Return the name of the file without its folders, in lower case."""
    return PurePosixPath(_caseless(name)).name


_WHOLE: tuple[Callable[[str], str], ...] = (_as_sent, _portable, _caseless)
Index = dict[str, list[int]]


class ImageNames:
    """The names of the images of a job, to find the image that a name means."""

    def __init__(self, images: Iterable[tuple[int, str]], *, folder: str = "") -> None:
        """Index nothing yet.

        Args:
            images: number and name of each image.
            folder: only images whose names begin so; the names to find continue from there.
        """
        self._images = list(_below(images, folder))
        self._indexes: dict[Callable[[str], str], Index] = {}

    def find(self, name: str) -> tuple[int | None, str]:
        """Find the number of the image that a name means; or None and the reason.

        The whole name counts before the file name alone, the exact form before a similar one; a name that fits several
        images means none of them.
        """
        variants = tuple(dict.fromkeys((name, unguarded(name), name.strip())))
        for form in _WHOLE:
            numbers = self._with(form, variants)
            if len(numbers) == 1:
                return numbers[0], ""
            if numbers:
                return None, f"{len(numbers)} images have names that look like it; write the name exactly as in the job"
        if "/" in _portable(name):
            return None, NO_IMAGE
        numbers = self._with(_alone, variants)
        if len(numbers) > 1:
            return None, f"{len(numbers)} images are called so; write the folder in front of the name"
        return (numbers[0], "") if numbers else (None, NO_IMAGE)

    def _with(self, form: Callable[[str], str], variants: Iterable[str]) -> list[int]:
        """Find the images of the first variant with a match in this form."""
        if form not in self._indexes:
            index: Index = defaultdict(list)
            for seq, name in self._images:
                index[form(name)].append(seq)
            self._indexes[form] = dict(index)
        return next((numbers for variant in variants if (numbers := self._indexes[form].get(form(variant)))), [])


def _below(images: Iterable[tuple[int, str]], folder: str) -> Iterable[tuple[int, str]]:
    """List the images whose names begin with ``folder``, with the rest of their names."""
    other = composed(folder)
    for seq, name in images:
        if name.startswith(folder):
            yield seq, name[len(folder) :]
        elif composed(name).startswith(other):
            yield seq, composed(name)[len(other) :]
